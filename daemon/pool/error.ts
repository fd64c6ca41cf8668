/** Why the pool could not give an address. */
import type { PoolLimits } from './decide.ts'

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

/** For an ADD that cannot be served; `problem` is what keeps the pool from growing, undefined when it is simply full. */
export function noAddress(limits: PoolLimits, problem: string | undefined): PoolError {
  if (problem !== undefined) {
    const advice = 'see the cause; "terway-cli show" lists what keeps the pool from growing'
    return new PoolError('cloud-refused', problem, advice)
  }
  const { maxEnis, addressesPerEni } = limits
  const each = `${maxEnis} ENIs with ${addressesPerEni} each`
  return new PoolError(
    'pool-exhausted',
    `all ${maxEnis * addressesPerEni} pod addresses of this node are in use (${each})`,
    'move pods to another node, or use an instance type with more ENIs or addresses',
  )
}
