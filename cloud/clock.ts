/** Time as the cloud client sees it: handed in, so that tests can hold it still or let it run. */

export interface Clock {
  /** Milliseconds since the epoch. May jump when the machine's clock is set. */
  now(): number
  /**
   * Resolves after so many milliseconds, at most 24 days, whatever happens to the machine's clock meanwhile.
   * @throws the signal's reason, at once when it aborts; then nothing is left that keeps the process alive.
   */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

export const REAL_CLOCK: Clock = fastClock(1)

/** A clock that runs `rate` times as fast as the machine's, for tests against a simulator that does the same. */
export function fastClock(rate: number): Clock {
  const epoch = Date.now()
  return {
    now: () => epoch + (Date.now() - epoch) * rate,
    sleep: (milliseconds, signal) => sleep(milliseconds / rate, signal),
  }
}

/** `setTimeout` takes a 32-bit number of ms; what is longer would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      },
      Math.min(milliseconds, LONGEST_TIMER),
    )
    signal?.addEventListener('abort', abort, { once: true })
  })
}
