/** Attaches an ENI to this instance, or to its trunk, and makes it ready for pods. */
import type { CloudEni } from '../../../cloud/ecs.ts'
import { CloudError } from '../../../cloud/error.ts'
import type { EniId } from '../../../cloud/ids.ts'
import type { KnownEni } from '../model.ts'
import { trunkInUse } from '../trunk.ts'
import { bringUp, isInsidePod, signWhenLinked } from './bring-up.ts'
import { EniStateError, type Equipped, growing, moveOn } from './context.ts'
import { isOn } from './state-watch.ts'

/** How far a list may be behind, ms: much longer than it ever took. */
const LIST_LAG = 60_000

export async function attachEni(context: Equipped, record: KnownEni): Promise<void> {
  const { id } = record
  const before = context.watch.takeRecent(id, record.since) ?? (await describe(context, id))
  // A list may be older than the ENI; whether there is one, the call itself knows.
  const tooNew = context.clock.now() - record.since < LIST_LAG
  if (before === undefined && !tooNew) throw new EniStateError(`${id} vanished before it was attached`)
  const isHere = before?.status === 'InUse' && isOn(before, context.instanceId)
  const eni = isHere ? before : await attach(context, record, before?.status ?? 'Available')
  const { vlanId } = eni ?? {}
  const attached = vlanId === undefined ? record : { ...record, vlanId }
  if (!isInsidePod(context, record)) await bringUp(context, attached)
  moveOn(context, attached, 'in-use')
}

async function describe(context: Equipped, id: EniId): Promise<CloudEni | undefined> {
  const [eni] = await context.cloud.describeEnis({ ids: [id] }, growing(context))
  return eni
}

async function attach(context: Equipped, record: KnownEni, status: CloudEni['status']): Promise<CloudEni | undefined> {
  if (status === 'Detaching') await letGo(context, record)
  await askToAttach(context, record, status === 'Detaching' ? 'Available' : status)
  if (record.role === 'member') return await context.watch.until(record.id, 'attach-member')
  const stop = new AbortController()
  const inUse = context.watch.until(record.id, 'attach')
  // A kernel that cannot be asked is told of by the search for the link that follows.
  const linked = signWhenLinked(context, record, AbortSignal.any([context.signal, stop.signal])).catch(() => undefined)
  try {
    return await inUse
  } finally {
    stop.abort()
    await linked
  }
}

/** Somebody detaches it: as that may hang until it is asked for again, it is; then the ENI can be attached. */
async function letGo(context: Equipped, record: KnownEni): Promise<void> {
  await context.cloud.detachEni(record.id, context.instanceId, growing(context))
  await context.watch.until(record.id, record.role === 'member' ? 'detach-member' : 'detach')
}

/** Also while it is attaching: one that hangs there goes on when it is asked again. */
async function askToAttach(context: Equipped, record: KnownEni, status: CloudEni['status']): Promise<void> {
  if (status !== 'Available' && status !== 'Attaching') return
  const trunk = record.role === 'member' ? trunkInUse(context.state)?.id : undefined
  if (record.role === 'member' && trunk === undefined) {
    throw new EniStateError(`${record.id} is not attached: the node has no trunk ENI in use`)
  }
  try {
    const options = { ...growing(context), ...(trunk === undefined ? {} : { trunk }) }
    await context.cloud.attachEni(record.id, context.instanceId, options)
  } catch (error) {
    if (!(error instanceof CloudError && error.code === 'InvalidOperation.InvalidEniState')) throw error
    // It is on its way already, or on its way back: its state will tell.
  }
}
