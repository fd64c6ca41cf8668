/**
 * The budget of calls to the cloud, shared by all of a process that call it: how often, and who first. The API counts
 * by account, region and action, so every action has a line of its own.
 */
import { type Clock, REAL_CLOCK } from '../clock.ts'
import { ActionQueue, type Permit, type QueueState } from './action-queue.ts'
import { actionLimits, type RateLimitConf } from './limits.ts'
import type { LivePriority } from './priority.ts'

export interface BudgetOptions {
  /** The defaults are those of limits.ts. */
  readonly conf?: RateLimitConf
  readonly clock?: Clock
  /** From 0 up to 1; keeps the nodes of an account apart after a throttled answer. */
  readonly random?: () => number
}

export interface AcquireOptions {
  readonly priority: LivePriority
  readonly signal?: AbortSignal
}

export interface ActionBudget extends QueueState {
  readonly action: string
}

export class Budget {
  readonly #queues = new Map<string, ActionQueue>()
  readonly #open: (action: string) => ActionQueue

  /** @throws RangeError for a configured number that is not above 0 */
  constructor({ conf, clock = REAL_CLOCK, random = Math.random }: BudgetOptions = {}) {
    const limitOf = actionLimits(conf)
    this.#open = (action) => new ActionQueue({ limit: limitOf(action), clock, random })
  }

  /** Resolves when the call may be made; a repeated call needs a permit of its own. @throws the signal's reason */
  acquire(action: string, { priority, signal }: AcquireOptions): Promise<Permit> {
    const queue = this.#queues.get(action) ?? this.#open(action)
    this.#queues.set(action, queue)
    return queue.acquire(priority, signal)
  }

  /** Every action that has been called, as it stands now. */
  snapshot(): ActionBudget[] {
    return [...this.#queues].map(([action, queue]) => ({ action, ...queue.state }))
  }
}
