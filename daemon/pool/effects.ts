/**
 * The pool's effects: each takes one record as the journal has it and brings it one phase further, or to its end. They
 * are level-based: after a crash the same function on the same record goes on where the last one stopped, because the
 * cloud recognises the token of a repeated creation or assignment, and the other calls are idempotent by state.
 */
import type { Priority } from '../../cloud/budget/priority.ts'
import { REAL_CLOCK } from '../../cloud/clock.ts'
import { isWhole, type WholeEni } from '../../cloud/ecs/eni.ts'
import type { CloudEni, Ecs } from '../../cloud/ecs.ts'
import { CloudError, isCloudError } from '../../cloud/error.ts'
import type { EniId, InstanceId } from '../../cloud/ids.ts'
import type { CallOptions } from '../../cloud/transport.ts'
import { type Ip, type Ipv4, type Mac, vSwitchGateway } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import {
  type AddressRecord,
  type AssignRecord,
  addressesOf,
  type Change,
  type CreatingEni,
  type EniKey,
  type KnownEni,
  type PoolState,
} from './model.ts'
import { INTENT_TAG, regained } from './reconcile.ts'

/** An ENI that pods can be put on: attached, its link found and programmed. */
export interface ReadyEni {
  readonly key: EniKey
  readonly id: EniId
  readonly mac: Mac
  readonly link: LinkName
  readonly ifindex: number
  readonly gateway: Ip
}

/** The node's side of an ENI. */
export interface EniLinks {
  find(mac: Mac): { readonly name: LinkName; readonly ifindex: number } | undefined
  /** Programs the link and its route table; does nothing when all is there. */
  program(eni: ReadyEni): void
  /** Takes away what `program` made, apart from the link, which the cloud removes. */
  clear(eni: ReadyEni): Promise<void>
}

export interface EffectContext {
  readonly state: PoolState
  readonly cloud: Ecs
  readonly links: EniLinks
  readonly instanceId: InstanceId
  readonly now: () => number
  readonly signal: AbortSignal
  /** The guest's link appears some seconds after the cloud says InUse; longer than this, ms, and something is wrong. */
  readonly linkTimeout: number
  /** Of calls that bring addresses: whether pods wait for one just now. */
  priority(): Priority
  commit(changes: readonly Change[]): void
  ready(key: EniKey): ReadyEni | undefined
  setReady(eni: ReadyEni): void
  unsetReady(key: EniKey): void
}

/** An ENI did not reach the state it was asked to. */
export class EniStateError extends Error {
  override readonly name = 'EniStateError'
}

/** Polling of asynchronous changes: 1 s is the pace the ECS documentation asks for; the first look may come sooner. */
const FIRST_POLL = 200
const LONGEST_POLL = 1_000
const POLL_FACTOR = 1.6
/** An attach or detach that takes longer than this is asked for again, ms. */
const STATE_TIMEOUT = 60_000
const LINK_POLL = 50
/** How far a list may be behind, ms: much longer than it ever took. */
const LIST_LAG = 60_000

/** What brings addresses is asked for as urgently as they are needed at the moment of each call. */
function growing(context: EffectContext): CallOptions {
  return { signal: context.signal, priority: context.priority }
}

/** What gives back goes last, with the looks that belong to it. */
function shrinking({ signal }: EffectContext): CallOptions {
  return { signal, priority: 'clean-up' }
}

export async function createEni(context: EffectContext, record: CreatingEni): Promise<void> {
  const eni = await createOrFind(context, record)
  const { key, vSwitchId, cidr } = record
  const since = context.now()
  const known: KnownEni = {
    ...{ phase: 'attaching', key, vSwitchId, cidr, since },
    ...{ id: eni.id, mac: eni.mac, primaryIp: eni.primaryIp },
  }
  const addresses = eni.ips.map((ip) => arrived(context, { ip, eni: key, primary: ip === eni.primaryIp, since }))
  context.commit([{ kind: 'put-eni', eni: known }, ...addresses])
}

/** An address that the cloud has just assigned: free, unless a pod still carries it from an ENI that was lost. */
function arrived({ state }: EffectContext, address: Omit<AddressRecord, 'phase' | 'owner' | 'until' | 'lost'>): Change {
  const known = state.addresses.get(address.ip)
  if (known?.phase === 'owned') return regained({ ...known, eni: address.eni, primary: address.primary })
  return { kind: 'put-address', address: { ...address, phase: 'warm' } }
}

async function createOrFind(context: EffectContext, record: CreatingEni): Promise<WholeEni> {
  try {
    return await context.cloud.createEni(record.request, growing(context))
  } catch (error) {
    // The token is burnt or was used by a request that differed; the intent's tag tells what it made.
    if (!(error instanceof CloudError && /^Idempotent|^InvalidIdempotence/.test(error.code))) throw error
    const [made] = await context.cloud.describeEnis({ tags: { [INTENT_TAG]: record.key } }, growing(context))
    if (made === undefined) throw error
    if (!isWhole(made)) throw new EniStateError(`${made.id} is ${made.status} and not whole yet`)
    return made
  }
}

export async function attachEni(context: EffectContext, record: KnownEni): Promise<void> {
  const before = await describe(context, record, growing(context))
  // A list may be older than the ENI; whether there is one, the call itself knows.
  const tooNew = context.now() - record.since < LIST_LAG
  if (before === undefined && !tooNew) throw new EniStateError(`${record.id} vanished before it was attached`)
  if (before?.status !== 'InUse') {
    await askToAttach(context, record, before?.status ?? 'Available')
    await untilStatus(context, record, 'InUse')
  }
  await bringUp(context, record)
  context.commit([{ kind: 'put-eni', eni: { ...record, phase: 'in-use', since: context.now() } }])
}

/** Also while it is attaching: one that hangs there goes on when it is asked again. */
async function askToAttach(context: EffectContext, record: KnownEni, status: CloudEni['status']): Promise<void> {
  if (status !== 'Available' && status !== 'Attaching') return
  try {
    await context.cloud.attachEni(record.id, context.instanceId, growing(context))
  } catch (error) {
    if (!(error instanceof CloudError && error.code === 'InvalidOperation.InvalidEniState')) throw error
    // It is on its way already, or on its way back: its state will tell.
  }
}

/** Finds the ENI's link, programs it and makes it ready for pods. */
export async function bringUp(context: EffectContext, record: KnownEni): Promise<void> {
  const link = await untilLink(context, record)
  const gateway = vSwitchGateway(record.cidr)
  const ready = { key: record.key, id: record.id, mac: record.mac, link: link.name, ifindex: link.ifindex, gateway }
  context.links.program(ready)
  context.setReady(ready)
}

export async function detachEni(context: EffectContext, record: KnownEni): Promise<void> {
  failIfUsed(context, record)
  const ready = context.ready(record.key)
  context.unsetReady(record.key)
  if (ready !== undefined) await context.links.clear(ready)
  const before = await describe(context, record, shrinking(context))
  if (before !== undefined && before.status !== 'Available') {
    await context.cloud.detachEni(record.id, context.instanceId, shrinking(context))
    await untilStatus(context, record, 'Available')
  }
  context.commit([{ kind: 'put-eni', eni: { ...record, phase: 'deleting', since: context.now() } }])
}

export async function deleteEni(context: EffectContext, record: KnownEni): Promise<void> {
  failIfUsed(context, record)
  const before = await describe(context, record, shrinking(context))
  if (before?.instanceId === context.instanceId && before.status !== 'Available') {
    // Attached after all, by a call that was still on its way when this was decided.
    context.commit([{ kind: 'put-eni', eni: { ...record, phase: 'detaching', since: context.now() } }])
    return
  }
  // Also when the list lacks it: a list may be wrong, and deleting what is gone is no failure.
  await context.cloud.deleteEni(record.id, shrinking(context))
  await untilStatus(context, record, 'gone')
  context.commit([{ kind: 'drop-eni', key: record.key }])
}

/** Whatever decided it: an ENI that carries pods' packets stays. @throws EniStateError */
function failIfUsed({ state }: EffectContext, record: KnownEni): void {
  const pods = addressesOf(state, record.key).filter((address) => address.phase === 'owned' && !address.lost)
  if (pods.length > 0)
    throw new EniStateError(`${record.id} is not given back: ${pods.length} pods have addresses of it`)
}

export async function assignAddresses(context: EffectContext, record: AssignRecord): Promise<void> {
  const eni = context.state.enis.get(record.eni)
  if (eni === undefined || eni.phase !== 'in-use') {
    context.commit([{ kind: 'drop-assign', token: record.token }])
    return
  }
  const ips = await context.cloud.assignIps(eni.id, record.count, record.token, growing(context))
  const since = context.now()
  // A repeated assign names what its first answer brought, which may be in use or cooling by now.
  const fresh = ips.filter((ip) => {
    const known = context.state.addresses.get(ip)
    return known === undefined || known.eni !== eni.key || (known.phase === 'owned' && known.lost)
  })
  const puts = fresh.map((ip) => arrived(context, { ip, eni: eni.key, primary: false, since }))
  context.commit([...puts, { kind: 'drop-assign', token: record.token }])
}

/** Gives back every address of the ENI that is marked for it. */
export async function unassignAddresses(context: EffectContext, record: KnownEni): Promise<void> {
  const leaving = addressesOf(context.state, record.key).filter((address) => address.phase === 'unassigning')
  const ips: Ipv4[] = leaving.map((address) => address.ip)
  await context.cloud.unassignIps(record.id, ips, shrinking(context))
  context.commit(ips.map((ip) => ({ kind: 'drop-address', ip })))
}

async function describe(context: EffectContext, record: KnownEni, options: CallOptions): Promise<CloudEni | undefined> {
  const [eni] = await context.cloud.describeEnis({ ids: [record.id] }, options)
  return eni
}

async function untilStatus(context: EffectContext, record: KnownEni, wanted: 'InUse' | 'Available' | 'gone') {
  const deadline = context.now() + STATE_TIMEOUT
  for (let pause = FIRST_POLL; ; pause = Math.min(LONGEST_POLL, pause * POLL_FACTOR)) {
    await REAL_CLOCK.sleep(pause, context.signal)
    const options = wanted === 'InUse' ? growing(context) : shrinking(context)
    const status = (await describe(context, record, options))?.status ?? 'gone'
    if (status === wanted) return
    // An attach that failed falls back to Available; a vanished ENI reaches no state.
    if (wanted === 'InUse' && (status === 'Available' || status === 'gone') && pause >= LONGEST_POLL) {
      throw new EniStateError(`${record.id} is ${status} although it was attached: the attach failed in the cloud`)
    }
    if (context.now() > deadline) {
      throw new EniStateError(
        `${record.id} is still ${status} after ${STATE_TIMEOUT / 1000} s, ${wanted} was asked for`,
      )
    }
  }
}

async function untilLink(context: EffectContext, record: KnownEni) {
  const deadline = context.now() + context.linkTimeout
  for (;;) {
    const link = context.links.find(record.mac)
    if (link !== undefined) return link
    if (context.now() > deadline) {
      throw new EniStateError(`no link with MAC ${record.mac} appeared on this node for ${record.id}`)
    }
    await REAL_CLOCK.sleep(LINK_POLL, context.signal)
  }
}

/**
 * True when repeating the call cannot help, so the record that asked for it must be given up. That the cloud does not
 * know or not trust us says nothing about the record.
 */
export function isFinal(error: unknown): boolean {
  return isCloudError(error, 'exhausted', 'permanent', 'not-found')
}

/** True when the next try may succeed without anybody's doing. */
export function isPassing(error: unknown): boolean {
  return isCloudError(error) ? isCloudError(error, 'throttled', 'transient') : error instanceof EniStateError
}
