/** Time that passes when a test says so. */
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../cloud/clock.ts'

interface Sleeper {
  /** On the clock that is never set, ms. */
  readonly at: number
  readonly wake: () => void
}

/** Starts at noon of 2024-08-30 in UTC. */
export class ManualClock implements Clock {
  #elapsed = 0
  #set = Date.UTC(2024, 7, 30, 12)
  readonly #sleepers = new Set<Sleeper>()

  now(): number {
    return this.#set + this.#elapsed
  }

  /** Times until the pending sleeps end, ms, ascending. */
  get pending(): number[] {
    return [...this.#sleepers].map(({ at }) => at - this.#elapsed).sort((a, b) => a - b)
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper = { at: this.#elapsed + milliseconds, wake: resolve }
    this.#sleepers.add(sleeper)
    signal?.addEventListener('abort', () => {
      this.#sleepers.delete(sleeper)
      reject(signal.reason)
    })
    return promise
  }

  /** The machine's clock is set; sleeps do not notice. */
  jump(milliseconds: number): void {
    this.#set += milliseconds
  }

  /** Wakes one sleeper after the other and lets each do what it does before time goes on. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#elapsed + milliseconds
    await setImmediate()
    for (;;) {
      const [next] = [...this.#sleepers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (next === undefined) break
      this.#elapsed = next.at
      this.#sleepers.delete(next)
      next.wake()
      await setImmediate()
    }
    this.#elapsed = end
  }
}

/** Sleeps are over at once, and noted. */
export class HastyClock implements Clock {
  readonly slept: number[] = []
  #now = Date.UTC(2024, 7, 30, 12)

  now(): number {
    return this.#now
  }

  async sleep(milliseconds: number): Promise<void> {
    this.slept.push(milliseconds)
    this.#now += milliseconds
  }
}
