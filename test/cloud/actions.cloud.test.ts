/** Every action of the client against the simulator, which has the API's names and rules from other hands. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Cloud } from '../../cloud/cloud.ts'
import type { CreateEni } from '../../cloud/ecs/eni-actions.ts'
import {
  type EniId,
  type InstanceId,
  parseCloudId,
  type RouteTableId,
  type SecurityGroupId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../../cloud/ids.ts'
import type { Route } from '../../cloud/vpc/route.ts'
import { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import { parseCidr, parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { DUAL_STACK } from '../simulator/dual-stack.ts'
import { NO_LATENCY, testRegion } from '../simulator/region.ts'
import { RegionUnderTest } from './region-under-test.ts'

const VPC = parseCloudId<VpcId>('vpc-sim')
const VSWITCH = parseCloudId<VSwitchId>('vsw-sim-h')
const OTHER_VSWITCH = parseCloudId<VSwitchId>('vsw-sim-i')
const ZONE = parseCloudId<ZoneId>('cn-sim-h')
const NODE = parseCloudId<InstanceId>('i-sim-a')
const NODE_B = parseCloudId<InstanceId>('i-sim-b')
const GROUP = parseCloudId<SecurityGroupId>('sg-sim')

let under: RegionUnderTest
let cloud: Cloud

beforeAll(async () => {
  under = await RegionUnderTest.start(testRegion({ ...DUAL_STACK, latencies: { ...NO_LATENCY, attach: 20 } }), 10)
  cloud = under.client().cloud
})
afterAll(async () => {
  await under.stop()
})

const request = (more: Partial<CreateEni> = {}): CreateEni => ({
  ...{ vSwitchId: VSWITCH, securityGroupIds: [GROUP], tags: { creator: 'terway' }, clientToken: randomUUID() },
  ...more,
})

async function untilStatus(id: EniId, wanted: string): Promise<void> {
  while (((await cloud.describeEni(id))?.status ?? 'gone') !== wanted) await new Promise((r) => setTimeout(r, 5))
}

async function remove(id: EniId, trunk?: EniId): Promise<void> {
  await cloud.detachEni(id, NODE, trunk === undefined ? {} : { trunk })
  await untilStatus(id, 'Available')
  await cloud.deleteEni(id)
  await untilStatus(id, 'gone')
}

describe('an ENI', () => {
  test('is made as asked for, once for a token, and listed as made', async () => {
    const wanted = request({
      ...{ secondaryIps: 2, ipv6s: 1, name: 'terway', description: 'a test', deleteOnRelease: true },
      tags: { creator: 'terway', team: 'net' },
    })
    const made = await cloud.createEni(wanted)
    expect(made).toMatchObject({
      ...{ status: 'Available', type: 'Secondary', vpcId: VPC, vSwitchId: VSWITCH, zoneId: ZONE },
      ...{ name: 'terway', description: 'a test', securityGroupIds: [GROUP], ipv4Prefixes: [], ipv6Prefixes: [] },
      tags: new Map([
        ['creator', 'terway'],
        ['team', 'net'],
      ]),
    })
    expect([made.ips.length, made.ipv6s.length, made.ips[0]]).toEqual([3, 1, made.primaryIp])
    expect((await cloud.createEni(wanted)).id).toBe(made.id)
    const [listed] = await cloud.describeEnis({ ids: [made.id, parseCloudId<EniId>('eni-none')] })
    expect(listed).toMatchObject({ ...made, deleteOnRelease: true, trafficMode: 'Standard' })
    expect(await cloud.describeEni(made.id)).toMatchObject({ ...listed, memberIds: [] })
    await cloud.deleteEni(made.id)
    await untilStatus(made.id, 'gone')
    await expect(cloud.deleteEni(made.id)).resolves.toBeUndefined()
    await expect(cloud.detachEni(made.id, NODE)).resolves.toBeUndefined()
  })

  test('with named addresses and prefixes', async () => {
    const made = await cloud.createEni(
      request({ primaryIp: parseIpv4('10.0.1.200'), secondaryIps: [parseIpv4('10.0.1.201')] }),
    )
    expect(made.ips).toEqual(['10.0.1.200', '10.0.1.201'])
    const prefixes = await cloud.createEni(request({ ipv4Prefixes: 1, ipv6Prefixes: 1 }))
    expect([prefixes.ipv4Prefixes.length, prefixes.ipv6Prefixes.length]).toEqual([1, 1])
    expect([prefixes.ipv4Prefixes[0], prefixes.ipv6Prefixes[0]]).toEqual([
      expect.stringMatching(/\/28$/),
      expect.stringMatching(/\/80$/),
    ])
    for (const { id } of [made, prefixes]) await cloud.deleteEni(id)
  })

  test('is attached, found by every filter, changed and removed', async () => {
    const { id, primaryIp } = await cloud.createEni(request())
    await cloud.attachEni(id, NODE)
    await untilStatus(id, 'InUse')
    const filters = [
      { instanceId: NODE, type: 'Secondary' },
      { status: 'InUse', type: 'Secondary', vSwitchId: VSWITCH },
      { vpcId: VPC, securityGroupId: GROUP, tags: { creator: 'terway' } },
      { ips: [primaryIp] },
    ] as const
    for (const filter of filters) expect((await cloud.describeEnis(filter)).map((eni) => eni.id)).toEqual([id])
    expect(await cloud.describeEni(id)).toMatchObject({ instanceId: NODE, deviceIndex: expect.any(Number) })
    const groups = [parseCloudId<SecurityGroupId>('sg-b'), parseCloudId<SecurityGroupId>('sg-c')]
    await cloud.modifyEni(id, { securityGroupIds: groups, name: 'new-name', deleteOnRelease: false })
    const changed = await cloud.describeEni(id)
    expect(changed).toMatchObject({ name: 'new-name', deleteOnRelease: false })
    expect([...(changed?.securityGroupIds ?? [])].sort()).toEqual(groups)
    await remove(id)
  })

  test('carries members when it is a trunk', async () => {
    const trunk = await cloud.createEni(request({ type: 'Trunk' }))
    await cloud.attachEni(trunk.id, NODE)
    await untilStatus(trunk.id, 'InUse')
    const member = await cloud.createEni(request())
    await cloud.attachEni(member.id, NODE, { trunk: trunk.id })
    await untilStatus(member.id, 'InUse')
    expect(await cloud.describeEni(member.id)).toMatchObject({
      ...{ type: 'Member', trunkId: trunk.id, instanceId: NODE, vlanId: expect.any(Number) },
    })
    expect(await cloud.describeEni(trunk.id)).toMatchObject({ type: 'Trunk', memberIds: [member.id] })
    await remove(member.id, trunk.id)
    await remove(trunk.id)
  })
})

test('addresses and prefixes of every kind come and go, also when they are gone already', async () => {
  const { id } = await cloud.createEni(request())
  const token = () => randomUUID()
  const ips = await cloud.assignIps(id, 3, token())
  const named = await cloud.assignIps(id, [parseIpv4('10.0.1.210')], token())
  const ipv4Prefixes = await cloud.assignIpv4Prefixes(id, 2, token())
  const ipv6s = await cloud.assignIpv6s(id, 2, token())
  const namedIpv6s = await cloud.assignIpv6s(id, [parseIpv6('2001:db8:0:1a01::beef')], token())
  const ipv6Prefixes = await cloud.assignIpv6Prefixes(id, 1, token())
  const eni = await cloud.describeEni(id)
  expect(eni?.ips.slice(1).toSorted()).toEqual([...ips, ...named].sort())
  expect(eni?.ipv4Prefixes.toSorted()).toEqual(ipv4Prefixes.sort())
  expect(eni?.ipv6s.toSorted()).toEqual([...ipv6s, ...namedIpv6s].sort())
  expect(eni?.ipv6Prefixes).toEqual(ipv6Prefixes)

  await cloud.unassignIps(id, named)
  // One of them is gone: the API refuses them all, and the client sees the rest off.
  await cloud.unassignIps(id, [...named, ...ips])
  for (let time = 0; time < 2; time++) {
    await cloud.unassignIpv4Prefixes(id, ipv4Prefixes)
    await cloud.unassignIpv6s(id, [...ipv6s, ...namedIpv6s])
    await cloud.unassignIpv6Prefixes(id, ipv6Prefixes)
  }
  const bare = await cloud.describeEni(id)
  expect(bare?.ips).toHaveLength(1)
  expect([bare?.ipv4Prefixes, bare?.ipv6s, bare?.ipv6Prefixes]).toEqual([[], [], []])
  await cloud.deleteEni(id)
})

test('a token gives the same addresses again', async () => {
  const { id } = await cloud.createEni(request())
  const token = randomUUID()
  const first = await cloud.assignIps(id, 2, token)
  expect((await cloud.assignIps(id, 2, token)).toSorted()).toEqual(first.toSorted())
  expect((await cloud.describeEni(id))?.ips).toHaveLength(3)
  await cloud.deleteEni(id)
})

describe('what is only looked at', () => {
  test('instances, by id and by tag', async () => {
    const found = await cloud.describeInstances({ ids: [NODE_B, parseCloudId<InstanceId>('i-none')] })
    expect(found).toMatchObject([
      {
        id: NODE_B,
        status: 'Running',
        type: 'ecs.g7.xlarge',
        zoneId: 'cn-sim-i',
        vpcId: VPC,
        vSwitchId: OTHER_VSWITCH,
      },
    ])
    expect(found[0]?.enis.map(({ type }) => type)).toEqual(['Primary'])
    expect((await cloud.describeInstances({ tags: { pool: 'spot' } })).map(({ id }) => id)).toEqual(['i-sim-small'])
    expect((await cloud.describeInstances({ vpcId: VPC, zoneId: ZONE })).length).toBe(3)
  })

  test('instance types', async () => {
    const [type] = await cloud.describeInstanceTypes(['ecs.g7.xlarge', 'ecs.none.large'])
    expect(type).toMatchObject({ eniQuantity: 4, eniTotalQuantity: 20, trunkSupported: true, ipv4PerEni: 15 })
    await expect(cloud.describeInstanceType('ecs.none.large')).rejects.toMatchObject({ kind: 'not-found' })
  })

  test('security groups', async () => {
    const ids = (await cloud.describeSecurityGroups({ vpcId: VPC })).map(({ id }) => id)
    expect(ids.sort()).toEqual(['sg-apart', 'sg-b', 'sg-c', 'sg-sim'])
    const [apart] = await cloud.describeSecurityGroups({ ids: [parseCloudId<SecurityGroupId>('sg-apart')] })
    expect(apart).toMatchObject({ id: 'sg-apart', type: 'enterprise', vpcId: VPC })
  })

  test('vSwitches and the VPC', async () => {
    const [here] = await cloud.describeVSwitches({ vpcId: VPC, zoneId: ZONE })
    expect(here).toMatchObject({ id: VSWITCH, cidr: '10.0.1.0/24', ipv6Cidr: '2001:db8:0:1a01::/64' })
    const both = await cloud.describeVSwitches({ ids: [VSWITCH, OTHER_VSWITCH, parseCloudId<VSwitchId>('vsw-none')] })
    expect(both.map(({ id }) => id)).toEqual([VSWITCH, OTHER_VSWITCH])
    expect(both[1]).not.toHaveProperty('ipv6Cidr')
    await expect(cloud.describeVSwitch(parseCloudId<VSwitchId>('vsw-none'))).rejects.toMatchObject({
      kind: 'not-found',
    })
    const vpc = await cloud.describeVpc(VPC)
    expect(vpc).toMatchObject({ id: VPC, cidr: '10.0.0.0/16', ipv6Cidr: '2001:db8:0:1a00::/56' })
    expect([...(vpc?.vSwitchIds ?? [])].sort()).toEqual([VSWITCH, OTHER_VSWITCH])
    expect(await cloud.describeVpc(parseCloudId<VpcId>('vpc-none'))).toBeUndefined()
  })
})

test('tags are added, listed and taken away', async () => {
  const { id } = await cloud.createEni(request())
  await cloud.tag('eni', [id], { a: '1', b: '2' })
  const listed = await cloud.listTags('eni', { ids: [id] })
  expect(listed.map(({ key, value }) => `${key}=${value}`).sort()).toEqual(['a=1', 'b=2', 'creator=terway'])
  await cloud.untag('eni', [id, 'eni-none'], ['a', 'b'])
  expect((await cloud.describeEni(id))?.tags).toEqual(new Map([['creator', 'terway']]))
  await cloud.deleteEni(id)
})

describe('routes', () => {
  const route = (third: number, id: InstanceId = NODE): Route => ({
    ...{ cidr: parseCidr(`172.20.${third}.0/24`), nextHop: { type: 'Instance', id }, name: `pods-${third}` },
  })
  const target = async () => {
    const [table] = await cloud.describeRouteTables({ vpcId: VPC, type: 'System' })
    return { vpcId: VPC, routeTableId: table?.id ?? parseCloudId<RouteTableId>('vtb-none') }
  }
  const custom = async () => {
    const { routeTableId } = await target()
    const entries = await cloud.describeRouteEntries({ routeTableId, type: 'Custom' })
    return entries.map(({ cidr, nextHopIds }) => `${cidr} ${nextHopIds.join()}`).sort()
  }

  test('are made together and one by one, at the same time, and deleted', async () => {
    const to = await target()
    const [batch, single] = await Promise.all([
      cloud.createRouteEntries(to, [route(1), route(2, NODE_B)]),
      cloud.createRouteEntry(to, route(3), randomUUID()),
    ])
    expect(batch.map(({ error }) => error)).toEqual([undefined, undefined])
    expect(await custom()).toEqual(['172.20.1.0/24 i-sim-a', '172.20.2.0/24 i-sim-b', '172.20.3.0/24 i-sim-a'])
    // Ours counts as made; one that leads elsewhere does not.
    const again = await cloud.createRouteEntries(to, [route(1), route(2)])
    expect(again.map(({ error }) => error?.code)).toEqual([undefined, 'VPC_ROUTE_ENTRY_CIDR_BLOCK_DUPLICATE'])
    expect(await cloud.createRouteEntry(to, route(3), randomUUID())).toBe(single)
    await Promise.all([cloud.deleteRouteEntry(to, single), cloud.deleteRouteEntries(to, [route(1), route(2, NODE_B)])])
    expect(await custom()).toEqual([])
    await expect(cloud.deleteRouteEntry(to, single)).resolves.toBeUndefined()
    expect((await cloud.deleteRouteEntries(to, [route(1)]))[0]).not.toHaveProperty('error')
  })

  test('that the VPC refuses say why, each for itself', async () => {
    const to = await target()
    const inVSwitch = { ...route(9), cidr: parseCidr('10.0.1.0/24') }
    const results = await cloud.createRouteEntries(to, [route(4), inVSwitch])
    expect(results.map(({ error }) => error === undefined)).toEqual([true, false])
    await expect(cloud.createRouteEntry(to, inVSwitch, randomUUID())).rejects.toMatchObject({ name: 'CloudError' })
    await cloud.deleteRouteEntries(to, [route(4)])
  })
})

test('the vSwitches of a node are chosen with one listing', async () => {
  const before = (await under.audit('DescribeVSwitches')).length
  const vSwitches = new VSwitches({
    ...{ cloud, vpcId: VPC, zone: ZONE, allowed: [VSWITCH, OTHER_VSWITCH], now: Date.now, policy: 'most' },
  })
  const chosen = await Promise.all(Array.from({ length: 10 }, () => vSwitches.choose(10)))
  expect(new Set(chosen.map((vSwitch) => vSwitch?.id))).toEqual(new Set([VSWITCH]))
  // And one by id, for the one that the zone does not have.
  expect((await under.audit('DescribeVSwitches')).length - before).toBe(2)
  expect(vSwitches.problems).toEqual([expect.stringContaining('vsw-sim-i is in cn-sim-i')])
})

test('a listing of many pages names everything once', async () => {
  const wide = await RegionUnderTest.start(
    testRegion({
      vSwitches: [{ id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.16.0/20' }],
      ...{ nodes: [], latencies: NO_LATENCY },
    }),
  )
  const client = wide.client({ rateLimit: { perAction: { CreateNetworkInterface: 1_000_000 }, burstSize: 1_000 } })
  const made = await Promise.all(Array.from({ length: 510 }, () => client.cloud.createEni(request())))
  const listed = await client.cloud.describeEnis({ tags: { creator: 'terway' } })
  expect(listed.map(({ id }) => id).sort()).toEqual(made.map(({ id }) => id).sort())
  expect(await wide.audit('DescribeNetworkInterfaces')).toHaveLength(2)
  await wide.stop()
})
