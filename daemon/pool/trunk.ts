/** The trunk ENI of a node, and the members whose frames go through it. Pure. */
import type { EniRecord, KnownEni } from './model.ts'
import type { PoolState } from './tables.ts'

type Enis = Pick<PoolState, 'enis'>

/** Attached. One that is to go when its members have carries them until then. */
export function trunkInUse({ enis }: Enis): KnownEni | undefined {
  for (const eni of enis.values()) {
    if (eni.role === 'trunk' && (eni.phase === 'in-use' || eni.phase === 'draining')) return eni
  }
  return undefined
}

/** Members are on it: the cloud has named the VLAN ids that they have there. */
export function carriesMembers(state: Enis, { role }: Pick<EniRecord, 'role'>): boolean {
  return role === 'trunk' && members(state).some(({ vlanId }) => vlanId !== undefined)
}

/** Members are on it, or may be: an attach that was asked for may have happened, though its answer is not on record. */
export function mayCarryMembers(state: Enis, { role }: Pick<EniRecord, 'role'>): boolean {
  return role === 'trunk' && members(state).length > 0
}

/** The trunk is on its way off the node: nothing can be attached to it, and there is no place for another one yet. */
export function leavingTrunk({ enis }: Enis): EniRecord | undefined {
  for (const eni of enis.values()) {
    if (eni.role === 'trunk' && (eni.phase === 'detaching' || eni.phase === 'deleting')) return eni
  }
  return undefined
}

/** Those that the cloud has, and that are not off the trunk for certain. */
function members({ enis }: Enis): KnownEni[] {
  return [...enis.values()].flatMap((eni) => {
    if (eni.role !== 'member' || eni.phase === 'creating') return []
    return eni.phase === 'deleting' || eni.phase === 'lost' ? [] : [eni]
  })
}
