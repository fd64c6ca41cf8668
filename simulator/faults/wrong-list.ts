/** The ENIs as a call sees them: late, or older than they are. */
import type { Eni } from '../cloud/eni.ts'
import type { StaleList } from './fault.ts'

/** `asOf(lag)`: the ENIs as they were `lag` milliseconds ago. */
export function shownEnis(
  asOf: (lag: number) => readonly Eni[],
  lag: number,
  lists: readonly StaleList[],
): readonly Eni[] {
  return lists.reduce((enis, { by, eni: id }) => {
    const then = asOf(lag + by)
    if (id === undefined) return then
    const old = then.filter((eni) => eni.id === id)
    const others = enis.filter((eni) => eni.id !== id)
    // In the order of creation, which is that of the ids.
    return [...others, ...old].sort((a, b) => (a.id < b.id ? -1 : 1))
  }, asOf(lag))
}
