/**
 * What the records of an ENI call for: its effects, in the order of their urgency. One at a time may run for an ENI: the
 * API refuses a second call that changes the addresses of an ENI while one runs (`Operation.Conflict`), also of another
 * kind.
 */
import type { AssignKind, AssignRecord, EniKey, KnownEni } from '../model.ts'
import { carriesMembers, trunkInUse } from '../trunk.ts'
import { assignAddresses } from './assign.ts'
import { attachEni } from './attach.ts'
import { bringUp, isInsidePod } from './bring-up.ts'
import type { Equipped } from './context.ts'
import { createEni } from './create.ts'
import { deleteEni, detachEni } from './give-back.ts'
import { leavingOf, unassign } from './unassign.ts'

export type JobName = 'place' | `assign ${AssignKind}` | `unassign ${AssignKind}`

export interface Job {
  /** What fails for one of them need not fail for the others. */
  readonly name: JobName
  /** What it carries out. */
  readonly assign?: AssignRecord
  readonly run: () => Promise<void>
}

const KINDS: readonly AssignKind[] = ['ipv4', 'ipv6', 'ipv4-prefix', 'ipv6-prefix']

export function jobsOf(context: Equipped, key: EniKey): readonly Job[] {
  const eni = context.state.enis.get(key)
  switch (eni?.phase) {
    case undefined:
    case 'lost':
      return []
    case 'creating':
      return [place(() => createEni(context, eni))]
    case 'attaching':
      return hasWay(context, eni) ? [place(() => attachEni(context, eni))] : []
    case 'detaching':
      return carriesMembers(context.state, eni) ? [] : [place(() => detachEni(context, eni))]
    case 'deleting':
      return coolsDown(context, key) ? [] : [place(() => deleteEni(context, eni))]
    case 'in-use':
    case 'draining':
      return [...bringingUp(context, eni), ...assigning(context, eni), ...unassigning(context, eni)]
  }
}

/** Whether the ENI is on its way to be ready for pods. A member that waits for its trunk is not, however long it takes. */
export function isComing(context: Equipped, key: EniKey): boolean {
  const eni = context.state.enis.get(key)
  if (eni?.phase === 'attaching') return hasWay(context, eni)
  return eni?.phase === 'in-use' && lacksBringUp(context, eni) && hasWay(context, eni)
}

function place(run: () => Promise<void>): Job {
  return { name: 'place', run }
}

/** With the ENI its record would go, and the cloud may assign the address to another one of this node. */
function coolsDown({ state }: Equipped, key: EniKey): boolean {
  return [...state.addressesOf(key)].some(({ phase }) => phase === 'cooling')
}

/** A member goes through the trunk. */
function hasWay(context: Equipped, { role }: KnownEni): boolean {
  const trunk = role === 'member' ? trunkInUse(context.state) : undefined
  return role !== 'member' || (trunk !== undefined && context.ready(trunk.key) !== undefined)
}

function lacksBringUp(context: Equipped, eni: KnownEni): boolean {
  return context.ready(eni.key) === undefined && !isInsidePod(context, eni)
}

function bringingUp(context: Equipped, eni: KnownEni): Job[] {
  if (!lacksBringUp(context, eni) || !hasWay(context, eni)) return []
  return [place(() => bringUp(context, eni))]
}

function assigning(context: Equipped, eni: KnownEni): Job[] {
  return context.state.assignsOf(eni.key).map((assign) => {
    return { name: `assign ${assign.what}`, assign, run: () => assignAddresses(context, eni, assign) }
  })
}

function unassigning(context: Equipped, eni: KnownEni): Job[] {
  const leaving = leavingOf(context.state, eni.key)
  return KINDS.flatMap((what): Job[] => {
    if (leaving[what].length === 0) return []
    return [{ name: `unassign ${what}`, run: () => unassign(context, eni, what) }]
  })
}
