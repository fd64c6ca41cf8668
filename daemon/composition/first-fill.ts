/** Whether the node has had as many addresses as a new one is to have: once in its life, as long as its journal's. */
import type { Journal } from '../store/journal.ts'

const FACT = 'first-fill'

/** A node with ENIs on record whose journal has never heard of it was filled by an earlier version, and is not new. */
export function firstFillOf(journal: Pick<Journal, 'getFact' | 'putFact' | 'loadPool'>): {
  isDone(): boolean
  done(): void
} {
  const told = journal.getFact(FACT)
  let isDone = told === undefined ? journal.loadPool().enis.size > 0 : told === true
  if (told === undefined) journal.putFact(FACT, isDone)
  return {
    isDone: () => isDone,
    done: () => {
      journal.putFact(FACT, true)
      isDone = true
    },
  }
}
