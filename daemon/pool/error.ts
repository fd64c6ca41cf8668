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

  constructor(reason: PoolErrorReason, message: string, advice: string) {
    super(message)
    this.reason = reason
    this.advice = advice
  }
}

/** For an ADD that cannot be served. */
export function noAddress({ limit, advice }: Shortage, isFull: boolean): PoolError {
  return new PoolError(isFull ? 'pool-exhausted' : 'cloud-refused', limit, advice)
}
