/** Transitions that happen by themselves, in the order of their time. */

interface Entry {
  readonly at: number
  readonly run: () => void
}

export class Schedule {
  readonly #entries: Entry[] = []

  /** `at` in milliseconds; entries of the same time run in the order they were added. */
  add(at: number, run: () => void): void {
    const index = this.#entries.findIndex((entry) => entry.at > at)
    this.#entries.splice(index < 0 ? this.#entries.length : index, 0, { at, run })
  }

  /** When the next entry is due; undefined when there is none. */
  get nextDue(): number | undefined {
    return this.#entries[0]?.at
  }

  /** The earliest entry that is due, taken out. */
  takeDue(now: number): Entry | undefined {
    const first = this.#entries[0]
    return first !== undefined && first.at <= now ? this.#entries.shift() : undefined
  }
}
