/** Who goes first when calls of one action wait for their turn. */

/** Highest first: a pod waits for it; it fills the pool; it gives back what costs money. */
export const PRIORITIES = ['pod', 'prewarm', 'clean-up'] as const
export type Priority = (typeof PRIORITIES)[number]
