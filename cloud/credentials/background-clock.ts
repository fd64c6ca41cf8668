/** The machine's clock for what runs beside the work: a pending sleep does not keep the process alive. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../clock.ts'

export const BACKGROUND_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: async (milliseconds, signal) => {
    try {
      await sleep(milliseconds, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) })
    } catch (error) {
      throw signal?.reason ?? error
    }
  },
}
