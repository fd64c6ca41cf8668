/** The node condition SufficientIP: whether a pod that comes now can be given an address. Pure. */
import { type Shortage, shortageText } from './exhaustion.ts'

export interface NodeCondition {
  readonly type: 'SufficientIP'
  readonly status: 'True' | 'False'
  readonly reason: 'SufficientIP' | 'InsufficientIP'
  readonly message: string
  /** When it became so, ms since the epoch. */
  readonly since: number
  /** When it was last seen to be so, ms since the epoch. */
  readonly seen: number
}

export interface SufficiencyFacts {
  /** ADDs that wait for an address. */
  readonly waiting: number
  /** ADDs turned away for want of an address since the last look. */
  readonly turnedAway: number
  /** Addresses that can be given now. */
  readonly free: number
  /** What keeps the pool from growing at all; nothing while it can grow, be it slowly. */
  readonly shortages: readonly Shortage[]
  /** A call has brought addresses since a pod was last short of one. */
  readonly grown: boolean
}

/** Once it is False it is so for this long after the last pod that had no address, ms: nobody gains by a flicker. */
const HOLD = 30_000

const ENOUGH = 'pods can be given addresses'
const NOT_ENOUGH = 'a pod found no address; "terway-cli show" lists what keeps the pool from growing'

/** @returns the previous one itself when nothing has changed */
export function sufficiency(previous: NodeCondition | undefined, facts: SufficiencyFacts, now: number): NodeCondition {
  if (isShort(facts)) return insufficient(previous, facts, now)
  if (previous?.status === 'True') return previous
  if (previous !== undefined && !isOver(previous, facts, now)) return previous
  return { type: 'SufficientIP', status: 'True', reason: 'SufficientIP', message: ENOUGH, since: now, seen: now }
}

/** When to look again although nothing happens, ms since the epoch. */
export function nextLook({ status, seen }: NodeCondition): number | undefined {
  return status === 'True' ? undefined : seen + HOLD
}

function isShort({ waiting, turnedAway, free, shortages }: SufficiencyFacts): boolean {
  return turnedAway > 0 || (waiting > 0 && free === 0 && shortages.length > 0)
}

/**
 * That nothing is refused any more does not end it: the pause after a refusal is over some time, and nothing has come. A
 * clock that was set back ends the hold.
 */
function isOver({ seen }: NodeCondition, { free, grown }: SufficiencyFacts, now: number): boolean {
  const isHeld = now >= seen && now - seen < HOLD
  return !isHeld && (free > 0 || grown)
}

function insufficient(previous: NodeCondition | undefined, facts: SufficiencyFacts, now: number): NodeCondition {
  const was = previous?.status === 'False' ? previous : undefined
  const texts = facts.shortages.map(shortageText)
  const message = texts.length === 0 ? (was?.message ?? NOT_ENOUGH) : texts.join('; ')
  const since = was?.since ?? now
  return { type: 'SufficientIP', status: 'False', reason: 'InsufficientIP', message, since, seen: now }
}
