import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr, parseIpv4 } from '../../inet/address.ts'
import { warmThreadPool } from '../../netlink/netns.ts'
import {
  Guest,
  H,
  I,
  NODE_A,
  NODE_B,
  plug,
  SERVICE,
  SYSTEM_TABLE,
  securityGroups,
  VPC,
} from '../../test/simulator/fabric.ts'
import { ownPrefix, removeByPrefix } from '../../test/simulator/prefix.ts'
import type { RouteTableId, SecurityGroupId } from '../region/ids.ts'
import type { RouteTable } from '../region/region.ts'
import { Fabric } from './fabric.ts'
import type { FabricRoute, Plug } from './plug.ts'

const PREFIX = await ownPrefix('routes')
const A: Plug = { ...plug(1, NODE_A, H, '10.0.1.10'), kind: 'primary' }
const B: Plug = { ...plug(2, NODE_B, I, '10.0.2.10'), kind: 'primary' }
const CUSTOM_TABLE: RouteTable = { id: 'vtb-custom' as RouteTableId, type: 'Custom', vSwitches: [I.id] }
const POD_A = '172.20.1.5'
/** The pods of node a are behind it. */
const PODS_A: FabricRoute = { destination: parseCidr('172.20.1.0/24'), routeTable: SYSTEM_TABLE.id, eni: A.eniId }

let fabric: Fabric
let a: Guest
let b: Guest

beforeAll(warmThreadPool)

async function start(routeTables: readonly RouteTable[]): Promise<void> {
  const groups = securityGroups({ id: 'sg-a' }, { id: 'sg-b', rules: [{ direction: 'ingress', group: 'sg-a' }] })
  fabric = await Fabric.start({ ...VPC, prefix: PREFIX, routeTables, securityGroups: groups })
  a = new Guest(fabric.netnsOf(NODE_A))
  b = new Guest(fabric.netnsOf(NODE_B))
  await fabric.sync([A, B])
  await a.ip(`address add ${POD_A}/32 dev lo`)
}

afterEach(async () => {
  await fabric.stop()
  removeByPrefix(PREFIX)
})

describe('in the system table', () => {
  beforeEach(() => start([SYSTEM_TABLE]))

  test('a prefix behind an instance is reached, and reaches everybody, while there is an entry for it', async () => {
    for (const routes of [[], [PODS_A], []]) {
      await fabric.sync([A, B], routes)
      expect(await b.pings(POD_A)).toBe(routes.length > 0)
      expect(await a.pings('10.0.2.10', '-I', POD_A)).toBe(routes.length > 0)
      expect(await a.pings(SERVICE, '-I', POD_A)).toBe(routes.length > 0)
    }
    const counters = await fabric.counters()
    expect(counters.get(A.eniId)).toMatchObject({ droppedSource: 4 })
    expect(counters.get(B.eniId)).toMatchObject({ droppedUnassigned: 2 })
  })

  test('an entry comes and goes with the ENI it leads to, and moves to another', async () => {
    await fabric.sync([B], [PODS_A])
    expect(await b.pings(POD_A)).toBe(false)
    await fabric.sync([A, B], [PODS_A])
    expect(await b.pings(POD_A)).toBe(true)
    await fabric.sync([A, B], [{ ...PODS_A, eni: B.eniId }])
    await b.ip(`address add ${POD_A}/32 dev lo`)
    expect(await a.pings('10.0.2.10', '-I', '10.0.1.10')).toBe(true)
    expect(await b.pings('10.0.1.10', '-I', POD_A)).toBe(false) // a has the address itself
    expect((await fabric.counters()).get(B.eniId)).toMatchObject({ droppedSource: 0 })
  })

  test('entries inside each other: the longest prefix wins', async () => {
    const wide = { ...PODS_A, destination: parseCidr('172.20.0.0/16'), eni: B.eniId }
    await fabric.sync([A, B], [wide, { ...wide, destination: parseCidr('172.20.2.0/24') }, PODS_A])
    expect(await b.pings(POD_A)).toBe(true)
    await b.ip('address add 172.20.2.5/32 dev lo')
    expect(await a.pings('172.20.2.5')).toBe(true)
  })

  test('the check of source and destination of an ENI lets neither in nor out what is not its own', async () => {
    await fabric.sync([{ ...A, sourceDestCheck: true }, B], [PODS_A])
    expect(await b.pings(POD_A)).toBe(false)
    expect(await a.pings('10.0.2.10', '-I', POD_A)).toBe(false)
    expect(await a.pings('10.0.2.10')).toBe(true)
  })

  test('what is behind an instance is in its security groups', async () => {
    const groups = (id: string) => [id as SecurityGroupId]
    const plugs = [
      { ...A, securityGroupIds: groups('sg-a') },
      { ...B, securityGroupIds: groups('sg-b') },
    ]
    await fabric.sync(plugs, [PODS_A])
    expect(await a.pings('10.0.2.10', '-I', POD_A)).toBe(true)
    expect(await b.pings(POD_A)).toBe(false)
    expect((await fabric.counters()).get(A.eniId)).toMatchObject({ droppedIngress: 1 })
  })

  test('no entry leads away an address of a vSwitch', async () => {
    await fabric.sync([A, B], [{ ...PODS_A, destination: parseCidr('0.0.0.0/0') }])
    expect(await b.pings('10.0.1.99')).toBe(false)
    expect(await b.pings(POD_A)).toBe(true)
    expect((await fabric.counters()).get(B.eniId)).toMatchObject({ droppedUnassigned: 1 })
  })
})

test('a custom table is for its vSwitches, and the system table for the others', async () => {
  await start([SYSTEM_TABLE, CUSTOM_TABLE])
  const third: Plug = { ...plug(3, NODE_A, H, '10.0.1.30'), kind: 'secondary' }
  await fabric.sync([A, B, third], [PODS_A])
  expect(await b.pings(POD_A)).toBe(false)
  await fabric.sync([A, B, third], [{ ...PODS_A, routeTable: CUSTOM_TABLE.id }])
  expect(await b.pings(POD_A)).toBe(true)
  // What is in no entry of the custom table any more is in none.
  const all = { ...PODS_A, destination: parseCidr('0.0.0.0/0'), routeTable: CUSTOM_TABLE.id }
  for (const entries of [[all], []]) {
    await fabric.sync([A, B, third], [PODS_A, ...entries])
    expect(await b.pings(POD_A)).toBe(entries.length > 0)
  }
  // What is behind b goes by the custom table, the answers of the services to it as well.
  const podsB = { destination: parseCidr('172.20.2.0/24'), routeTable: CUSTOM_TABLE.id, eni: B.eniId }
  await fabric.sync([A, B, third], [podsB])
  await b.ip('address add 172.20.2.5/32 dev lo')
  expect(await b.pings(SERVICE, '-I', '172.20.2.5')).toBe(true)
  expect(await a.pings('172.20.2.5')).toBe(false)
  // Of two entries for one prefix each is for its own table.
  await fabric.sync(
    [A, B, third],
    [
      { ...PODS_A, routeTable: CUSTOM_TABLE.id },
      { ...PODS_A, eni: B.eniId },
    ],
  )
  expect(await b.pings(POD_A)).toBe(true)
})

describe('addresses of an ENI', () => {
  beforeEach(() => start([SYSTEM_TABLE]))

  test('a prefix is the ENI’s, all of it and nothing beside it', async () => {
    const withPrefix = { ...A, ipv4Prefixes: [parseCidr('10.0.1.32/28')] }
    for (const last of [32, 47, 48]) await a.ip(`address add 10.0.1.${last}/32 dev lo`)
    for (const [plugged, inside] of [
      [withPrefix, true],
      [A, false],
    ] as const) {
      await fabric.sync([plugged, B])
      expect(await b.pings('10.0.1.32')).toBe(inside)
      expect(await b.pings('10.0.1.47')).toBe(inside)
      expect(await a.pings('10.0.2.10', '-I', '10.0.1.47')).toBe(inside)
      expect(await b.pings('10.0.1.48')).toBe(false)
    }
  })

  test('a packet that is too big comes back as such, or in pieces', async () => {
    await a.ip('link set eth0 mtu 9000')
    const answer = await a.run('ping', '-n', '-c', '1', '-W', '1', '-M', 'do', '-s', '3000', '10.0.2.10').catch(String)
    expect(answer).not.toContain(' 0% packet loss')
    expect(await a.ip('route get 10.0.2.10')).toContain('mtu 1500')
    expect((await fabric.counters()).get(A.eniId)).toMatchObject({ droppedMtu: 1 })
    expect(await a.pings('10.0.2.10', '-M', 'dont', '-s', '3000')).toBe(true)
    expect((await fabric.counters()).get(A.eniId)).toMatchObject({ droppedMtu: 1 })
  })

  test('a link that its guest has destroyed holds nothing up', async () => {
    const ips = ['10.0.1.30', '10.0.1.31'].map((text) => parseIpv4(text))
    const second: Plug = { ...plug(3, NODE_A, H, '10.0.1.30'), ips }
    await fabric.sync([A, B, second])
    await a.ip('link del eth1')
    await fabric.sync([A, B, { ...second, ips: ips.slice(0, 1) }])
    await fabric.sync([A, B])
    await fabric.sync([A, B, second])
    expect(await a.ip('-o link show eth1')).toContain(second.mac)
  })
})

test('nothing is left in the VPC of what was plugged', async () => {
  await start([SYSTEM_TABLE, CUSTOM_TABLE])
  const vpc = new Guest(fabric.vpcNetns)
  const state = async () => [
    await vpc.ip('route show table all'),
    await vpc.ip('neigh show nud permanent'),
    await vpc.run('nft', '-s', 'list', 'ruleset'),
  ]
  await fabric.sync([])
  const empty = await state()
  const second = { ...plug(3, NODE_B, I, '10.0.2.30'), ipv4Prefixes: [parseCidr('10.0.2.32/28')] }
  await fabric.sync([A, B, second], [PODS_A, { ...PODS_A, routeTable: CUSTOM_TABLE.id, eni: second.eniId }])
  expect(await state()).not.toEqual(empty)
  await fabric.sync([])
  expect(await state()).toEqual(empty)
})
