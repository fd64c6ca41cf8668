/** The calls of one action: who may start one now, and who waits for a token. */
import type { Clock } from '../clock.ts'
import { Line, type Waiter } from './line.ts'
import { closure, FULL_PACE, halved, type Pace, paced, recovered } from './pace.ts'
import { type LivePriority, type Priority, priorityNow } from './priority.ts'
import { closedFor, type Limit, refilled, type TokenBucket, untilToken } from './token-bucket.ts'

/** The right to make one call. Tell it how the call was answered. */
export interface Permit {
  /** Time in line, ms. */
  readonly waited: number
  /** The caller's when it was called up. */
  readonly priority: Priority
  succeeded(): void
  /** @param retryAfter what the answer asked for, ms */
  throttled(retryAfter?: number): void
}

export interface QueueState {
  /** Calls per second at present, and as configured. */
  readonly perSecond: number
  readonly configuredPerSecond: number
  readonly waiting: Readonly<Record<Priority, number>>
}

export interface QueueOptions {
  readonly limit: Limit
  readonly clock: Clock
  readonly random: () => number
}

interface Caller extends Waiter {
  admit(permit: Permit): void
}

export class ActionQueue {
  readonly #limit: Limit
  readonly #clock: Clock
  readonly #random: () => number
  readonly #line = new Line<Caller>()
  #pace: Pace = FULL_PACE
  #bucket: TokenBucket
  /** Ends the sleep until the next token; undefined when none is under way. */
  #sleep: AbortController | undefined

  constructor({ limit, clock, random }: QueueOptions) {
    this.#limit = limit
    this.#clock = clock
    this.#random = random
    this.#bucket = { tokens: limit.burst, countedAt: clock.now() }
  }

  get state(): QueueState {
    const { perSecond } = paced(this.#limit, this.#pace)
    return { perSecond, configuredPerSecond: this.#limit.perSecond, waiting: this.#line.counts }
  }

  /** Resolves when it is the caller's turn. @throws the signal's reason; then no token is taken. */
  acquire(priority: LivePriority, signal?: AbortSignal): Promise<Permit> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const leave = () => {
        this.#line.leave(caller)
        if (this.#line.size === 0) this.#stopSleep()
        reject(signal?.reason)
      }
      const admit = (permit: Permit) => {
        signal?.removeEventListener('abort', leave)
        resolve(permit)
      }
      const caller: Caller = { priority, since: this.#clock.now(), admit }
      signal?.addEventListener('abort', leave, { once: true })
      this.#line.join(caller)
      this.#serve()
    })
  }

  #serve(): void {
    const now = this.#clock.now()
    const limit = paced(this.#limit, this.#pace)
    this.#bucket = refilled(this.#bucket, limit, now)
    while (this.#bucket.tokens >= 1) {
      const caller = this.#line.next(now)
      if (caller === undefined) return
      this.#bucket = { ...this.#bucket, tokens: this.#bucket.tokens - 1 }
      caller.admit(this.#permit({ waited: Math.max(0, now - caller.since), priority: priorityNow(caller.priority) }))
    }
    if (this.#line.size > 0) this.#sleepFor(untilToken(this.#bucket, limit))
  }

  #sleepFor(milliseconds: number): void {
    if (this.#sleep !== undefined) return
    const sleep = new AbortController()
    this.#sleep = sleep
    this.#clock.sleep(milliseconds, sleep.signal).then(
      () => {
        // Stopped when it was over already: another sleep serves those who have come since.
        if (this.#sleep !== sleep) return
        this.#sleep = undefined
        this.#serve()
      },
      // Ended because nobody waits any more.
      () => undefined,
    )
  }

  #stopSleep(): void {
    this.#sleep?.abort()
    this.#sleep = undefined
  }

  #permit(turn: Pick<Permit, 'waited' | 'priority'>): Permit {
    const { era } = this.#pace
    return {
      ...turn,
      succeeded: () => {
        if (era === this.#pace.era) this.#pace = recovered(this.#pace, this.#clock.now())
      },
      throttled: (retryAfter = 0) => {
        // Answers to calls that were under way together count once: they all tell of the same rate.
        if (era === this.#pace.era) this.#slowDown(retryAfter)
      },
    }
  }

  /** What is left in the bucket was promised by a rate that has proved too high. */
  #slowDown(retryAfter: number): void {
    const now = this.#clock.now()
    this.#pace = halved(this.#pace, this.#limit, now)
    const closed = closure(this.#pace, this.#random, retryAfter)
    this.#bucket = closedFor(closed, paced(this.#limit, this.#pace), now)
  }
}
