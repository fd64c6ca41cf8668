/** What must not be tried again yet, and why the last try failed. */

/** First pause after a failure and the longest, ms; full jitter keeps nodes apart. */
const FIRST = 1_000
const LONGEST = 60_000

export interface Failure {
  /** What the try was rejected with. */
  readonly error: unknown
  /** The same in words for the operator. */
  readonly problem: string
  /** The next try may well succeed. */
  readonly passing: boolean
}

interface Entry extends Failure {
  readonly failures: number
  readonly until: number
}

export interface BackoffOptions {
  /** ms since the epoch */
  readonly now: () => number
  /** From 0 up to 1. */
  readonly random: () => number
}

export class Backoff<Key> {
  readonly #entries = new Map<Key, Entry>()
  readonly #options: BackoffOptions

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  failed(key: Key, failure: Failure): void {
    const { now, random } = this.#options
    const failures = this.failures(key) + 1
    const ceiling = Math.min(LONGEST, FIRST * 2 ** (failures - 1))
    this.#entries.set(key, { ...failure, failures, until: now() + ceiling * (0.5 + random() / 2) })
  }

  succeeded(key: Key): void {
    this.#entries.delete(key)
  }

  /** A clock that was set back prolongs no pause beyond the longest there is. */
  blocks(key: Key): boolean {
    const left = (this.#entries.get(key)?.until ?? 0) - this.#options.now()
    return left > 0 && left <= LONGEST
  }

  /** Those that must wait. */
  get blocked(): Key[] {
    return [...this.#entries.keys()].filter((key) => this.blocks(key))
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

  /** The ends of pauses still running, ms since the epoch. */
  get ends(): number[] {
    return [...this.#entries].flatMap(([key, { until }]) => (this.blocks(key) ? [until] : []))
  }

  /** What failed last and has not succeeded since. */
  get current(): readonly (readonly [Key, Failure])[] {
    return [...this.#entries]
  }
}
