/** Time as the cloud client sees it: handed in, so that tests can hold it still or let it run. */
import { setTimeout as timer } from 'node:timers/promises'

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

/** For what runs beside the work: a pending sleep does not keep the process alive. */
export const BACKGROUND_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, signal, false),
}

/** A clock that runs `rate` times as fast as the machine's, for tests against a simulator that does the same. */
export function fastClock(rate: number): Clock {
  const epoch = Date.now()
  return {
    now: () => epoch + (Date.now() - epoch) * rate,
    sleep: (milliseconds, signal) => sleep(milliseconds / rate, signal, true),
  }
}

/** A timer takes a 32-bit number of ms; what is longer would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** @param ref whether it keeps the process alive */
async function sleep(milliseconds: number, signal: AbortSignal | undefined, ref: boolean): Promise<void> {
  try {
    await timer(Math.min(milliseconds, LONGEST_TIMER), undefined, { ref, ...(signal === undefined ? {} : { signal }) })
  } catch (error) {
    // Node's own error in place of the signal's reason.
    throw signal?.aborted ? signal.reason : error
  }
}
