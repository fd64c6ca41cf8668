/** What a clock that was set back, or pods that ended, leave behind in the pool. Pure. */
import { addressesOf, type Change, type PoolState } from './model.ts'

/**
 * `latest` is when an address that is released now may be used again, ms since the epoch: none can have to wait longer,
 * unless the clock was ahead when it was released. A lost ENI whose last pod has ended is forgotten.
 */
export function tidyChanges(state: PoolState, latest: number): Change[] {
  const frozen = [...state.addresses.values()].flatMap((address): Change[] =>
    address.phase === 'cooling' && address.until > latest
      ? [{ kind: 'put-address', address: { ...address, until: latest } }]
      : [],
  )
  const deserted = [...state.enis.values()].filter(
    (eni) => eni.phase === 'lost' && addressesOf(state, eni.key).length === 0,
  )
  return [...frozen, ...deserted.map(({ key }): Change => ({ kind: 'drop-eni', key }))]
}
