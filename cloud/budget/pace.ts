/**
 * How a throttled answer slows an action down and how it recovers: the rate is halved at once and given back slowly,
 * as TCP does with its window (RFC 5681 §3.1), because the limit is the account's and its other users are unknown.
 */
import type { Limit } from './token-bucket.ts'

export interface Pace {
  /** The part of the configured rate in use: above 0, at most 1. */
  readonly share: number
  /** Number of halvings so far. The answer to a call of an earlier era says nothing about the rate of this one. */
  readonly era: number
  /** Halvings without a success between them. */
  readonly inRow: number
  /** Up to when the share has been counted, ms. */
  readonly countedAt: number
}

export const FULL_PACE: Pace = { share: 1, era: 0, inRow: 0, countedAt: 0 }

/**
 * The share is not halved further below this. The documentation asks to probe at one call a second while it throttles,
 * but that is for all of the account: of hundreds of nodes each may have a small part of it.
 */
const SMALLEST_SHARE = 1 / 64
/** Nor below so many calls a second: the gateway allows the action again each minute, so one is worth a try. */
const SLOWEST = 1 / 60
/** Of the configured rate, given back for every RISE_PERIOD (ms) without a throttled answer. */
const RISE = 0.05
const RISE_PERIOD = 10_000

/** After a throttled answer to a call of this era. However low the configured rate is, it proved too high: half at least. */
export function halved(pace: Pace, { perSecond }: Limit, now: number): Pace {
  const floor = Math.min(1 / 2, Math.max(SMALLEST_SHARE, SLOWEST / perSecond))
  const share = Math.max(floor, pace.share / 2)
  return { share, era: pace.era + 1, inRow: pace.inRow + 1, countedAt: now }
}

/** After a success of this era: it proves that the time since the last throttled answer earned its rise. */
export function recovered(pace: Pace, now: number): Pace {
  const rise = (RISE * Math.max(0, now - pace.countedAt)) / RISE_PERIOD
  return { ...pace, share: Math.min(1, pace.share + rise), inRow: 0, countedAt: now }
}

/** The limit that the pace leaves of the configured one. */
export function paced({ perSecond, burst }: Limit, { share }: Pace): Limit {
  return { perSecond: perSecond * share, burst: Math.max(1, burst * share) }
}

const FIRST_CLOSURE = 1_000
/** The gateway counts in fixed windows of a minute and allows the action again in the next one, ms. */
const WINDOW = 60_000

/**
 * For how long an action just halved is closed, ms: a random time up to FIRST_CLOSURE × 2^(halvings in a row - 1), at
 * most a window, for a longer wait gains nothing. It comes on top of what the answer asked for: that is the same for
 * all nodes of an account, and the random part keeps them apart.
 */
export function closure({ inRow }: Pace, random: () => number, retryAfter: number): number {
  return Math.min(WINDOW, retryAfter) + random() * Math.min(WINDOW, FIRST_CLOSURE * 2 ** (inRow - 1))
}
