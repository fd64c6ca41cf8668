/** A journal in memory: what a process has committed, another one finds. */
import type { Change } from '../../daemon/pool/model.ts'
import { type PoolState, PoolTables } from '../../daemon/pool/tables.ts'

export class MemoryJournal {
  readonly #tables = new PoolTables()
  readonly facts = new Map<string, unknown>()
  /** Writes so far. */
  writes = 0

  commitPool(changes: readonly Change[]): void {
    if (changes.length === 0) return
    this.#tables.apply(changes)
    this.writes += 1
  }

  /** As it is written, to be compared with. */
  get state(): PoolState {
    return this.#tables
  }

  loadPool(): PoolTables {
    return PoolTables.of(this.#tables)
  }

  getFact(name: string): unknown {
    return this.facts.get(name)
  }

  putFact(name: string, value: unknown): void {
    this.facts.set(name, value)
  }
}
