/** When a credential is asked for again. All times in ms. */

export interface Freshness {
  readonly now: number
  /** ms since the epoch. */
  readonly expiration: number | undefined
  readonly margin: number | undefined
  readonly interval: number | undefined
  /** 0 to 1. */
  readonly random: number
}

/** STS hands out the next credential of a role half an hour before the last one expires. */
const DEFAULT_MARGIN = 15 * 60_000
/** A tenth earlier at most, so that nodes which started together do not ask together. */
const JITTER = 0.1
/** An issuer that repeats a credential which is about to expire is not asked all the time. */
const SHORTEST = 5_000
/** The longest life of an STS credential of an instance. Nothing depends on a far expiration, or a clock, being right. */
const LONGEST = 6 * 3_600_000

/**
 * The time until the next fetch after a successful one: the margin before the expiration, but in the second half of the
 * life that is left; undefined for a credential that stays.
 */
export function refreshDelay({
  now,
  expiration,
  margin = DEFAULT_MARGIN,
  interval,
  random,
}: Freshness): number | undefined {
  if (expiration === undefined && interval === undefined) return undefined
  const life = (expiration ?? Number.POSITIVE_INFINITY) - now
  const beforeExpiry = Math.max(life - margin, life / 2)
  const delay = Math.min(beforeExpiry, interval ?? LONGEST, LONGEST)
  return Math.max(SHORTEST, delay * (1 - JITTER * random))
}

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 60_000

export interface Failure {
  /** Failures in a row before this one. */
  readonly before: number
  /** Asking again changes nothing, unless somebody changes the world: a missing file, a role without trust. */
  readonly permanent: boolean
  /** 0 to 1. */
  readonly random: number
}

/** The time until the next fetch after a failed one: 1 s, doubling to a minute, the upper half of it random. */
export function retryDelay({ before, permanent, random }: Failure): number {
  const pause = permanent ? LONGEST_PAUSE : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** before)
  return (pause * (1 + random)) / 2
}

/** A fetch because the API refused the credential. */
export interface Refusal {
  /** Of the fetch. */
  readonly at: number
  /** Such fetches in a row, this one included. */
  readonly count: number
  /** Until the next one is allowed. */
  readonly pause: number
}

/** After so long without a refusal the next one begins a new row. */
const ROW_ENDS = 10 * LONGEST_PAUSE

/**
 * The fetch that a refusal leads to, undefined while it would be too soon after the last one: the first at once, then 1 s
 * later, 2 s, up to a minute, as after failures. A clock that is set back holds nothing up for longer than twice that.
 */
export function afterRefusal(last: Refusal | undefined, now: number, random: number): Refusal | undefined {
  const since = last === undefined ? Number.POSITIVE_INFINITY : Math.abs(now - last.at)
  if (last !== undefined && since < last.pause) return undefined
  const before = since > ROW_ENDS ? 0 : (last?.count ?? 0)
  return { at: now, count: before + 1, pause: retryDelay({ before, permanent: false, random }) }
}
