/** The line in front of one action: the highest priority first, in the order of arrival within one. */
import { type LivePriority, PRIORITIES, type Priority, priorityNow } from './priority.ts'

/**
 * Who has waited this long, ms, moves up by one priority: prewarming then stands with the pods, clean-up does after
 * twice the time. So clean-up, without which ENIs are paid for that nobody uses, gets its turn under any load, and
 * within the minute that a call has.
 */
export const AGEING = 20_000

export interface Waiter {
  readonly priority: LivePriority
  /** When it joined, ms. */
  readonly since: number
}

export class Line<W extends Waiter> {
  /** In the order of arrival; a set lets one leave from the middle. */
  readonly #waiting = new Set<W>()

  get size(): number {
    return this.#waiting.size
  }

  get counts(): Record<Priority, number> {
    const counts = { pod: 0, prewarm: 0, 'clean-up': 0 }
    for (const { priority } of this.#waiting) counts[priorityNow(priority)]++
    return counts
  }

  join(waiter: W): void {
    this.#waiting.add(waiter)
  }

  leave(waiter: W): void {
    this.#waiting.delete(waiter)
  }

  /** Takes out whose turn it is. All are looked at, since priorities change while they wait. */
  next(now: number): W | undefined {
    let best: W | undefined
    let bestRank = Number.POSITIVE_INFINITY
    for (const waiter of this.#waiting) {
      const rank = agedRank(waiter, now)
      if (rank < bestRank) [best, bestRank] = [waiter, rank]
    }
    if (best !== undefined) this.leave(best)
    return best
  }
}

/** 0 goes first. */
function agedRank({ priority, since }: Waiter, now: number): number {
  const steps = Math.floor(Math.max(0, now - since) / AGEING)
  return Math.max(0, PRIORITIES.indexOf(priorityNow(priority)) - steps)
}
