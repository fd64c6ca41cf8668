import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { parseCidr, parseIpv6 } from '../../inet/address.ts'
import { createNamedNetns, warmThreadPool } from '../../netlink/netns.ts'
import { Guest, H6, I6, NODE_A, NODE_B, plug, SYSTEM_TABLE, securityGroups, VPC } from '../../test/simulator/fabric.ts'
import { ownPrefix, removeByPrefix } from '../../test/simulator/prefix.ts'
import type { SecurityGroupId } from '../region/ids.ts'
import { Fabric } from './fabric.ts'
import type { Plug } from './plug.ts'

const PREFIX = await ownPrefix('ipv6')
const ips = (...texts: string[]) => texts.map(parseIpv6)
const A: Plug = { ...plug(1, NODE_A, H6, '10.0.1.10'), kind: 'primary', ipv6s: ips('fd00:0:0:1::10') }
/** In the same vSwitch, on the other node. */
const B: Plug = { ...plug(2, NODE_B, H6, '10.0.1.11'), kind: 'primary', ipv6s: ips('fd00:0:0:1::11') }
const SECOND_B: Plug = { ...plug(3, NODE_B, I6, '10.0.2.20'), ipv6s: ips('fd00:0:0:2::20') }
const PREFIX_B = parseCidr('fd00:0:0:2:7::/80')

let fabric: Fabric
let a: Guest
let b: Guest

beforeAll(warmThreadPool)

beforeEach(async () => {
  const groups = securityGroups({ id: 'sg-closed' })
  fabric = await Fabric.start({ ...VPC, prefix: PREFIX, vSwitches: [H6, I6], securityGroups: groups })
  a = new Guest(fabric.netnsOf(NODE_A))
  b = new Guest(fabric.netnsOf(NODE_B))
  await fabric.sync([A, B])
})

afterEach(async () => {
  await fabric.stop()
  removeByPrefix(PREFIX)
})

/** What the guest does for an address of an ENI: what comes from it leaves by the ENI, by its vSwitch's gateway. */
async function configure(guest: Guest, link: 'eth0' | 'eth1', address: string): Promise<void> {
  const vSwitch = link === 'eth0' ? H6 : I6
  await guest.ip(`link set ${link} up`)
  await guest.ip(`address add ${address}/128 dev ${link} nodad`)
  await guest.ip(`-6 route replace default via ${vSwitch.ipv6?.gateway} dev ${link} onlink table 7`)
  await guest.ip(`-6 rule add from ${address} table 7`)
}

test('a dual-stack guest reaches its own vSwitch, the gateway by both names, and no unassigned address', async () => {
  expect(await a.ip('-6 address show dev eth0 scope global')).toContain('fd00:0:0:1::10/64')
  expect(await a.pings('fd00:0:0:1::11')).toBe(true)
  expect(await a.ip('-6 neigh show fd00:0:0:1::11 dev eth0')).toContain('lladdr ee:ff:ff:ff:ff:ff')
  expect(await a.pings('fd00:0:0:1:ffff:ffff:ffff:fff7')).toBe(true)
  expect(await a.pings('fe80::ecff:ffff:feff:ffff%eth0')).toBe(true)
  expect(await a.pings('fd00:0:0:1::99')).toBe(false)
  expect(await a.ip('-6 neigh show fd00:0:0:1::99 dev eth0')).not.toContain('lladdr')
  expect(await a.pings('fd00:0:0:2::99')).toBe(false)
  expect((await fabric.counters()).get(A.eniId)).toMatchObject({ droppedSource: 0, droppedUnassigned: 1 })
})

test('a source that is not assigned is dropped and counted', async () => {
  await a.ip('address add fd00:0:0:1::66/128 dev eth0 nodad')
  expect(await a.pings('fd00:0:0:1::11', '-I', 'fd00:0:0:1::66')).toBe(false)
  expect((await fabric.counters()).get(A.eniId)?.droppedSource).toBeGreaterThan(0)
})

test('addresses and prefixes of a secondary ENI follow it', async () => {
  await fabric.sync([A, B, { ...SECOND_B, ipv6Prefixes: [PREFIX_B] }])
  await configure(b, 'eth1', 'fd00:0:0:2::20')
  await configure(b, 'eth1', 'fd00:0:0:2:7::1')
  for (const address of ['fd00:0:0:2::20', 'fd00:0:0:2:7::1']) {
    expect(await a.pings(address)).toBe(true)
    expect(await b.pings('fd00:0:0:1::10', '-I', address)).toBe(true)
  }
  await fabric.sync([A, B, SECOND_B])
  expect(await a.pings('fd00:0:0:2::20')).toBe(true)
  expect(await a.pings('fd00:0:0:2:7::1')).toBe(false)
})

test('a prefix behind an ENI is reached, and reaches everybody, while there is an entry for it', async () => {
  await configure(b, 'eth0', 'fd00:99::5')
  const pods = { destination: parseCidr('fd00:99::/64'), routeTable: SYSTEM_TABLE.id, eni: B.eniId }
  for (const routes of [[pods], []]) {
    await fabric.sync([A, B], routes)
    expect(await a.pings('fd00:99::5')).toBe(routes.length > 0)
    expect(await b.pings('fd00:0:0:1::10', '-I', 'fd00:99::5')).toBe(routes.length > 0)
  }
})

test('an address moves from one ENI to another in one step', async () => {
  const moving = ips('fd00:0:0:1::77')
  await fabric.sync([{ ...A, ipv6s: [...A.ipv6s, ...moving] }, B])
  await b.ip('address add fd00:0:0:1::77/128 dev lo nodad')
  await fabric.sync([A, { ...B, ipv6s: [...B.ipv6s, ...moving] }])
  expect(await a.pings('fd00:0:0:1::77')).toBe(true)
})

test('nobody answers for an address to the guest that has it', async () => {
  const shared = ips('fd00:0:0:1::77')
  await fabric.sync([{ ...A, ipv6s: [...A.ipv6s, ...shared] }, B])
  expect(await a.pings('fd00:0:0:1::77')).toBe(false)
  expect(await a.ip('-6 neigh show fd00:0:0:1::77 dev eth0')).not.toContain('lladdr')
  expect(await b.pings('fd00:0:0:1::77')).toBe(false)
})

test('a pod behind a node is found by the link-local address of the node', async () => {
  const pod = new Guest(createNetns('pod'))
  const withPod = { ...A, ipv6s: [...A.ipv6s, ...ips('fd00:0:0:1::50')] }
  await fabric.sync([withPod, B])
  await a.ip(`link add vpod type veth peer name eth0 netns ${PREFIX}-pod`)
  for (const command of ['link set vpod up', 'address add fe80::1/64 dev vpod nodad']) await a.ip(command)
  await a.ip('route add fd00:0:0:1::50/128 dev vpod')
  await a.run('sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1')
  await pod.ip('address add fd00:0:0:1::50/128 dev eth0 nodad')
  await pod.ip('link set eth0 up')
  await pod.ip('-6 route add default via fe80::1 dev eth0')
  expect(await pod.pings('fd00:0:0:1::11', '-c', '3', '-i', '0.3')).toBe(true)
})

function createNetns(name: string): string {
  createNamedNetns(`${PREFIX}-${name}`)
  return `${PREFIX}-${name}`
}

test('security groups are for IPv6 as well', async () => {
  const closed = ['sg-closed' as SecurityGroupId]
  await fabric.sync([A, { ...B, securityGroupIds: closed }])
  expect(await a.pings('fd00:0:0:1::11')).toBe(false)
  expect((await fabric.counters()).get(B.eniId)).toMatchObject({ droppedIngress: 1 })
  await fabric.sync([
    { ...A, securityGroupIds: closed },
    { ...B, securityGroupIds: closed },
  ])
  expect(await a.pings('fd00:0:0:1::11')).toBe(true)
})

test('a packet that is too big comes back as such', async () => {
  await a.ip('link set eth0 mtu 9000')
  const answer = await a
    .run('ping', '-n', '-c', '1', '-W', '1', '-M', 'do', '-s', '3000', 'fd00:0:0:1::11')
    .catch(String)
  expect(answer).not.toContain(' 0% packet loss')
  expect(await a.ip('-6 route get fd00:0:0:1::11')).toContain('mtu 1500')
  expect((await fabric.counters()).get(A.eniId)).toMatchObject({ droppedMtu: 1 })
})
