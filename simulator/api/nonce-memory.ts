/** Nonces that were used: none may come twice within the time that a date is accepted. */

/** More are not remembered: the oldest are forgotten before their time. */
const CAPACITY = 1_000_000

export class NonceMemory {
  /** Oldest first: a Map keeps the order of insertion. */
  readonly #usedAt = new Map<string, number>()
  readonly #keepFor: number

  /** `keepFor` in milliseconds: twice the tolerance of the clock, since a date may also be in the future. */
  constructor(keepFor: number) {
    this.#keepFor = keepFor
  }

  /** @returns false when it was used before. */
  use(nonce: string, now: number): boolean {
    for (const [old, usedAt] of this.#usedAt) {
      if (usedAt + this.#keepFor > now && this.#usedAt.size < CAPACITY) break
      this.#usedAt.delete(old)
    }
    if (this.#usedAt.has(nonce)) return false
    this.#usedAt.set(nonce, now)
    return true
  }
}
