/** Who goes first when calls of one action wait for their turn. */

/** Highest first: a pod waits for it; it fills the pool; it gives back what costs money. */
export const PRIORITIES = ['pod', 'prewarm', 'clean-up'] as const
export type Priority = (typeof PRIORITIES)[number]

/** A function is asked each time somebody is called up, for what waits may become urgent. It must not throw. */
export type LivePriority = Priority | (() => Priority)

export function priorityNow(priority: LivePriority): Priority {
  return typeof priority === 'function' ? priority() : priority
}
