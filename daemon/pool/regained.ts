/** An address that was believed lost and that the cloud assigns after all. */
import type { AddressRecord, Change } from './model.ts'

/** The pod that carries it keeps it. */
export function regained(address: AddressRecord & { readonly phase: 'owned' }): Change {
  const { lost: _, ...rest } = address
  return { kind: 'put-address', address: rest }
}
