/** How long the event loop kept a timer waiting. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Between two ticks when nothing is in their way, ms. */
const RESOLUTION = 1
/** The first timer of an idle loop comes late; by then it ticks, ms. */
const TICKING = 20

export interface Delayed<T> {
  readonly result: T
  /**
   * The time between any two ticks, ms: what monitorEventLoopDelay of node:perf_hooks counts, but each by itself, so
   * that those of several runs can be taken together, and none from before or after the run.
   */
  readonly delays: readonly number[]
}

/** Keeps the process alive meanwhile, which the daemon's own timers do not. */
export async function withLoopDelay<T>(run: () => Promise<T>): Promise<Delayed<T>> {
  const delays: number[] = []
  let last = performance.now()
  const tick = () => {
    const now = performance.now()
    delays.push(now - last)
    last = now
  }
  const timer = setInterval(tick, RESOLUTION)
  try {
    await sleep(TICKING)
    tick()
    delays.length = 0
    const result = await run()
    // The pause in which it ended: nobody else had a turn yet.
    tick()
    return { result, delays }
  } finally {
    clearInterval(timer)
  }
}
