/** Why no new ENI is asked for at present. */
import { type Shortage, shortageOf } from './report/exhaustion.ts'

/** ms; a clock that was set back prolongs no pause beyond it. */
const LONGEST = 60_000

export class Refusal {
  readonly #now: () => number
  #current: { readonly shortage: Shortage; readonly until: number } | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  /** Undefined when ENIs may be asked for. */
  get shortage(): Shortage | undefined {
    return this.until === undefined ? undefined : this.#current?.shortage
  }

  /** ms since the epoch */
  get until(): number | undefined {
    const left = (this.#current?.until ?? 0) - this.#now()
    return left > 0 && left <= LONGEST ? this.#current?.until : undefined
  }

  /** @param error what a call was rejected with. @param pause ms, a minute at most */
  note(error: unknown, pause: number): void {
    this.noteShortage(shortageOf({ kind: 'refused', error }), pause)
  }

  noteShortage(shortage: Shortage, pause: number): void {
    this.#current = { shortage, until: this.#now() + Math.min(pause, LONGEST) }
  }
}
