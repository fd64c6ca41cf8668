/** What changes of the pool mean for those who count: addresses given and given back, and how long ENIs take. Pure. */
import { type Family, familyOf } from '../../../inet/address.ts'
import type { AddressRecord, Change, EniKey, EniRecord } from '../model.ts'
import type { PoolState } from '../tables.ts'

/** An address that went to a pod, or from the pool for good. */
export interface Movement {
  readonly kind: 'given' | 'disposed'
  readonly family: Family
  readonly role: EniRecord['role']
}

/**
 * Ghosts that end have left the pool before.
 * @param before what the changes have not been applied to yet
 */
export function movementsOf(changes: readonly Change[], before: PoolState): Movement[] {
  return changes.flatMap((change): Movement[] => {
    switch (change.kind) {
      case 'put-address':
        return isGiven(before.addresses.get(change.address.ip), change.address)
          ? [movement('given', change.address, before)]
          : []
      case 'drop-address':
        return disposed([before.addresses.get(change.ip)], before)
      case 'drop-eni':
        return disposed([...before.addressesOf(change.key)], before)
      default:
        return []
    }
  })
}

/** One that a pod is found to have when the pool begins to know it was not given now. */
function isGiven(before: AddressRecord | undefined, after: AddressRecord): boolean {
  return before !== undefined && before.phase !== 'owned' && after.phase === 'owned'
}

function disposed(addresses: readonly (AddressRecord | undefined)[], before: PoolState): Movement[] {
  return addresses.flatMap((address) => {
    const isGhost = address?.phase === 'owned'
    return address === undefined || isGhost ? [] : [movement('disposed', address, before)]
  })
}

function movement(kind: Movement['kind'], { ip, eni }: AddressRecord, before: PoolState): Movement {
  return { kind, family: familyOf(ip), role: before.enis.get(eni)?.role ?? 'shared' }
}

/** How long ENIs take from the intent to the first use. */
export class EniCreations {
  readonly #begun = new Map<EniKey, number>()

  /** @returns of those that are in use now, ms */
  note(changes: readonly Change[]): number[] {
    return changes.flatMap((change) => {
      if (change.kind === 'drop-eni') this.#begun.delete(change.key)
      return change.kind === 'put-eni' ? this.#noteEni(change.eni) : []
    })
  }

  #noteEni({ key, phase, since }: EniRecord): number[] {
    if (phase === 'creating') this.#begun.set(key, since)
    const begun = this.#begun.get(key)
    if (begun === undefined || phase === 'creating' || phase === 'attaching') return []
    this.#begun.delete(key)
    // A clock that was set back meanwhile: nobody knows.
    return phase === 'in-use' && since >= begun ? [since - begun] : []
  }
}
