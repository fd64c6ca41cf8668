/** One object of a plan beside what was found. */
import type { Comparison, Difference } from './plan.ts'

export type Finding = Pick<Comparison, 'netns' | 'object' | 'subject'>

export const missing = (finding: Finding): Difference => ({ ...finding, problem: 'missing' })

/** `found` says what deviates, each in a few words; nothing does when all are false. */
export function compared(finding: Finding, found: readonly (string | false)[]): Comparison {
  const deviations = found.filter((deviation) => deviation !== false)
  return deviations.length === 0 ? finding : { ...finding, problem: 'different', found: deviations.join(', ') }
}

export function isDifference(comparison: Comparison): comparison is Difference {
  return comparison.problem !== undefined
}
