import { describe, expect, test } from '@jest/globals'
import type { CloudEni } from '../../cloud/ecs.ts'
import { type EniId, type InstanceId, parseCloudId, type VpcId, type VSwitchId, type ZoneId } from '../../cloud/ids.ts'
import { type Ipv4, parseCidr, parseIpv4, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { type AssignToken, type EniKey, type KnownEni, type Owner, PoolTables } from './model.ts'
import { INTENT_TAG, NO_SUSPICIONS, NODE_TAG, reconcile, type World } from './reconcile.ts'

const HERE = parseCloudId<InstanceId>('i-here')
const VSWITCH = parseCloudId<VSwitchId>('vsw-h')
const CIDR = parseCidr('10.0.1.0/24')
const MAC = parseMac('00:16:3e:00:00:01')
const NOW = 1_000_000
const ip = (last: number): Ipv4 => parseIpv4(`10.0.1.${last}`)

function cloudEni(id: string, fields: Partial<CloudEni> = {}): CloudEni {
  return {
    id: parseCloudId<EniId>(id),
    mac: MAC,
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

/** An ENI that nobody holds, as the cloud describes it: no instance. */
function available(id: string, tags: [string, string][]): CloudEni {
  const { instanceId: _, ...rest } = cloudEni(id, { status: 'Available', tags: new Map(tags) })
  return rest
}

function recorded(): PoolTables {
  const tables = new PoolTables()
  const eni: KnownEni = {
    ...{ phase: 'in-use', key: 'k1' as EniKey, vSwitchId: VSWITCH, cidr: CIDR },
    ...{ id: parseCloudId<EniId>('eni-1'), mac: MAC, primaryIp: ip(1), since: 0 },
  }
  tables.enis.set(eni.key, eni)
  tables.addresses.set(ip(1), { ip: ip(1), eni: eni.key, primary: true, since: 0, phase: 'warm' })
  tables.addresses.set(ip(2), {
    ip: ip(2),
    eni: eni.key,
    primary: false,
    since: 0,
    phase: 'owned',
    owner: 'c/eth0' as Owner,
  })
  return tables
}

const run = (world: Partial<World>) =>
  reconcile({
    ...{
      state: new PoolTables(),
      cloud: [],
      instanceId: HERE,
      cidrs: new Map([[VSWITCH, CIDR]]),
      podRoutes: new Map(),
    },
    ...{ suspicions: NO_SUSPICIONS, settledBefore: NOW, newKey: () => 'new' as EniKey, now: NOW },
    ...world,
  })

describe('ENIs that the cloud does not describe as others', () => {
  test('of one on record that is not understood only its presence is believed', () => {
    const { mac: _, vSwitchId: __, primaryIp: ___, instanceId: ____, ...rest } = cloudEni('eni-1')
    const unknown: CloudEni = { ...rest, status: 'Unknown', type: 'Unknown', ips: [], tags: new Map() }
    const suspicions = { ...NO_SUSPICIONS, missing: new Set([unknown.id]) }
    const { changes, suspicions: left } = run({ state: recorded(), cloud: [unknown], suspicions })
    expect(changes).toEqual([])
    expect(left.missing.size).toBe(0)
  })

  test('one of ours that has no MAC and address yet is adopted when it has', () => {
    const { mac: _, primaryIp: __, ...making } = cloudEni('eni-9', { status: 'Creating', ips: [] })
    expect(run({ cloud: [making] }).changes).toEqual([])
    expect(run({ cloud: [cloudEni('eni-9')] }).changes).not.toEqual([])
  })
})

describe('ENIs', () => {
  test('an attached one of ours that is not on record is adopted with its addresses', () => {
    const { changes } = run({ cloud: [cloudEni('eni-9')] })
    expect(changes.map((change) => change.kind)).toEqual(['put-eni', 'put-address', 'put-address'])
    expect(changes[0]).toMatchObject({ eni: { phase: 'attaching', id: 'eni-9', cidr: CIDR } })
    expect(changes[1]).toMatchObject({ address: { ip: ip(1), primary: true, phase: 'warm' } })
  })

  test('an adopted address that a pod of this node carries is never free', () => {
    const podRoutes = new Map([[ip(2), parseLinkName('cali0123456789a')]])
    const { changes } = run({ cloud: [cloudEni('eni-9')], podRoutes })
    expect(changes[2]).toMatchObject({ address: { ip: ip(2), phase: 'owned', owner: 'unknown/cali0123456789a' } })
  })

  test.each([
    ['the primary ENI', cloudEni('eni-9', { type: 'Primary' })],
    [
      'one that somebody else made',
      cloudEni('eni-9', { tags: new Map([['creator', 'alibabacloud-erdma-controller']]) }),
    ],
    ['one without tags', cloudEni('eni-9', { tags: new Map() })],
    ['one of another node', cloudEni('eni-9', { instanceId: parseCloudId<InstanceId>('i-other') })],
    [
      'a detached one that was made for another node',
      available('eni-9', [
        ['creator', 'terway'],
        [NODE_TAG, 'i-other'],
      ]),
    ],
  ])('%s is never touched', (_, eni) => {
    expect(run({ cloud: [eni] }).changes).toEqual([])
  })

  test('one made for this node and never attached is removed', () => {
    const { changes } = run({
      cloud: [
        available('eni-9', [
          ['creator', 'terway'],
          [NODE_TAG, HERE],
        ]),
      ],
    })
    expect(changes[0]).toMatchObject({ kind: 'put-eni', eni: { phase: 'deleting', id: 'eni-9' } })
  })

  test('one that a creation on record has made is left to that creation', () => {
    const state = new PoolTables()
    const key = 'intent-1' as EniKey
    const request = { vSwitchId: VSWITCH, securityGroupIds: [], secondaryIps: 1, tags: {}, name: 'n', clientToken: key }
    state.enis.set(key, { phase: 'creating', key, vSwitchId: VSWITCH, cidr: CIDR, request, since: 0 })
    const eni = available('eni-9', [
      ['creator', 'terway'],
      [NODE_TAG, HERE],
      [INTENT_TAG, key],
    ])
    expect(run({ state, cloud: [eni] }).changes).toEqual([])
  })

  describe('that the cloud does not name', () => {
    const twice = (state: PoolTables) => run({ state, suspicions: run({ state }).suspicions })

    test('is believed gone only when it is missing twice', () => {
      const first = run({ state: recorded() })
      expect(first).toMatchObject({ changes: [], findings: [], suspicions: { missing: new Set(['eni-1']) } })
    })

    test('keeps what pods carry on record and forgets the rest', () => {
      const { changes, findings } = twice(recorded())
      expect(changes).toMatchObject([
        { kind: 'put-eni', eni: { id: 'eni-1', phase: 'lost' } },
        { kind: 'put-address', address: { ip: ip(2), phase: 'owned', lost: true } },
        { kind: 'drop-address', ip: ip(1) },
      ])
      expect(findings).toMatchObject([{ level: 'error', fields: { eni: 'eni-1', podsCutOff: ip(2) } }])
    })

    test('is dropped when no pod carries anything of it', () => {
      const state = recorded()
      state.apply([{ kind: 'drop-address', ip: ip(2) }])
      expect(twice(state).changes).toEqual([{ kind: 'drop-eni', key: 'k1' }])
    })

    test('is attached again when it comes back, and its pods keep their addresses', () => {
      const state = recorded()
      state.apply(twice(state).changes)
      expect(run({ state }).changes).toEqual([])
      expect(run({ state, cloud: [cloudEni('eni-1')] }).changes).toMatchObject([
        { kind: 'put-eni', eni: { phase: 'attaching' } },
        { kind: 'put-address', address: { ip: ip(2), phase: 'owned', owner: 'c/eth0' } },
      ])
    })
  })

  test('one that somebody detached is attached again', () => {
    const { changes, findings } = run({ state: recorded(), cloud: [available('eni-1', [['creator', 'terway']])] })
    expect(changes).toMatchObject([{ kind: 'put-eni', eni: { id: 'eni-1', phase: 'attaching' } }])
    expect(findings).toMatchObject([{ level: 'error', fields: { status: 'Available' } }])
  })

  test('one that somebody moved to another node is lost to this one', () => {
    const cloud = [cloudEni('eni-1', { instanceId: parseCloudId<InstanceId>('i-other') })]
    expect(run({ state: recorded(), cloud }).changes[0]).toMatchObject({ kind: 'put-eni', eni: { phase: 'lost' } })
  })

  test('one recorded after the cloud was asked is left alone', () => {
    expect(run({ state: recorded(), settledBefore: -1 }).changes).toEqual([])
  })
})

describe('addresses of an ENI on record', () => {
  test('nothing changes when both sides agree', () => {
    expect(run({ state: recorded(), cloud: [cloudEni('eni-1')] })).toMatchObject({ changes: [], findings: [] })
  })

  test('a stranger is believed only when it is seen twice', () => {
    const cloud = [cloudEni('eni-1', { ips: [ip(1), ip(2), ip(3)] })]
    const first = run({ state: recorded(), cloud })
    expect(first).toMatchObject({ changes: [], suspicions: { strangers: new Set([ip(3)]) } })
    const second = run({ state: recorded(), cloud, suspicions: first.suspicions })
    expect(second.changes).toMatchObject([{ kind: 'put-address', address: { ip: ip(3), phase: 'warm' } }])
  })

  test('what an assign under way brings is left to it', () => {
    const state = recorded()
    state.assigns.set('t' as AssignToken, { token: 't' as AssignToken, eni: 'k1' as EniKey, count: 1, since: 0 })
    const cloud = [cloudEni('eni-1', { ips: [ip(1), ip(2), ip(3)] })]
    expect(run({ state, cloud, suspicions: { ...NO_SUSPICIONS, strangers: new Set([ip(3)]) } }).changes).toEqual([])
  })

  test('a ghost is out of use, and the pod that has it is reported', () => {
    const { changes, findings } = run({ state: recorded(), cloud: [cloudEni('eni-1', { ips: [ip(1)] })] })
    expect(changes).toMatchObject([{ kind: 'put-address', address: { ip: ip(2), phase: 'owned', lost: true } }])
    expect(findings).toMatchObject([{ level: 'error', fields: { ip: ip(2), owner: 'c/eth0' } }])
    const state = recorded()
    state.apply(changes)
    expect(run({ state, cloud: [cloudEni('eni-1', { ips: [ip(1)] })] }).findings).toEqual([])
  })

  test('a ghost that nobody has is forgotten', () => {
    const { changes } = run({ state: recorded(), cloud: [cloudEni('eni-1', { primaryIp: ip(2), ips: [ip(2)] })] })
    expect(changes).toEqual([{ kind: 'drop-address', ip: ip(1) }])
  })
})
