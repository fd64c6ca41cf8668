/** One at a time for each key, in the order of arrival. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** True while a task of the key runs or waits. */
  isHeld(key: string): boolean {
    return this.#tails.has(key)
  }

  /** Runs the task when every earlier one of the key has ended, however it ended. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve()
    const turn = before.then(task, task)
    const tail = turn.catch(() => undefined)
    this.#tails.set(key, tail)
    try {
      return await turn
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
  }
}
