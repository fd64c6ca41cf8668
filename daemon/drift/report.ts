/** What the repair of one plan came to: for the log, the metrics, and whoever else is told of it. */
import type { Difference } from '../../netlink/plan.ts'
import type { PlanOwner } from './places.ts'

export interface RepairReport {
  readonly owner: PlanOwner
  /** `<namespace>/<name>` where the owner is a pod's. */
  readonly pod?: string
  /** What was wrong. Empty when the plan could not even be compared. */
  readonly differences: readonly Difference[]
  /** `failed`: the plan still does not hold, and is repaired again after a pause. */
  readonly outcome: 'repaired' | 'failed'
  /** Why it failed. */
  readonly error?: unknown
  /** From when the kernel told of it, or from the look that found it, ms. */
  readonly milliseconds: number
}

/** One line for an operator, in the words of iproute2. */
export function describeDifference({ netns, object, subject, problem, found }: Difference): string {
  return `${netns} ${object} ${subject}: ${problem}${found === undefined ? '' : `, found ${found}`}`
}
