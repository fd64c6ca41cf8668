/**
 * Waits for the end of what comes in bursts: `ip rule flush` is a notification for each rule. Ends when nothing has come
 * for a moment, and under a storm after a while all the same.
 */

/** ms */
const QUIET = 50
const LONGEST = 200

export interface DriftClock {
  /** ms, on a clock that is never set. */
  steady(): number
  /** Calls back once after so many ms, 0: after what the event loop has to do now. @returns cancels it */
  after(milliseconds: number, callback: () => void): () => void
}

export class Gathering {
  readonly #clock: DriftClock
  readonly #done: () => void
  #first = 0
  #last = 0
  #cancel: (() => void) | undefined

  constructor(clock: DriftClock, done: () => void) {
    this.#clock = clock
    this.#done = done
  }

  get isOpen(): boolean {
    return this.#cancel !== undefined
  }

  note(): void {
    this.#last = this.#clock.steady()
    if (this.isOpen) return
    this.#first = this.#last
    this.#wait(QUIET)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** One timer at a time: a storm sets no timer for each event. */
  #wait(milliseconds: number): void {
    this.#cancel = this.#clock.after(milliseconds, () => {
      const left = Math.min(this.#last + QUIET, this.#first + LONGEST) - this.#clock.steady()
      if (left > 0) return this.#wait(left)
      this.#cancel = undefined
      this.#done()
    })
  }
}
