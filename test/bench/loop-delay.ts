/** How long the event loop kept a timer waiting. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

const RESOLUTION = 1
/** The first tick only begins the count; ms */
const TICKS = 10 * RESOLUTION
/** A day: only there to keep the process alive, which the daemon's own timers do not. */
const NEVER = 86_400_000

export interface Delayed<T> {
  readonly result: T
  /** The longest pause between two ticks that are due each ms, ms. */
  readonly worst: number
}

export async function withLoopDelay<T>(run: () => Promise<T>): Promise<Delayed<T>> {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION })
  const alive = setInterval(() => undefined, NEVER)
  delays.enable()
  await sleep(TICKS)
  delays.reset()
  await sleep(TICKS)
  try {
    const result = await run()
    await sleep(TICKS)
    return { result, worst: delays.max / 1_000_000 }
  } finally {
    delays.disable()
    clearInterval(alive)
  }
}
