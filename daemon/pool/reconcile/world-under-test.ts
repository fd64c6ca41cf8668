/** Records and answers of the cloud for the tests of the comparison: one node, one vSwitch. */
import type { CloudEni } from '../../../cloud/ecs.ts'
import {
  type EniId,
  type InstanceId,
  parseCloudId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../../../cloud/ids.ts'
import {
  type Cidr,
  type Ip,
  type Ipv4,
  type Ipv6,
  parseCidr,
  parseIpv4,
  parseIpv6,
  parseMac,
} from '../../../inet/address.ts'
import type { AddressPhase, AddressRecord, EniKey, KnownEni, Owner } from '../model.ts'
import { type Reconciliation, reconcile } from '../reconcile.ts'
import { PoolTables } from '../tables.ts'
import { NO_SUSPICIONS, type World } from './world.ts'

export const HERE = parseCloudId<InstanceId>('i-here')
export const OTHER = parseCloudId<InstanceId>('i-other')
export const VSWITCH = parseCloudId<VSwitchId>('vsw-h')
export const CIDR = parseCidr('10.0.0.0/16')
export const NOW = 1_000_000
export const KEY = 'k1' as EniKey
export const MINUTE = 60_000

export const ip = (last: number): Ipv4 => parseIpv4(`10.0.1.${last}`)
export const ip6 = (last: number): Ipv6 => parseIpv6(`fd00::${last}`)
export const ids = (text: string): EniId => parseCloudId<EniId>(text)
/** /28, 16 addresses */
export const prefix = (index: number): Cidr => parseCidr(`10.0.2.${16 * index}/28`)
export const inPrefix = (index: number, offset: number): Ipv4 => parseIpv4(`10.0.2.${16 * index + offset}`)
export const PREFIX6 = parseCidr('fd00:0:0:0:1::/80')

/** Attached, with two addresses. */
export function cloudEni(id: string, fields: Partial<CloudEni> = {}): CloudEni {
  return {
    id: ids(id),
    mac: parseMac('00:16:3e:00:00:01'),
    status: 'InUse',
    type: 'Secondary',
    ...{ vpcId: parseCloudId<VpcId>('vpc-1'), zoneId: parseCloudId<ZoneId>('cn-sim-h'), name: '', description: '' },
    ...{ ipv6s: [], ipv4Prefixes: [], ipv6Prefixes: [] },
    vSwitchId: VSWITCH,
    instanceId: HERE,
    primaryIp: ip(1),
    ips: [ip(1), ip(2)],
    securityGroupIds: [],
    tags: new Map([['creator', 'terway']]),
    ...fields,
  }
}

/** As the cloud describes one that is attached to nothing: no instance. */
export function available(id: string, fields: Partial<CloudEni> = {}): CloudEni {
  const { instanceId: _, ...rest } = cloudEni(id, {
    status: 'Available',
    tags: new Map([
      ['creator', 'terway'],
      ['terway.node', HERE],
    ]),
    ...fields,
  })
  return rest
}

export function eniRecord(fields: Partial<KnownEni> = {}): KnownEni {
  return {
    ...{ phase: 'in-use', key: KEY, role: 'shared', vSwitchId: VSWITCH, cidr: CIDR },
    ...{ id: ids('eni-1'), mac: parseMac('00:16:3e:00:00:01'), primaryIp: ip(1), since: 0 },
    ...fields,
  }
}

export const owned: AddressPhase = { phase: 'owned', owner: 'c/eth0' as Owner }

export function addressRecord(address: Ip, phase: AddressPhase, facts: Partial<AddressRecord> = {}): AddressRecord {
  return { ip: address, eni: KEY, primary: address === ip(1), since: 0, ...facts, ...phase } as AddressRecord
}

/** `eni-1` in use: its primary address is free, a pod has the other one. */
export function recorded(eni: Partial<KnownEni> = {}): PoolTables {
  const tables = new PoolTables()
  tables.apply([
    { kind: 'put-eni', eni: eniRecord(eni) },
    { kind: 'put-address', address: addressRecord(ip(1), { phase: 'warm' }) },
    { kind: 'put-address', address: addressRecord(ip(2), owned) },
  ])
  return tables
}

let keys = 0

export function worldOf(part: Partial<World> = {}): World {
  return {
    ...{ state: new PoolTables(), cloud: [], kind: 'shared', fresh: false, orphanTtl: 0, podRoutes: new Map() },
    ...{
      cidrs: new Map([[VSWITCH, CIDR]]),
      cidrs6: new Map(),
      suspicions: NO_SUSPICIONS,
      settledBefore: NOW,
      now: NOW,
    },
    ownership: { instanceId: HERE, clusterId: undefined, tagFilter: {}, blockedTags: [] },
    newKey: () => `new-${++keys}` as EniKey,
    ...part,
  }
}

export const run = (part: Partial<World>): Reconciliation => reconcile(worldOf(part))

/** Two answers that show the same; what the first one brings is committed before the second. @returns both */
export function twice(part: Partial<World> & { readonly state?: PoolTables }) {
  const state = part.state ?? new PoolTables()
  const first = run({ ...part, state })
  commit(state, first)
  return { first, second: again({ ...part, state }, first) }
}

/** The same answer a minute after the one before. */
export function again(part: Partial<World>, { suspicions }: Pick<Reconciliation, 'suspicions'>): Reconciliation {
  const now = (part.now ?? NOW) + MINUTE
  return run({ ...part, suspicions, now, settledBefore: now })
}

/** As the pool does it: all or nothing. */
export function commit(state: PoolTables, { changes }: Pick<Reconciliation, 'changes'>): void {
  state.check(changes)
  state.apply(changes)
}
