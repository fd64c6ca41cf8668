/** Which records must not be tried again yet, and why the last try failed. */

/** First pause after a failure and the longest, ms; full jitter keeps nodes apart. */
const FIRST = 1_000
const LONGEST = 60_000

export interface Failure {
  /** In words for the operator. */
  readonly problem: string
  /** The next try may well succeed. */
  readonly passing: boolean
}

interface Entry extends Failure {
  readonly failures: number
  readonly until: number
}

export class Backoff<Key> {
  readonly #entries = new Map<Key, Entry>()
  readonly #now: () => number
  readonly #random: () => number

  constructor(now: () => number, random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  failed(key: Key, failure: Failure): void {
    const failures = (this.#entries.get(key)?.failures ?? 0) + 1
    const ceiling = Math.min(LONGEST, FIRST * 2 ** (failures - 1))
    this.#entries.set(key, { ...failure, failures, until: this.#now() + ceiling * (0.5 + this.#random() / 2) })
  }

  succeeded(key: Key): void {
    this.#entries.delete(key)
  }

  /** Forgets what is not in the map any more. */
  keepOnly(keys: { has(key: Key): boolean }): void {
    for (const key of this.#entries.keys()) if (!keys.has(key)) this.#entries.delete(key)
  }

  /** A clock that was set back prolongs no pause beyond the longest there is. */
  blocks(key: Key): boolean {
    const left = (this.#entries.get(key)?.until ?? 0) - this.#now()
    return left > 0 && left <= LONGEST
  }

  /** It fails for a reason that may pass, and has not done so more than so often in a row. */
  isStumbling(key: Key, limit: number): boolean {
    const entry = this.#entries.get(key)
    return entry?.passing === true && entry.failures <= limit && this.blocks(key)
  }

  /** Failures in a row. */
  failures(key: Key): number {
    return this.#entries.get(key)?.failures ?? 0
  }

  /** The earliest end of a pause still running, ms since the epoch. */
  get nextEnd(): number | undefined {
    const ends = [...this.#entries].flatMap(([key, { until }]) => (this.blocks(key) ? [until] : []))
    return ends.length > 0 ? Math.min(...ends) : undefined
  }

  get problems(): string[] {
    return [...this.#entries.values()].map((entry) => entry.problem)
  }
}
