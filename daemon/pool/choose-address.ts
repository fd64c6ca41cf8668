/** Which free address to give next. Pure. */
import type { AddressRecord, EniKey, PoolState } from './model.ts'

/**
 * From the ENI with the most pods, so that others can become empty and go back; there the one that has been free
 * longest, so that what others still remember of it has aged most.
 */
export function chooseAddress(state: PoolState, ready: { has(key: EniKey): boolean }): AddressRecord | undefined {
  const pods = new Map<EniKey, number>()
  const free: AddressRecord[] = []
  for (const address of state.addresses.values()) {
    if (address.phase === 'owned') pods.set(address.eni, (pods.get(address.eni) ?? 0) + 1)
    if (address.phase === 'warm' && ready.has(address.eni)) free.push(address)
  }
  const podsBeside = (address: AddressRecord) => pods.get(address.eni) ?? 0
  const [first, ...others] = free
  if (first === undefined) return undefined
  return others.reduce((best, one) => {
    const more = podsBeside(one) - podsBeside(best)
    return more > 0 || (more === 0 && one.since < best.since) ? one : best
  }, first)
}
