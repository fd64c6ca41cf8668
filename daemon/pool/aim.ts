/** How many free addresses, and which ENIs beside them, the pool aims at. Pure. */
import type { Forecast, Past } from './history.ts'
import type { PoolLimits } from './settings.ts'

export interface Aim {
  /** With fewer free addresses than this it asks for more, */
  readonly floor: number
  /** up to this many. */
  readonly fill: number
  /** What is above and was not needed for the idle time-out goes back. */
  readonly rest: number
  /** What is above goes back at once. */
  readonly ceiling: number
  /** ENIs kept attached. */
  readonly enis: number
  /** Addresses that could be had without another ENI: free ones and places on ENIs that are attached. */
  readonly headroom: number
}

export function aimAt(limits: PoolLimits, past: Past, owned: number): Aim {
  return limits.strategy === 'adaptive' ? adaptive(limits, past, owned) : fixed(limits, past, owned)
}

/**
 * Where addresses are being given all the time, more than what is missing is asked for, so that one call serves many;
 * and what the next minutes are likely to need is not idle, although the last minutes did not need it.
 */
function fixed(limits: PoolLimits, { recent, forecast }: Past, owned: number): Aim {
  const { minFree, maxFree, minEnis } = limits
  const floor = Math.min(maxFree, Math.max(minFree, reserveOf(limits, owned)))
  const likely = Math.ceil(drift(forecast, owned))
  const fill = Math.min(maxFree, floor + Math.max(recent, Math.ceil(likely / 2)))
  const rest = Math.min(maxFree, floor + likely)
  return { floor, fill, rest, ceiling: maxFree, enis: minEnis, headroom: 0 }
}

function reserveOf({ reserve }: PoolLimits, owned: number): number {
  return Math.ceil(reserve * owned)
}

/** The API may be away for so long without a pod having to wait, seconds: the length of a usual incident. */
const OUTAGE = 300
/** Standard deviations: nine of ten times it is less. */
const CONFIDENCE = 1.3

/**
 * Pods that come more than go within a time without the cloud. Where they come and go at the same rate, each for itself,
 * the difference has the variance 2·rate·time, and not more than twice the number of pods (M/G/∞). Those that come while
 * the cloud does what it was asked for find an address even if none goes.
 */
function drift({ perSecond, lead }: Forecast, owned: number): number {
  return Math.max(perSecond * lead, CONFIDENCE * Math.sqrt(2 * Math.min(perSecond * (OUTAGE + lead), owned)))
}

/**
 * Free are kept those that the pods to come may need while the cloud is away, or at once in a burst that is due. For a
 * burst that is not due, and for what is above the upper watermark, ENIs stay attached: a place on one costs nothing,
 * and an assignment takes a tenth of the time that another ENI does. Where each pod has an ENI, a place is a free ENI.
 */
function adaptive(limits: PoolLimits, { forecast, recent }: Past, owned: number): Aim {
  const { kind, minFree, maxFree, minEnis, maxEnis } = limits
  const likely = Math.max(drift(forecast, owned), reserveOf(limits, owned))
  const margin = 1 + Math.ceil(likely / 4)
  // Of those that follow each other within minutes the addresses come back in time, or are asked for while they come.
  const isClose = forecast.isDense && forecast.soon > 0
  const due = isClose ? minFree : forecast.burst > 0 ? Math.max(forecast.burst, minFree) : 0
  const again = isClose ? Math.min(maxFree, minFree + recent) : 0
  const kept = (bursts: number, steps: number) =>
    Math.min(maxFree, Math.max(Math.round(likely) + steps * margin, Math.ceil(bursts)))
  // What has just been asked for is never too much: the configuration may have become another one since the forecast.
  const fill = Math.max(kept(due, 1), again)
  const stays = Math.max(due, forecast.soon)
  return {
    ...{ floor: kept(due, 0), fill, rest: kept(stays, 2), ceiling: Math.max(fill, kept(stays, 3)) },
    ...{ enis: Math.min(maxEnis, minEnis), headroom: kind === 'shared' ? Math.ceil(forecast.peak) : 0 },
  }
}

/** Addresses that a burst may ask for before any was seen: what the configuration keeps ready. */
export function priorOf({ minFree }: PoolLimits): number {
  return minFree
}
