/** Which records must not be tried again yet, and why the last try failed. */

/** First pause after a failure and the longest, ms; full jitter keeps nodes apart. */
const FIRST = 1_000
const LONGEST = 60_000

interface Entry {
  readonly failures: number
  readonly until: number
  readonly problem: string
}

export class Backoff<Key> {
  readonly #entries = new Map<Key, Entry>()
  readonly #now: () => number
  readonly #random: () => number

  constructor(now: () => number, random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  failed(key: Key, problem: string): void {
    const failures = (this.#entries.get(key)?.failures ?? 0) + 1
    const ceiling = Math.min(LONGEST, FIRST * 2 ** (failures - 1))
    this.#entries.set(key, { failures, problem, until: this.#now() + ceiling * (0.5 + this.#random() / 2) })
  }

  succeeded(key: Key): void {
    this.#entries.delete(key)
  }

  /** Forgets what is not in the map any more. */
  keepOnly(keys: { has(key: Key): boolean }): void {
    for (const key of this.#entries.keys()) if (!keys.has(key)) this.#entries.delete(key)
  }

  blocks(key: Key): boolean {
    return (this.#entries.get(key)?.until ?? 0) > this.#now()
  }

  /** Failures in a row. */
  failures(key: Key): number {
    return this.#entries.get(key)?.failures ?? 0
  }

  /** The earliest end of a pause still running, ms since the epoch. */
  get nextEnd(): number | undefined {
    const ends = [...this.#entries.values()].map((entry) => entry.until).filter((until) => until > this.#now())
    return ends.length > 0 ? Math.min(...ends) : undefined
  }

  get problems(): string[] {
    return [...this.#entries.values()].map((entry) => entry.problem)
  }
}
