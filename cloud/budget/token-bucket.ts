/** A token bucket as a value: one token is one call. */

export interface Limit {
  /** Tokens that come back in a second. */
  readonly perSecond: number
  /** The most that are kept, at least 1: so many calls may start at once. */
  readonly burst: number
}

export interface TokenBucket {
  /** Below 0 after a closure: a debt that has to come back before the first token does. */
  readonly tokens: number
  /** When the tokens were counted, ms. */
  readonly countedAt: number
}

/** The bucket with what has come back since it was counted. A clock that was set back costs nothing but that time. */
export function refilled(bucket: TokenBucket, { perSecond, burst }: Limit, now: number): TokenBucket {
  const elapsed = Math.max(0, now - bucket.countedAt)
  return { tokens: Math.min(burst, bucket.tokens + (elapsed * perSecond) / 1000), countedAt: now }
}

/** A bucket that has no token for so many ms longer than an empty one. */
export function closedFor(milliseconds: number, { perSecond }: Limit, now: number): TokenBucket {
  return { tokens: (-milliseconds * perSecond) / 1000, countedAt: now }
}

/** Whole ms until a bucket that was just refilled holds a token; 0 when it does. */
export function untilToken({ tokens }: TokenBucket, { perSecond }: Limit): number {
  return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1000) / perSecond)
}
