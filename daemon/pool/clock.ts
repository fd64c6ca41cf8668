/** Time as the pool sees it, handed in: the same pool runs on the machine's clock and on one that tests wind on. */
import { type Clock, REAL_CLOCK } from '../../cloud/clock.ts'

export interface PoolClock extends Clock {
  /**
   * Calls back once after so many ms; 0 means after everything that happens at this moment. The pending call does not
   * keep the process alive. @returns cancels it
   */
  after(milliseconds: number, callback: () => void): () => void
}

/** What timers of Node can hold, ms: longer ones would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

export const REAL_POOL_CLOCK: PoolClock = poolClock(REAL_CLOCK)

/** @param rate how many times as fast as the machine's the clock runs */
export function poolClock(clock: Clock, rate = 1): PoolClock {
  return {
    now: () => clock.now(),
    sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal),
    after: (milliseconds, callback) => {
      if (milliseconds <= 0) {
        const immediate = setImmediate(callback)
        return () => clearImmediate(immediate)
      }
      const timer = setTimeout(callback, Math.min(milliseconds / rate, LONGEST_TIMER))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
