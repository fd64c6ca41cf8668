/** The region's clock: real, or faster, so that an hour of the cloud fits into a test. */

/** Faster than that, a timer's millisecond is longer than most latencies. */
export const MAX_SPEED = 1000

/** Node's timers take a longer time for no time at all, real ms. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Latencies, windows and expirations are read from it. What clients date by their own clock, like signatures and OIDC
 * tokens, is not: that is compared with the wall clock.
 */
export class RegionClock {
  /** How many seconds of the region pass in a real one. */
  readonly speed: number
  /** Milliseconds since the epoch, starting at the wall clock's time; never goes back. */
  readonly now: () => number
  readonly #sleeping = new Map<NodeJS.Timeout, () => void>()
  #stopped = false

  /** `monotonic`: real milliseconds, never going back. */
  constructor(speed = 1, monotonic: () => number = () => performance.now()) {
    this.speed = speed
    const start = monotonic()
    const epoch = Date.now()
    this.now = () => Math.floor(epoch + (monotonic() - start) * speed)
  }

  /** `milliseconds` of the region; shorter when the clock is stopped. */
  readonly sleep = async (milliseconds: number): Promise<void> => {
    let left = milliseconds / this.speed
    while (left > 0 && !this.#stopped) {
      await this.#wait(Math.min(left, LONGEST_TIMER))
      left -= LONGEST_TIMER
    }
  }

  /** Real milliseconds. */
  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#sleeping.delete(timer)
        resolve()
      }, milliseconds)
      this.#sleeping.set(timer, resolve)
    })
  }

  /** Ends every sleep, so that nothing waits for the cloud any more. */
  stop(): void {
    this.#stopped = true
    for (const [timer, wake] of this.#sleeping) {
      clearTimeout(timer)
      wake()
    }
    this.#sleeping.clear()
  }
}
