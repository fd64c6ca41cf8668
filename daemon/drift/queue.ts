/** Whose plans are to be looked at: first those of which the kernel told something, then those whose turn it is. */
import { type Extent, widest } from './extent.ts'
import type { PlanOwner } from './places.ts'

export interface Check {
  readonly owner: PlanOwner
  readonly extent: Extent
  /** Of the node or an ENI, on which pods depend. */
  readonly shared: boolean
  /** When it became due, ms on the clock of the calls; of a regular look: undefined. */
  readonly since: number | undefined
}

/** Plans that are compared with one reading of the host: what comes meanwhile waits, and is not seen in that reading. */
const BATCH = 64

export class Queue {
  readonly #urgent = new Map<PlanOwner, Check>()
  readonly #regular = new Set<PlanOwner>()

  /** The first reason counts for the time. */
  addUrgent(check: Check): void {
    const known = this.#urgent.get(check.owner)
    const merged = known === undefined ? check : { ...known, extent: widest(known.extent, check.extent) }
    this.#urgent.set(check.owner, merged)
  }

  /** A look of the extent is about to be made. */
  satisfy({ owner, extent }: Check): void {
    const waiting = this.#urgent.get(owner)
    if (waiting !== undefined && widest(waiting.extent, extent) === extent) this.#urgent.delete(owner)
  }

  addRegular(owners: Iterable<PlanOwner>): void {
    for (const owner of owners) this.#regular.add(owner)
  }

  delete(owner: PlanOwner): void {
    this.#urgent.delete(owner)
    this.#regular.delete(owner)
  }

  /** Those that wait for a time of their own. */
  get urgent(): Iterable<PlanOwner> {
    return this.#urgent.keys()
  }

  /** Takes the next urgent ones out, as far as they may be looked at. Marks cost so little that they are all taken. */
  takeUrgent(mayBe: (owner: PlanOwner) => boolean): Check[] {
    const due = [...this.#urgent.values()].filter(({ owner }) => mayBe(owner))
    const marks = due.filter(({ extent }) => extent === 'marks')
    const sharedFirst = [...due.filter(({ shared }) => shared), ...due.filter(({ shared }) => !shared)]
    const batch = marks.length > 0 ? marks : sharedFirst.slice(0, BATCH)
    for (const { owner } of batch) this.#urgent.delete(owner)
    return batch
  }

  /** Takes the next regular ones out. One that may not be looked at now is left out until the next time. */
  takeRegular(mayBe: (owner: PlanOwner) => boolean): Check[] {
    const batch: Check[] = []
    for (const owner of this.#regular) {
      if (batch.length === BATCH) break
      this.#regular.delete(owner)
      if (mayBe(owner)) batch.push({ owner, extent: 'whole', shared: false, since: undefined })
    }
    return batch
  }
}
