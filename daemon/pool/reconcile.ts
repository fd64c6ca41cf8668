/**
 * What the journal must learn from the cloud: ENIs and addresses that are there and not recorded, or recorded and gone.
 * Pure; run at start before anything is served, and again from time to time.
 */
import type { CloudEni } from '../../cloud/ecs.ts'
import type { InstanceId, VSwitchId } from '../../cloud/ids.ts'
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

export interface World {
  readonly state: PoolState
  /** ENIs attached to this instance or tagged with it, of any owner. */
  readonly cloud: readonly CloudEni[]
  readonly instanceId: InstanceId
  /** Of every vSwitch that an ENI in `cloud` lies in. */
  readonly cidrs: ReadonlyMap<VSwitchId, Cidr>
  /** Addresses that a pod's host link carries a route for, whatever the journal says. */
  readonly podRoutes: ReadonlyMap<Ipv4, LinkName>
  /** Addresses that the last comparison already found unknown on an ENI of ours: seen twice, they are believed. */
  readonly unknownBefore: ReadonlySet<Ipv4>
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
  /** Addresses on recorded ENIs that the journal does not know, to be passed as `unknownBefore` next time. */
  readonly unknown: ReadonlySet<Ipv4>
  readonly changes: readonly Change[]
  readonly findings: readonly Finding[]
}

export function reconcile(world: World): Reconciliation {
  const report: Report = { changes: [], findings: [], unknown: new Set() }
  const known = new Map(
    [...world.state.enis.values()].flatMap((eni) => (eni.phase === 'creating' ? [] : [[eni.id, eni]])),
  )
  const present = new Set<EniKey>()
  for (const eni of world.cloud) {
    const record = known.get(eni.id)
    if (record !== undefined) {
      present.add(record.key)
      const inUse = record.phase === 'in-use' && eni.status === 'InUse'
      if (inUse) compareAddresses(world, record, eni, report)
    } else if (isOurs(eni, world)) {
      adopt(world, eni, report)
    }
  }
  for (const record of known.values()) {
    if (present.has(record.key) || record.since > world.settledBefore) continue
    report.changes.push({ kind: 'drop-eni', key: record.key })
    const lost = addressesOf(world.state, record.key).filter((address) => address.phase === 'owned')
    report.findings.push({
      level: lost.length > 0 ? 'error' : 'warn',
      message: 'the cloud no longer has an ENI of this node; its addresses are out of use',
      fields: { eni: record.id, podsCutOff: lost.map((address) => address.ip).join(',') },
    })
  }
  return report
}

interface Report {
  readonly changes: Change[]
  readonly findings: Finding[]
  readonly unknown: Set<Ipv4>
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
  const cidr = world.cidrs.get(eni.vSwitchId)
  if (cidr === undefined) return
  const key = world.newKey()
  const attached = eni.instanceId === world.instanceId && (eni.status === 'InUse' || eni.status === 'Attaching')
  const phase = attached ? 'attaching' : eni.status === 'Detaching' ? 'detaching' : 'deleting'
  const { id, mac, vSwitchId, primaryIp } = eni
  changes.push({ kind: 'put-eni', eni: { phase, key, vSwitchId, cidr, id, mac, primaryIp, since: world.now } })
  for (const ip of eni.ips) changes.push({ kind: 'put-address', address: found(world, key, ip, ip === primaryIp) })
  findings.push({
    level: 'info',
    message: attached ? 'adopted an ENI that the journal did not know' : 'removing an ENI left behind by this node',
    fields: { eni: id, status: eni.status, addresses: eni.ips.join(',') },
  })
}

/** An address the cloud has assigned and the journal does not know: free, unless a pod of this node carries it. */
function found(world: World, eni: EniKey, ip: Ipv4, primary: boolean) {
  const link = world.podRoutes.get(ip)
  const base = { ip, eni, primary, since: world.now }
  return link === undefined
    ? ({ ...base, phase: 'warm' } as const)
    : ({ ...base, phase: 'owned', owner: unknownOwner(link) } as const)
}

function compareAddresses(world: World, record: KnownEni, eni: CloudEni, { changes, findings, unknown }: Report): void {
  const recorded = addressesOf(world.state, record.key)
  const assigned = new Set(eni.ips)
  // While an assign is under way its addresses are on the ENI and not recorded yet; its own answer brings them.
  const assigning = [...world.state.assigns.values()].some((assign) => assign.eni === record.key)
  const strangers = assigning ? [] : eni.ips.filter((ip) => !recorded.some((address) => address.ip === ip))
  for (const ip of strangers) {
    unknown.add(ip)
    // Once is not enough: the answer may be older than an unassign that has just been recorded.
    if (!world.unknownBefore.has(ip)) continue
    changes.push({ kind: 'put-address', address: found(world, record.key, ip, ip === record.primaryIp) })
    findings.push({
      level: 'info',
      message: 'adopted an address that the journal did not know',
      fields: { eni: eni.id, ip },
    })
  }
  for (const address of recorded) {
    if (assigned.has(address.ip) || address.since > world.settledBefore) continue
    loseAddress(address, { changes, findings }, eni)
  }
}

/** A pod keeps the address on record, or the cloud's next answer could give it to a second one. */
function loseAddress(address: AddressRecord, { changes, findings }: Omit<Report, 'unknown'>, eni: CloudEni): void {
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
