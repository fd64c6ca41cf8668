/** For work that comes in crowds: each piece has a turn of the event loop to itself, in the order of arrival. */
import { setImmediate } from 'node:timers/promises'

export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Fulfilled when it is the caller's turn; what comes after it in the same turn is all that the loop waits for. */
  next(): Promise<unknown> {
    this.#last = this.#last.then(() => setImmediate())
    return this.#last
  }
}
