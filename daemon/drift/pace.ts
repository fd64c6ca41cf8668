/**
 * How soon an owner's plan may be looked at again: at once as a rule, later when a repair has failed, and now and then
 * while another program keeps undoing the repairs.
 */
import type { Difference } from '../../netlink/plan.ts'
import type { PlanOwner } from './places.ts'

/** First pause after a failed repair and the longest, ms; each is twice the one before. */
const FIRST = 1_000
const LONGEST = 60_000
/** An object that is repaired more often than this within the period is fought over. */
const FIGHT = 10
const PERIOD = 60_000
/** Between two repairs in a fight, ms. */
const FIGHT_PAUSE = 5_000

interface Record {
  failures: number
  /** ms, on the clock of the calls */
  notBefore: number
  /** When each object was repaired last, as far as within the period; one more than a fight takes. */
  readonly repairs: Map<string, number[]>
  /** When the fight was reported last. */
  toldAt?: number
}

/** All times are ms on one clock that is never set. */
export class Pace {
  readonly #records = new Map<PlanOwner, Record>()

  /** When the owner may be looked at; the past for one that never gave trouble. */
  notBefore(owner: PlanOwner): number {
    return this.#records.get(owner)?.notBefore ?? Number.NEGATIVE_INFINITY
  }

  /** @returns the pause that follows, ms */
  failed(owner: PlanOwner, now: number): number {
    const record = this.#record(owner)
    const pause = Math.min(LONGEST, FIRST * 2 ** record.failures)
    record.failures++
    record.notBefore = now + pause
    return pause
  }

  /** The plan was found to hold: without a repair that is no reason to forget a fight. */
  held(owner: PlanOwner): void {
    const record = this.#records.get(owner)
    if (record !== undefined) record.failures = 0
  }

  /** @returns the objects that are fought over, when it is time to say so, once a minute; else none */
  repaired(owner: PlanOwner, differences: readonly Difference[], now: number): readonly Difference[] {
    const record = this.#record(owner)
    record.failures = 0
    forgetOld(record.repairs, now)
    const fought = differences.filter((difference) => countRepair(record.repairs, keyOf(difference), now) > FIGHT)
    if (fought.length === 0) return []
    record.notBefore = now + FIGHT_PAUSE
    if (record.toldAt !== undefined && now - record.toldAt < PERIOD) return []
    record.toldAt = now
    return fought
  }

  forget(owner: PlanOwner): void {
    this.#records.delete(owner)
  }

  #record(owner: PlanOwner): Record {
    const known = this.#records.get(owner)
    if (known !== undefined) return known
    const record = { failures: 0, notBefore: Number.NEGATIVE_INFINITY, repairs: new Map() }
    this.#records.set(owner, record)
    return record
  }
}

const keyOf = ({ netns, object, subject }: Difference): string => `${netns} ${object} ${subject}`

function forgetOld(repairs: Map<string, number[]>, now: number): void {
  for (const [key, times] of repairs) {
    const recent = times.filter((at) => now - at < PERIOD)
    if (recent.length === 0) repairs.delete(key)
    else repairs.set(key, recent)
  }
}

/** @returns how often it has been repaired within the period, at most one more than a fight takes */
function countRepair(repairs: Map<string, number[]>, key: string, now: number): number {
  const times = [...(repairs.get(key) ?? []), now].slice(-(FIGHT + 1))
  repairs.set(key, times)
  return times.length
}
