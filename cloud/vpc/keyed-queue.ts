/** Tasks of the same key run one at a time, in the order of arrival. */
export class KeyedQueue<Key> {
  readonly #tails = new Map<Key, Promise<unknown>>()

  /** @throws what the task throws; the signal's reason, at once, when it aborts before the task's turn has come. */
  async run<T>(key: Key, task: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted()
    const before = this.#tails.get(key) ?? Promise.resolve()
    const turn = before.then(() => {
      signal?.throwIfAborted()
      return task()
    })
    const tail = turn.catch(() => undefined) // the caller has the error; the next in line only waits for the end
    this.#tails.set(key, tail)
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    })
    await this.#orAborted(before, signal)
    return await turn
  }

  async #orAborted(before: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) return
    const aborted = Promise.withResolvers<never>()
    const abort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await Promise.race([before, aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
}
