/** The ENIs as a call sees them: late, or not as they are. */
import type { Eni } from '../cloud/eni.ts'
import type { WrongList } from './fault.ts'

/** `asOf(lag)`: the ENIs as they were `lag` milliseconds ago. */
export function shownEnis(
  asOf: (lag: number) => readonly Eni[],
  lag: number,
  wrong: readonly WrongList[],
): readonly Eni[] {
  let enis = asOf(lag)
  for (const list of wrong) enis = list.kind === 'stale' ? stale(asOf, lag, { list, enis }) : without(enis, list)
  return enis
}

interface Stale {
  readonly list: Extract<WrongList, { kind: 'stale' }>
  readonly enis: readonly Eni[]
}

function stale(asOf: (lag: number) => readonly Eni[], lag: number, { list, enis }: Stale): readonly Eni[] {
  const then = asOf(lag + list.by)
  if (list.eni === undefined) return then
  const old = then.filter((eni) => eni.id === list.eni)
  const others = enis.filter((eni) => eni.id !== list.eni)
  // In the order of creation, which is that of the ids.
  return [...others, ...old].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function without(enis: readonly Eni[], { eni, pick }: Extract<WrongList, { kind: 'missing' }>): readonly Eni[] {
  const gone = eni ?? enis[Math.floor(pick * enis.length)]?.id
  return enis.filter((one) => one.id !== gone)
}
