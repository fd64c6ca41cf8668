/** Where the time of a CNI call goes. */

/**
 * - `parse`: what came from outside is decoded and checked
 * - `queue`: until it is the pod's turn, its namespace has been looked at, and its older sandboxes are gone
 * - `acquire`: until the pod has its addresses, with what the pool writes down
 * - `plan`: what the kernel is to have is worked out
 * - `journal`: the endpoint is put on record
 * - `kernel`: the plan is carried out, or taken back as far as a DEL waits for it
 * - `result`: the rest
 */
export type Phase = 'parse' | 'queue' | 'acquire' | 'plan' | 'journal' | 'kernel' | 'result'

/** Each moment since it was made belongs to one phase, so the phases add up to the call. */
export class Stopwatch {
  readonly #began = performance.now()
  readonly #phases = new Map<Phase, number>()
  #last = this.#began

  /** What has passed since the last call was of this phase. */
  lap(phase: Phase): void {
    const now = performance.now()
    this.#phases.set(phase, (this.#phases.get(phase) ?? 0) + now - this.#last)
    this.#last = now
  }

  /** ms, of the phases that there were so far. */
  get phases(): ReadonlyMap<Phase, number> {
    return this.#phases
  }

  /** ms, to the last lap. */
  get total(): number {
    return this.#last - this.#began
  }
}
