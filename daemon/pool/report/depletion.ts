/** Whether to tell that few addresses are free: once for each time they become few. Pure. */

export interface Stock {
  /** Since when there have been more than a few, ms since the epoch; undefined while there have not. */
  readonly ampleSince: number | undefined
  /** They became few before. */
  readonly told: boolean
}

export const NEW_STOCK: Stock = { ampleSince: undefined, told: false }

/** For so long there must have been more before it is told again, ms: nobody gains by one for each pod. */
const HOLD = 30_000

/**
 * A pool that begins with few has not come down to them.
 * @param few free addresses at most
 * @returns the stock from now on, and whether it has just become so low
 */
export function depletion(before: Stock, { free, few, now }: { free: number; few: number; now: number }) {
  const { ampleSince, told } = before
  if (free > few) return { stock: { ampleSince: ampleSince ?? now, told }, crossed: false }
  const crossed = ampleSince !== undefined && (!told || !isRecent(ampleSince, now))
  return { stock: { ampleSince: undefined, told: told || crossed }, crossed }
}

/** Nothing is once the clock has been set back. */
function isRecent(since: number, now: number): boolean {
  return now >= since && now - since < HOLD
}
