/** Which mark the packets have that leave by an ENI's link. Pure. */
import { SOURCE_MARK_MASK } from '../../netlink/plan.ts'
import type { Rule } from '../../netlink/rule.ts'
import { FROM_POD_PRIORITY, tableOf } from './constants.ts'

/** Of the lowest bit of the mask. */
const FIRST = 0x10_0000
const NO_MARK = { value: 0, mask: 0 }

export interface LinkMark {
  readonly ifindex: number
  readonly mark: number
}

export interface MarkQuestion {
  /** Of the node. */
  readonly rules: readonly Rule[]
  /** Marks of other links, and of this one where somebody has put it down. */
  readonly remembered: Iterable<LinkMark>
}

/**
 * The one by which the node's rules lead to the link's table, so that marks are the same after a restart; else the one
 * that is remembered; else the lowest that nobody has.
 * @throws Error when all are taken, which is by far more than an instance can have ENIs.
 */
export function markOf(ifindex: number, { rules, remembered }: MarkQuestion): number {
  const marks = [...rules.flatMap((rule) => linkMarkOf(rule) ?? []), ...remembered]
  const known = marks.find((one) => one.ifindex === ifindex)
  if (known !== undefined) return known.mark
  const taken = new Set(marks.map(({ mark }) => mark))
  for (let mark = FIRST; mark <= SOURCE_MARK_MASK; mark += FIRST) if (!taken.has(mark)) return mark
  throw new Error(`all ${taken.size} marks of pods' packets are taken by other links: "ip rule" shows by which`)
}

/** What a rule says of it, when it is one of an ENI that pods share. */
export function linkMarkOf(rule: Rule): LinkMark | undefined {
  const { priority, mark: { value, mask } = NO_MARK, table, special, source, destination } = rule
  const isOurs = !special && source === undefined && destination === undefined && mask === SOURCE_MARK_MASK
  if (!isOurs || value === 0 || priority !== FROM_POD_PRIORITY) return undefined
  const ifindex = table - tableOf(0)
  return ifindex > 0 && (value & SOURCE_MARK_MASK) === value ? { ifindex, mark: value } : undefined
}
