/** Takes an ENI off this instance and deletes it: two records, two effects. */
import type { CloudEni } from '../../../cloud/ecs.ts'
import { CloudError } from '../../../cloud/error.ts'
import type { KnownEni } from '../model.ts'
import { trunkInUse } from '../trunk.ts'
import { EniStateError, type Equipped, moveOn, podsOn, shrinking } from './context.ts'

export async function detachEni(context: Equipped, record: KnownEni): Promise<void> {
  failIfUsed(context, record)
  const ready = context.ready(record.key)
  context.unsetReady(record.key)
  if (ready !== undefined) await context.links.clear(ready)
  if (await askToDetach(context, record)) {
    await context.watch.until(record.id, record.role === 'member' ? 'detach-member' : 'detach')
  }
  moveOn(context, record, 'deleting')
}

/** @returns false when it is on no instance any more */
async function askToDetach(context: Equipped, record: KnownEni): Promise<boolean> {
  const trunk = record.role === 'member' ? trunkInUse(context.state)?.id : undefined
  const options = { ...shrinking(context), ...(trunk === undefined ? {} : { trunk }) }
  try {
    await context.cloud.detachEni(record.id, context.instanceId, options)
    return true
  } catch (error) {
    if (!(error instanceof CloudError && error.code === 'InvalidOperation.InvalidEniState')) throw error
    const eni = await describe(context, record)
    if (eni !== undefined && eni.status !== 'Available') throw error
    return false
  }
}

export async function deleteEni(context: Equipped, record: KnownEni): Promise<void> {
  failIfUsed(context, record)
  const before = context.watch.takeRecent(record.id, record.since) ?? (await describe(context, record))
  if (before?.instanceId === context.instanceId && before.status !== 'Available') {
    // Attached after all, by a call that was still on its way when this was decided.
    moveOn(context, record, 'detaching')
    return
  }
  // Also when the list lacks it: a list may be wrong, and deleting what is gone is no failure.
  await context.cloud.deleteEni(record.id, shrinking(context))
  await context.watch.until(record.id, 'delete')
  if (context.state.enis.get(record.key)?.phase === 'deleting') context.commit([{ kind: 'drop-eni', key: record.key }])
}

async function describe(context: Equipped, { id }: KnownEni): Promise<CloudEni | undefined> {
  const [eni] = await context.cloud.describeEnis({ ids: [id] }, shrinking(context))
  return eni
}

/** Whatever decided it: an ENI that carries pods' packets stays. @throws EniStateError */
function failIfUsed(context: Equipped, { key, id }: KnownEni): void {
  const pods = podsOn(context, key)
  if (pods > 0) throw new EniStateError(`${id} is not given back: ${pods} pods have addresses of it`)
}
