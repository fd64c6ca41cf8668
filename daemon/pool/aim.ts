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
  return limits.strategy === 'adaptive' ? adaptive(limits, past.forecast, owned) : fixed(limits, past, owned)
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
 * the difference has the variance 2·rate·time, and not more than twice the number of pods (M/G/∞).
 */
function drift({ perSecond }: Forecast, owned: number): number {
  return CONFIDENCE * Math.sqrt(2 * Math.min(perSecond * OUTAGE, owned))
}

/**
 * Free are kept those that the pods to come may need while the cloud is away, or at once in a burst that is due. For a
 * burst that is not due, and for what is above the upper watermark, ENIs stay attached: a place on one costs nothing,
 * and an assignment takes a tenth of the time that another ENI does.
 */
function adaptive(limits: PoolLimits, forecast: Forecast, owned: number): Aim {
  const { maxFree, minEnis, maxEnis } = limits
  const likely = Math.max(drift(forecast, owned), reserveOf(limits, owned))
  const margin = 1 + Math.ceil(likely / 4)
  const kept = (bursts: number, steps: number) =>
    Math.min(maxFree, Math.max(Math.round(likely) + steps * margin, Math.ceil(bursts)))
  return {
    ...{ floor: kept(forecast.burst, 0), fill: kept(forecast.burst, 1) },
    ...{ rest: kept(forecast.soon, 2), ceiling: kept(forecast.soon, 3) },
    ...{ enis: Math.min(maxEnis, minEnis), headroom: Math.ceil(forecast.peak) },
  }
}

/** Addresses that a burst may ask for before any was seen: what the configuration keeps ready. */
export function priorOf({ minFree }: PoolLimits): number {
  return minFree
}
