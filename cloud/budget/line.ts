/** The line in front of one action: the highest priority first, in the order of arrival within one. */
import { PRIORITIES, type Priority } from './priority.ts'

/**
 * Who has waited this long, ms, moves up by one priority: prewarming then stands with the pods, clean-up does after
 * twice the time. So clean-up, without which ENIs are paid for that nobody uses, gets its turn under any load, and
 * within the minute that a call has.
 */
export const AGEING = 20_000

export interface Waiter {
  readonly priority: Priority
  /** When it joined, ms. */
  readonly since: number
}

export class Line<W extends Waiter> {
  /** A set keeps the order of arrival and lets one leave from the middle. */
  readonly #waiting: Readonly<Record<Priority, Set<W>>> = { pod: new Set(), prewarm: new Set(), 'clean-up': new Set() }

  get size(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.#waiting[priority].size, 0)
  }

  get counts(): Record<Priority, number> {
    const { pod, prewarm, 'clean-up': cleanUp } = this.#waiting
    return { pod: pod.size, prewarm: prewarm.size, 'clean-up': cleanUp.size }
  }

  join(waiter: W): void {
    this.#waiting[waiter.priority].add(waiter)
  }

  leave(waiter: W): void {
    this.#waiting[waiter.priority].delete(waiter)
  }

  /** Takes out whose turn it is. The first of a priority has waited longest in it, so only the firsts compete. */
  next(now: number): W | undefined {
    let best: W | undefined
    for (const priority of PRIORITIES) {
      const [first] = this.#waiting[priority]
      if (first !== undefined && (best === undefined || goesBefore(first, best, now))) best = first
    }
    if (best !== undefined) this.leave(best)
    return best
  }
}

function goesBefore(one: Waiter, other: Waiter, now: number): boolean {
  const [rank, otherRank] = [agedRank(one, now), agedRank(other, now)]
  return rank < otherRank || (rank === otherRank && one.since < other.since)
}

/** 0 goes first. */
function agedRank({ priority, since }: Waiter, now: number): number {
  const steps = Math.floor(Math.max(0, now - since) / AGEING)
  return Math.max(0, PRIORITIES.indexOf(priority) - steps)
}
