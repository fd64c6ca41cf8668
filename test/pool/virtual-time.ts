/**
 * Time that passes as fast as there is nothing to do: from one timer straight to the next.
 *
 * After each timer all that follows from it at that moment is done before time goes on: promises are settled in
 * microtasks, which are over when an immediate of Node runs. It holds for code whose only way to wait is a clock of this
 * time. Nothing else is random here, so the same run is the same again.
 */
import { setImmediate } from 'node:timers/promises'
import type { PoolClock } from '../../daemon/pool/clock.ts'
import { Timers } from './timers.ts'

/** Noon of 2024-08-30 in UTC. */
const START = Date.UTC(2024, 7, 30, 12)

/** The machine's clock, and the driver of the time. */
export class VirtualTime implements PoolClock {
  readonly #timers = new Timers()
  #elapsed = 0
  /** How far the machine's clock has been set, ms. */
  #set = 0
  #isRunning = false

  /** Of the machine: `jump` sets it. */
  now(): number {
    return this.steady() + this.#set
  }

  /** Milliseconds since the epoch on a clock that nobody sets: the region's. */
  steady(): number {
    return START + this.#elapsed
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((wake) => this.after(milliseconds, wake), signal)
  }

  after(milliseconds: number, callback: () => void): () => void {
    return this.schedule(milliseconds, callback, () => true)
  }

  /**
   * As `after`, for a callback that may be over before it is due. Times are whole, rounded up: a sleep never ends early.
   * @throws RangeError when it would never be due
   */
  schedule(milliseconds: number, callback: () => void, isWanted: () => boolean): () => void {
    if (!Number.isFinite(milliseconds)) throw new RangeError(`a timer of ${milliseconds} ms`)
    let isPending = true
    const at = this.#elapsed + Math.ceil(Math.max(0, milliseconds))
    this.#timers.add({ at, fire: callback, isWanted: () => isPending && isWanted() })
    return () => {
      isPending = false
    }
  }

  /** The machine's clock is set forth, or back; sleeps and timers do not notice. */
  jump(milliseconds: number): void {
    this.#set += Math.trunc(milliseconds)
  }

  /** A program that runs on the machine and can be killed. */
  process(): VirtualProcess {
    return new VirtualProcess(this)
  }

  /** Lets so much time pass. @throws what a callback throws */
  async run(milliseconds: number): Promise<void> {
    await this.runUntil(() => false, milliseconds)
  }

  /**
   * Lets time pass until the condition holds, which is looked at after everything that has happened at a moment because
   * of one timer. @param limit ms @returns whether it holds; if not, all of the limit has passed
   */
  async runUntil(condition: () => boolean, limit: number): Promise<boolean> {
    if (this.#isRunning) throw new Error('time is running already')
    this.#isRunning = true
    try {
      const end = this.#elapsed + limit
      await setImmediate()
      while (!condition()) {
        if (await this.#step(end)) continue
        this.#elapsed = end
        return false
      }
      return true
    } finally {
      this.#isRunning = false
    }
  }

  /** Fires the next timer, however late it is due. @returns false when there is none */
  async step(): Promise<boolean> {
    await setImmediate()
    return await this.#step(Number.POSITIVE_INFINITY)
  }

  /** The outcome of the work. @param limit ms @throws Error when it is not done in time */
  async complete<T>(work: Promise<T>, limit: number): Promise<T> {
    let isDone = false
    const done = () => {
      isDone = true
    }
    work.then(done, done)
    if (await this.runUntil(() => isDone, limit)) return await work
    throw new Error(`not done within ${limit} ms`)
  }

  /** @returns false when no timer is due by then */
  async #step(end: number): Promise<boolean> {
    const { nextAt } = this.#timers
    if (nextAt === undefined || nextAt > end) return false
    this.#elapsed = Math.max(this.#elapsed, nextAt)
    this.#timers.takeDue(nextAt)?.fire()
    await setImmediate()
    return true
  }
}

/**
 * A program's view of the time. Killed, it waits for ever: its timers and sleeps are gone, and it hears no answer. What
 * it was doing at the very moment goes on to its next wait; so kill it from a timer or between two runs, when it is
 * waiting, or see to it that `alive` is asked by whatever it may touch.
 */
export class VirtualProcess implements PoolClock {
  readonly #time: VirtualTime
  #alive = true

  constructor(time: VirtualTime) {
    this.#time = time
  }

  get alive(): boolean {
    return this.#alive
  }

  kill(): void {
    this.#alive = false
  }

  now(): number {
    return this.#time.now()
  }

  after(milliseconds: number, callback: () => void): () => void {
    return this.#time.schedule(milliseconds, callback, () => this.#alive)
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return this.hear(sleepOn((wake) => this.after(milliseconds, wake), signal))
  }

  /** Settles as the answer does, unless the process is dead by then. */
  hear<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      answer.then(
        (value) => {
          if (this.#alive) resolve(value)
        },
        (error: unknown) => {
          if (this.#alive) reject(error)
        },
      )
    })
  }
}

/** @param set sets the timer and returns what cancels it */
function sleepOn(set: (wake: () => void) => () => void, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const abort = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = set(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
  })
}
