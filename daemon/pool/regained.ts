/** An address that was believed lost and that the cloud assigns after all. */
import type { AddressRecord, Change } from './model.ts'

/** The pod that carries it keeps it; where the last one has gone, it cools down as if it had been there all the time. */
export function regained(address: AddressRecord & { readonly phase: 'owned' | 'cooling' }): Change {
  const { lost: _, ...rest } = address
  return { kind: 'put-address', address: rest }
}
