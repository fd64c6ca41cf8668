/** Why the pool could not give an address. */
import type { Shortage } from './report/exhaustion.ts'

export type PoolErrorReason =
  /** Every address the node may have is in use. */
  | 'pool-exhausted'
  /** The cloud refuses to give more: quota, empty vSwitch, missing permission. */
  | 'cloud-refused'
  /** Nothing came in time. */
  | 'pool-timeout'
  /** The caller went away. */
  | 'cancelled'

export class PoolError extends Error {
  override readonly name = 'PoolError'
  readonly reason: PoolErrorReason
  /** What the operator can do. */
  readonly advice: string
  /** The same each time it happens, which the message is not. */
  readonly key: string

  /** @param key the reason unless given */
  constructor(reason: PoolErrorReason, message: string, advice: string, key: string = reason) {
    super(message)
    this.reason = reason
    this.advice = advice
    this.key = key
  }
}

/** For an ADD that cannot be served. */
export function noAddress({ resource, key, limit, advice }: Shortage): PoolError {
  return new PoolError(resource === 'instance' ? 'pool-exhausted' : 'cloud-refused', limit, advice, key)
}

/** For an ADD that has waited as long as it may. @param shortage why, where that is known */
export function noAddressInTime(shortage: Shortage | undefined): PoolError {
  if (shortage !== undefined) {
    const { key, limit, advice } = shortage
    return new PoolError('pool-timeout', `no address in time: ${limit}`, advice, key)
  }
  const advice = 'the runtime tries again; "terway-cli show" lists what keeps the pool from growing'
  return new PoolError('pool-timeout', 'no address became free in time', advice)
}
