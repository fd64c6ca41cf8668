/** Rules of one priority that match the same packets: the first decides. Pure. */
import type { Rule, RuleAddition } from './rule.ts'

/** FR_ACT_TO_TBL of linux/fib_rules.h */
const LOOKUP = 1

/** Priority, addresses, devices and mark are the same, and the rule does nothing else than look a table up. */
function matchesSame(spec: RuleAddition, rule: Rule): boolean {
  return (
    rule.priority === spec.priority &&
    rule.action === LOOKUP &&
    !rule.special &&
    rule.source === spec.source &&
    rule.destination === spec.destination &&
    rule.inputDevice === spec.inputDevice &&
    rule.outputDevice === spec.outputDevice &&
    rule.mark?.value === spec.mark?.value &&
    rule.mark?.mask === spec.mark?.mask
  )
}

export const isSameRule = (spec: RuleAddition, rule: Rule): boolean =>
  rule.table === spec.table && matchesSame(spec, rule)

const selects = ({ source, destination, inputDevice, outputDevice, mark }: RuleAddition): boolean =>
  [source, destination, inputDevice, outputDevice, mark].some((selector) => selector !== undefined)

/**
 * Rules that take the packets of the spec's to another table before it does, left by somebody who no longer cares: what
 * they match is the spec's own. A rule for all packets is nobody's own, so those are not among them. `rules` are in the
 * order in which packets meet them, one family's.
 */
export function rulesBefore(spec: RuleAddition, rules: readonly Rule[]): Rule[] {
  if (!selects(spec)) return []
  const own = rules.findIndex((rule) => isSameRule(spec, rule))
  const earlier = own === -1 ? rules : rules.slice(0, own)
  return earlier.filter((rule) => matchesSame(spec, rule))
}

/**
 * Whether a request to delete the rule deletes that one: the kernel takes the first with all that the request names,
 * whatever else that one has (rule_find of net/core/fib_rules.c).
 */
export function isDeletable(rule: Rule, rules: readonly Rule[]): boolean {
  const fits = <T>(named: T | undefined, found: T | undefined) => named === undefined || named === found
  const first = rules.find(
    (candidate) =>
      candidate.priority === rule.priority &&
      candidate.table === rule.table &&
      fits(rule.source, candidate.source) &&
      fits(rule.destination, candidate.destination) &&
      fits(rule.inputDevice, candidate.inputDevice) &&
      fits(rule.outputDevice, candidate.outputDevice) &&
      fits(rule.mark?.value, candidate.mark?.value) &&
      fits(rule.mark?.mask, candidate.mark?.mask),
  )
  return first === rule
}
