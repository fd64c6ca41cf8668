/**
 * Which changes of a record there can be. A change that is not here is a fault of this program, and refused before it
 * is recorded: to do nothing is better than to give an address away twice.
 */
import { type AddressRecord, type EniRecord, isLost } from './model.ts'

/** The pool was about to do what must never happen. */
export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition'
}

const ENI: Readonly<Record<EniRecord['phase'] | 'absent', readonly (EniRecord['phase'] | 'absent')[]>> = {
  // From nothing: decided here, or found in the cloud.
  absent: ['creating', 'attaching', 'detaching', 'deleting'],
  creating: ['attaching', 'absent'],
  attaching: ['attaching', 'in-use', 'detaching', 'deleting', 'lost', 'absent'],
  'in-use': ['in-use', 'draining', 'attaching', 'detaching', 'lost', 'absent'],
  draining: ['draining', 'in-use', 'attaching', 'detaching', 'lost', 'absent'],
  detaching: ['detaching', 'deleting', 'lost', 'absent'],
  deleting: ['deleting', 'detaching', 'absent'],
  lost: ['lost', 'attaching', 'absent'],
}

const ADDRESS: Readonly<Record<AddressRecord['phase'] | 'absent', readonly (AddressRecord['phase'] | 'absent')[]>> = {
  absent: ['warm', 'owned'],
  warm: ['warm', 'owned', 'unassigning', 'absent'],
  owned: ['owned', 'cooling'],
  cooling: ['cooling', 'warm', 'owned', 'absent'],
  unassigning: ['unassigning', 'warm', 'absent'],
}

/** @throws IllegalTransition */
export function checkEni(before: EniRecord | undefined, after: EniRecord | undefined): void {
  const [from, to] = [before?.phase ?? 'absent', after?.phase ?? 'absent'] as const
  if (!ENI[from].includes(to)) throw new IllegalTransition(`an ENI goes from ${from} to ${to}`)
}

/** @throws IllegalTransition */
export function checkAddress(before: AddressRecord | undefined, after: AddressRecord | undefined): void {
  const why = faultOf(before, after)
  const ip = after?.ip ?? before?.ip
  if (why !== undefined) throw new IllegalTransition(`${ip} goes ${why}`)
}

function faultOf(before: AddressRecord | undefined, after: AddressRecord | undefined): string | undefined {
  const [from, to] = [before?.phase ?? 'absent', after?.phase ?? 'absent'] as const
  if (!ADDRESS[from].includes(to)) return `from ${from} to ${to}`
  if (before !== undefined && isLost(before) && after?.phase !== before.phase && !mayFollowLoss(before, after)) {
    return `from ${from} to ${to} although lost`
  }
  // It was given back, and the cloud has assigned it anew.
  if (from === 'unassigning' && to === 'warm' && before?.eni === after?.eni) return 'from unassigning to warm'
  if (before?.phase === 'owned' && after?.phase === 'owned' && before.owner !== after.owner) {
    return `from ${before.owner} to ${after.owner} without having been free`
  }
  if (
    before?.phase === 'cooling' &&
    after?.phase === 'owned' &&
    (before.pod === undefined || before.pod !== after.pod)
  ) {
    return `from its cool-down to ${after.pod ?? after.owner}, who is not the pod that had it`
  }
  return undefined
}

/** It cools down as what it is, and is forgotten then: nobody is given it. */
function mayFollowLoss(before: AddressRecord, after: AddressRecord | undefined): boolean {
  if (before.phase === 'cooling') return after === undefined
  return after?.phase === 'cooling' && isLost(after)
}
