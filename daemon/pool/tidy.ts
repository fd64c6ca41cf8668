/** What a clock that was set back, or pods that ended, leave behind in the pool. Pure. */
import type { Change } from './model.ts'
import type { PoolState } from './tables.ts'

export interface TidyQuestion {
  readonly state: PoolState
  /** When an address that is released now may be used again at the latest, ms since the epoch. */
  readonly latest: number
}

/**
 * No address has to wait longer than until `latest`, unless the clock was ahead when it was released. A lost ENI or
 * prefix whose last pod has ended is forgotten.
 */
export function tidyChanges({ state, latest }: TidyQuestion): Change[] {
  const frozen = [...state.cooling.values()].flatMap((address): Change[] =>
    address.phase === 'cooling' && address.until > latest
      ? [{ kind: 'put-address', address: { ...address, until: latest } }]
      : [],
  )
  const deserted = [...state.enis.values()].filter(({ phase, key }) => phase === 'lost' && !hasAddress(state, key))
  const gone = [...state.prefixes.values()].filter(({ phase, eni, cidr }) => {
    return phase === 'lost' && ![...state.addressesOf(eni)].some(({ prefix }) => prefix === cidr)
  })
  return [
    ...frozen,
    ...deserted.map(({ key }): Change => ({ kind: 'drop-eni', key })),
    ...gone.map(({ cidr }): Change => ({ kind: 'drop-prefix', cidr })),
  ]
}

function hasAddress(state: PoolState, key: Parameters<PoolState['addressesOf']>[0]): boolean {
  for (const _ of state.addressesOf(key)) return true
  return false
}
