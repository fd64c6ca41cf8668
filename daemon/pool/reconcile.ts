/**
 * What the journal must learn from the cloud: ENIs and addresses that are there and not recorded, or recorded and gone.
 * Pure; run at start before anything is served, and again from time to time. A single answer of the cloud may be older
 * than the journal, so what takes something away, or adds to an ENI on record, must be seen twice.
 */
import { isWhole } from '../../cloud/ecs/eni.ts'
import type { CloudEni } from '../../cloud/ecs.ts'
import type { EniId, InstanceId, VSwitchId } from '../../cloud/ids.ts'
import type { Cidr, Ipv4 } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import {
  type AddressRecord,
  addressesOf,
  type Change,
  type EniKey,
  type KnownEni,
  type PoolState,
  unknownOwner,
} from './model.ts'

/** Tag that marks an ENI as Terway's, the same as the original's. */
export const CREATOR_TAG = { key: 'creator', value: 'terway' } as const
/** Tags that tell which node asked for the ENI, and by which intent. */
export const NODE_TAG = 'terway.node'
export const INTENT_TAG = 'terway.intent'

/** What the last comparison found for the first time. */
export interface Suspicions {
  /** Addresses that the journal does not know, on ENIs that it does. */
  readonly strangers: ReadonlySet<Ipv4>
  /** ENIs on record that the cloud did not name. */
  readonly missing: ReadonlySet<EniId>
}

export const NO_SUSPICIONS: Suspicions = { strangers: new Set(), missing: new Set() }

export interface World {
  readonly state: PoolState
  /** ENIs attached to this instance or tagged with it, of any owner. */
  readonly cloud: readonly CloudEni[]
  readonly instanceId: InstanceId
  /** Of every vSwitch that an ENI in `cloud` lies in. */
  readonly cidrs: ReadonlyMap<VSwitchId, Cidr>
  /** Addresses that a pod's host link carries a route for, whatever the journal says. */
  readonly podRoutes: ReadonlyMap<Ipv4, LinkName>
  readonly suspicions: Suspicions
  /** Records younger than this (ms since the epoch) are left alone: the cloud's answer may be older than they are. */
  readonly settledBefore: number
  readonly newKey: () => EniKey
  readonly now: number
}

export interface Finding {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, string>>
}

export interface Reconciliation {
  readonly changes: readonly Change[]
  readonly findings: readonly Finding[]
  /** To be given to the next comparison. */
  readonly suspicions: Suspicions
}

export function reconcile(world: World): Reconciliation {
  const report: Report = { changes: [], findings: [], strangers: new Set(), missing: new Set() }
  const records = [...world.state.enis.values()].flatMap((eni) => (eni.phase === 'creating' ? [] : [eni]))
  const known = new Map(records.map((eni) => [eni.id, eni]))
  const present = new Map(world.cloud.map((eni) => [eni.id, eni]))
  for (const eni of world.cloud) {
    if (!known.has(eni.id) && isOurs(eni, world)) adopt(world, eni, report)
  }
  for (const record of records) {
    const eni = present.get(record.id)
    if (eni === undefined) noteMissing(world, record, report)
    else compareEni(world, { record, eni }, report)
  }
  const { changes, findings, strangers, missing } = report
  return { changes, findings, suspicions: { strangers, missing } }
}

interface Report {
  readonly changes: Change[]
  readonly findings: Finding[]
  readonly strangers: Set<Ipv4>
  readonly missing: Set<EniId>
}

/** An ENI on record and what the cloud says of it. */
interface Pair {
  readonly record: KnownEni
  readonly eni: CloudEni
}

/** Ours: made by Terway, secondary, and attached here or made for this node. Everything else is never touched. */
function isOurs(eni: CloudEni, { instanceId, state }: World): boolean {
  if (eni.type !== 'Secondary' || eni.tags.get(CREATOR_TAG.key) !== CREATOR_TAG.value) return false
  const intent = eni.tags.get(INTENT_TAG)
  // A creation under way finds its ENI by its token; it is not an orphan.
  if (intent !== undefined && state.enis.get(intent as EniKey)?.phase === 'creating') return false
  if (eni.instanceId !== undefined) return eni.instanceId === instanceId
  return eni.tags.get(NODE_TAG) === instanceId
}

function adopt(world: World, eni: CloudEni, { changes, findings }: Report): void {
  if (!isWhole(eni)) {
    // It is being made, or could not be made: the next comparison sees more of it, or an operator should.
    const message = 'an ENI of this node lacks what an ENI has; if this stays, look at it in the console and delete it'
    findings.push({ level: 'warn', message, fields: { eni: eni.id, status: eni.status } })
    return
  }
  const cidr = world.cidrs.get(eni.vSwitchId)
  if (cidr === undefined) return
  const key = world.newKey()
  const attached = eni.instanceId === world.instanceId && (eni.status === 'InUse' || eni.status === 'Attaching')
  const phase = attached ? 'attaching' : eni.status === 'Detaching' ? 'detaching' : 'deleting'
  const { id, mac, vSwitchId, primaryIp } = eni
  changes.push({ kind: 'put-eni', eni: { phase, key, vSwitchId, cidr, id, mac, primaryIp, since: world.now } })
  for (const ip of eni.ips) changes.push(found(world, key, ip, ip === primaryIp))
  findings.push({
    level: 'info',
    message: attached ? 'adopted an ENI that the journal did not know' : 'removing an ENI left behind by this node',
    fields: { eni: id, status: eni.status, addresses: eni.ips.join(',') },
  })
}

/** An address the cloud has assigned and the journal does not know: free, unless a pod of this node carries it. */
function found(world: World, eni: EniKey, ip: Ipv4, primary: boolean): Change {
  const recorded = world.state.addresses.get(ip)
  if (recorded?.phase === 'owned') return regained({ ...recorded, eni, primary })
  const link = world.podRoutes.get(ip)
  const base = { ip, eni, primary, since: world.now }
  if (link === undefined) return { kind: 'put-address', address: { ...base, phase: 'warm' } }
  return { kind: 'put-address', address: { ...base, phase: 'owned', owner: unknownOwner(link) } }
}

function noteMissing(world: World, record: KnownEni, report: Report): void {
  if (record.phase === 'lost' || record.since > world.settledBefore) return
  report.missing.add(record.id)
  if (!world.suspicions.missing.has(record.id)) return
  loseEni(world, record, report)
}

/** Addresses that pods carry stay on record with the ENI; the rest is forgotten. */
function loseEni(world: World, record: KnownEni, { changes, findings }: Report): void {
  const addresses = addressesOf(world.state, record.key)
  const owned = addresses.flatMap((address) => (address.phase === 'owned' ? [address] : []))
  if (owned.length === 0) {
    changes.push({ kind: 'drop-eni', key: record.key })
  } else {
    changes.push({ kind: 'put-eni', eni: { ...record, phase: 'lost', since: world.now } })
    for (const address of owned) changes.push({ kind: 'put-address', address: { ...address, lost: true } })
    for (const { ip, phase } of addresses) if (phase !== 'owned') changes.push({ kind: 'drop-address', ip })
  }
  findings.push({
    level: owned.length > 0 ? 'error' : 'warn',
    message: 'the cloud no longer has an ENI of this node; its addresses are out of use',
    fields: { eni: record.id, podsCutOff: owned.map((address) => address.ip).join(',') },
  })
}

function compareEni(world: World, pair: Pair, report: Report): void {
  const { record, eni } = pair
  // Of one that is not understood nothing is known but that it is there.
  if (record.since > world.settledBefore || eni.status === 'Unknown') return
  const elsewhere = eni.instanceId !== undefined && eni.instanceId !== world.instanceId
  if (elsewhere && record.phase !== 'lost') loseEni(world, record, report)
  else if (!elsewhere && record.phase === 'lost') attachAgain(world, pair, report)
  else if (record.phase === 'in-use' && eni.status !== 'InUse') attachAgain(world, pair, report)
  else if (record.phase === 'in-use') compareAddresses(world, pair, report)
}

/** Somebody detached it, or it has come back: pods get nothing from it until it is attached. */
function attachAgain(world: World, { record, eni }: Pair, { changes, findings }: Report): void {
  changes.push({ kind: 'put-eni', eni: { ...record, phase: 'attaching', since: world.now } })
  for (const address of addressesOf(world.state, record.key)) {
    if (address.phase === 'owned' && address.lost && eni.ips.includes(address.ip)) changes.push(regained(address))
  }
  findings.push({
    level: 'error',
    message: 'an ENI of this node is not attached although it should be; attaching it again',
    fields: { eni: record.id, status: eni.status },
  })
}

/** The pod that carries it keeps it. */
export function regained(address: AddressRecord & { readonly phase: 'owned' }): Change {
  const { lost: _, ...rest } = address
  return { kind: 'put-address', address: rest }
}

function compareAddresses(world: World, { record, eni }: Pair, report: Report): void {
  const recorded = addressesOf(world.state, record.key)
  // While an assign is under way its addresses are on the ENI and not recorded yet; its own answer brings them.
  const assigning = [...world.state.assigns.values()].some((assign) => assign.eni === record.key)
  const strangers = assigning ? [] : eni.ips.filter((ip) => !recorded.some((address) => address.ip === ip))
  for (const ip of strangers) {
    report.strangers.add(ip)
    // Once is not enough: the answer may be older than an unassign that has just been recorded.
    if (!world.suspicions.strangers.has(ip)) continue
    report.changes.push(found(world, record.key, ip, ip === record.primaryIp))
    const fields = { eni: eni.id, ip }
    report.findings.push({ level: 'info', message: 'adopted an address that the journal did not know', fields })
  }
  for (const address of recorded) {
    if (address.since > world.settledBefore) continue
    if (!eni.ips.includes(address.ip)) loseAddress(address, report, eni)
    else if (address.phase === 'owned' && address.lost) report.changes.push(regained(address))
  }
}

/** A pod keeps the address on record, or the cloud's next answer could give it to a second one. */
function loseAddress(address: AddressRecord, { changes, findings }: Report, eni: CloudEni): void {
  const owned = address.phase === 'owned'
  if (owned && address.lost) return
  changes.push(
    owned ? { kind: 'put-address', address: { ...address, lost: true } } : { kind: 'drop-address', ip: address.ip },
  )
  findings.push({
    level: owned ? 'error' : 'warn',
    message: 'the cloud no longer assigns this address to the ENI; it is out of use',
    fields: { eni: eni.id, ip: address.ip, ...(owned ? { owner: address.owner } : {}) },
  })
}
