/** The line of ADDs that wait for an address, first come first served. */

export interface Waiter<Request, T> {
  readonly request: Request
  resolve(value: T): void
  reject(error: Error): void
}

export class Waiters<Request, T> {
  readonly #line: Waiter<Request, T>[] = []

  get length(): number {
    return this.#line.length
  }

  /** The first in line, left where it is. */
  first(): Waiter<Request, T> | undefined {
    return this.#line[0]
  }

  /** Serves the first in line. */
  serve(value: T): void {
    this.#line.shift()?.resolve(value)
  }

  /** Serves those for whom there is something, wherever they stand. */
  serveWhere(find: (request: Request) => T | undefined): void {
    for (const waiter of [...this.#line]) {
      const value = find(waiter.request)
      if (value === undefined) continue
      this.#line.splice(this.#line.indexOf(waiter), 1)
      waiter.resolve(value)
    }
  }

  /** Turns the last `count` in line away, those that may not be left out. @returns their requests */
  turnAway(count: number, error: () => Error, may: (request: Request) => boolean = () => true): Request[] {
    const away = this.#line.filter(({ request }) => may(request)).slice(-count)
    for (const waiter of count > 0 ? away : []) {
      this.#line.splice(this.#line.indexOf(waiter), 1)
      waiter.reject(error())
    }
    return count > 0 ? away.map(({ request }) => request) : []
  }

  /**
   * Waits in line until served, turned away or until the signal aborts; then the place in line is free again.
   * @throws the signal's reason, or the error it was turned away with.
   */
  join(request: Request, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = () => signal.removeEventListener('abort', abort)
      const waiter: Waiter<Request, T> = {
        request,
        resolve: (value) => {
          leave()
          resolve(value)
        },
        reject: (error) => {
          leave()
          reject(error)
        },
      }
      const abort = () => {
        const place = this.#line.indexOf(waiter)
        if (place >= 0) this.#line.splice(place, 1)
        reject(signal.reason)
      }
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#line.push(waiter)
    })
  }
}
