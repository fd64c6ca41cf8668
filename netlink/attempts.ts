/** Going on after a failure, without losing it. */

/** Runs one thing after the other, whatever becomes of each, and says at the end what went wrong first. */
export class Attempts {
  readonly #failures: unknown[] = []

  run(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#failures.push(error)
    }
  }

  async settle(promises: readonly Promise<void>[]): Promise<void> {
    for (const outcome of await Promise.allSettled(promises)) {
      if (outcome.status === 'rejected') this.#failures.push(outcome.reason)
    }
  }

  rethrow(): void {
    if (this.#failures.length > 0) throw this.#failures[0]
  }
}
