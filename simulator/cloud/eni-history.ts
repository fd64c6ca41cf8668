/** The ENIs there were: what a caller sees whose answers are late. */
import type { EniId } from '../region/ids.ts'
import type { Eni } from './eni.ts'

/** `eni` undefined: it was gone from then on. */
interface Version {
  readonly at: number
  readonly eni: Eni | undefined
}

/** How far back the history goes, ms: more than the ten minutes that answers can be late by. */
export const KEPT = 15 * 60_000

export class EniHistory {
  /** Oldest first. The first one may be older than `KEPT`: it was still true then. */
  readonly #versions = new Map<EniId, readonly Version[]>()
  /** Of ENIs that are gone, oldest first. */
  readonly #gone: { readonly id: EniId; readonly at: number }[] = []

  /** `at` in milliseconds, never less than the one before of the same ENI; -Infinity for what was always there. */
  record(id: EniId, at: number, eni: Eni | undefined): void {
    const versions = this.#versions.get(id) ?? []
    const needed = versions.slice(Math.max(0, indexAt(versions, at - KEPT)))
    this.#versions.set(id, [...needed, { at, eni }])
    if (eni === undefined) this.#gone.push({ id, at })
    for (let first = this.#gone[0]; first !== undefined && first.at < at - KEPT; first = this.#gone[0]) {
      this.#versions.delete(first.id)
      this.#gone.shift()
    }
  }

  /** In the order of creation. */
  at(time: number): readonly Eni[] {
    const enis: Eni[] = []
    for (const versions of this.#versions.values()) {
      const eni = versions[indexAt(versions, time)]?.eni
      if (eni !== undefined) enis.push(eni)
    }
    return enis
  }
}

/** Of the version that was true at the time; -1 when there was none yet. */
function indexAt(versions: readonly Version[], time: number): number {
  return versions.findLastIndex((version) => version.at <= time)
}
