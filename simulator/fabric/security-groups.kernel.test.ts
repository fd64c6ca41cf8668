import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr } from '../../inet/address.ts'
import { warmThreadPool } from '../../netlink/netns.ts'
import { sendUdp } from '../../test/kernel/udp.ts'
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
import type { SecurityGroupId } from '../region/ids.ts'
import { Fabric, type LinkCounters } from './fabric.ts'
import { netnsPath } from './netns.ts'
import type { Plug } from './plug.ts'

const PREFIX = await ownPrefix('groups')
const A_IP = '10.0.1.10'
const B_IP = '10.0.2.10'
const A: Plug = { ...plug(1, NODE_A, H, A_IP), kind: 'primary' }
const B: Plug = { ...plug(2, NODE_B, I, B_IP), kind: 'primary' }

let fabric: Fabric
let a: Guest
let b: Guest

/** Node a in `sg-a`, node b in `sg-b`, unless it is said otherwise. */
async function start(...groups: readonly object[]): Promise<void> {
  fabric = await Fabric.start({ ...VPC, prefix: PREFIX, securityGroups: securityGroups(...groups) })
  a = new Guest(fabric.netnsOf(NODE_A))
  b = new Guest(fabric.netnsOf(NODE_B))
  await put(['sg-a'], ['sg-b'])
}

async function put(ofA: readonly string[], ofB: readonly string[]): Promise<void> {
  await fabric.sync([
    { ...A, securityGroupIds: groups(...ofA) },
    { ...B, securityGroupIds: groups(...ofB) },
  ])
}

async function countersOf({ eniId }: Plug): Promise<LinkCounters | undefined> {
  return (await fabric.counters()).get(eniId)
}

const OPEN = { direction: 'ingress', cidr: '0.0.0.0/0' }
const groups = (...ids: string[]) => ids as SecurityGroupId[]

/** A session from the address, which one of a's ENIs has, to b. */
async function call(ip: string): Promise<void> {
  expect(await a.pings(B_IP, '-I', ip)).toBe(true)
  sendUdp(netnsPath(a.netns), { ip, port: 5000 }, { ip: B_IP, port: 6000 })
}

/** An address of the next ENI in a, with a way out by it. */
async function configure(guest: Guest, ip: string): Promise<void> {
  await guest.ip('link set eth1 up')
  await guest.ip(`address add ${ip}/32 dev eth1`)
  await guest.ip(`route add default via ${H.gateway} dev eth1 onlink table 7`)
  await guest.ip(`rule add from ${ip} table 7`)
}

/** What b says in it. */
function answer(ip: string): void {
  sendUdp(netnsPath(b.netns), { ip: B_IP, port: 6000 }, { ip, port: 5000 })
}

beforeAll(warmThreadPool)

afterEach(async () => {
  await fabric.stop()
  removeByPrefix(PREFIX)
})

describe('without rules', () => {
  test('a basic group lets everything out, its members in, and nobody else', async () => {
    await start({ id: 'sg-a' }, { id: 'sg-b' })
    expect(await a.pings(B_IP)).toBe(false)
    expect(await b.pings(A_IP)).toBe(false)
    expect(await countersOf(A)).toMatchObject({ droppedIngress: 1, droppedEgress: 0 })
    expect(await countersOf(B)).toMatchObject({ droppedIngress: 1, droppedEgress: 0 })
    await put(['sg-a'], ['sg-a'])
    expect(await a.pings(B_IP)).toBe(true)
    expect(await b.pings(A_IP)).toBe(true)
  })

  test('an advanced group lets nothing out and nobody in, its members neither', async () => {
    await start({ id: 'sg-a', type: 'enterprise' }, { id: 'sg-b' })
    await put(['sg-a'], ['sg-a'])
    expect(await a.pings(B_IP)).toBe(false)
    expect(await countersOf(A)).toMatchObject({ droppedEgress: 1 })
    expect(await countersOf(B)).toMatchObject({ droppedIngress: 0 })
  })

  test('the gateway and the services of the cloud are reached by everybody', async () => {
    await start({ id: 'sg-a', type: 'enterprise' }, { id: 'sg-b' })
    expect(await a.pings(SERVICE)).toBe(true)
    expect(await a.pings(H.gateway)).toBe(true)
  })
})

describe('rules', () => {
  test('let in by protocol, port and CIDR, and answers go back', async () => {
    const rules = [
      { direction: 'ingress', protocol: 'tcp', ports: '8000-8001', cidr: '10.0.1.0/24' },
      { direction: 'ingress', protocol: 'tcp', ports: 9000, cidr: '10.0.3.0/24' },
    ]
    await start({ id: 'sg-a' }, { id: 'sg-b', rules })
    using _lower = b.listens(B_IP, 8000)
    using _upper = b.listens(B_IP, 8001)
    using _other = b.listens(B_IP, 8002)
    using _elsewhere = b.listens(B_IP, 9000)
    expect(await a.connects(B_IP, 8000)).toBe(true)
    expect(await a.connects(B_IP, 8001)).toBe(true)
    expect(await a.connects(B_IP, 8002)).toBe(false)
    expect(await a.connects(B_IP, 9000)).toBe(false)
    expect(await a.pings(B_IP)).toBe(false)
  })

  test('let in and out by group, whichever addresses its members have by then', async () => {
    const byGroup = { direction: 'ingress', group: 'sg-a' }
    await start({ id: 'sg-a' }, { id: 'sg-b', rules: [byGroup] })
    expect(await a.pings(B_IP)).toBe(true)
    expect(await b.pings(A_IP)).toBe(false)
    const moved = plug(1, NODE_A, H, '10.0.1.11').ips
    const prefixes = [parseCidr('10.0.1.32/28')]
    const later = { ...A, ips: [...A.ips, ...moved], ipv4Prefixes: prefixes, securityGroupIds: groups('sg-a') }
    await a.ip('address add 10.0.1.11/32 dev eth0')
    await a.ip('address add 10.0.1.34/32 dev eth0')
    const inB = { ...B, securityGroupIds: groups('sg-b') }
    await fabric.sync([later, inB])
    expect(await a.pings(B_IP, '-I', '10.0.1.11')).toBe(true)
    expect(await a.pings(B_IP, '-I', '10.0.1.34')).toBe(true)
  })

  test('can forbid what the default lets out', async () => {
    const rules = [{ direction: 'egress', policy: 'drop', protocol: 'tcp', ports: 25, cidr: '0.0.0.0/0' }]
    const open = [{ direction: 'ingress', cidr: '0.0.0.0/0' }]
    await start({ id: 'sg-a', rules }, { id: 'sg-b', rules: open })
    using _mail = b.listens(B_IP, 25)
    using _web = b.listens(B_IP, 80)
    expect(await a.connects(B_IP, 25)).toBe(false)
    expect(await a.connects(B_IP, 80)).toBe(true)
    expect(await countersOf(A)).toMatchObject({ droppedEgress: 1 })
  })

  test.each([
    { drop: 1, accept: 2, reached: false },
    { drop: 2, accept: 1, reached: true },
    { drop: 7, accept: 7, reached: false },
  ])('of priority $drop that drop and of $accept that accept: reached is $reached', async (priorities) => {
    const any = { direction: 'ingress', cidr: '0.0.0.0/0' }
    const rules = [
      { ...any, policy: 'accept', priority: priorities.accept },
      { ...any, policy: 'drop', priority: priorities.drop },
    ]
    await start({ id: 'sg-a' }, { id: 'sg-b', rules })
    expect(await a.pings(B_IP)).toBe(priorities.reached)
  })

  test('of several groups are one list', async () => {
    const any = { direction: 'ingress', cidr: '0.0.0.0/0' }
    await start(
      { id: 'sg-a' },
      { id: 'sg-b', rules: [{ ...any, policy: 'accept', priority: 5 }] },
      { id: 'sg-c', rules: [{ ...any, policy: 'drop', priority: 4 }] },
    )
    expect(await a.pings(B_IP)).toBe(true)
    await put(['sg-a'], ['sg-b', 'sg-c'])
    expect(await a.pings(B_IP)).toBe(false)
    await put(['sg-a', 'sg-c'], ['sg-b', 'sg-c'])
    // Members of one basic group reach each other whatever its rules say.
    expect(await a.pings(B_IP)).toBe(true)
  })
})

describe('a change of groups', () => {
  test('is for sessions that exist, too', async () => {
    await start({ id: 'sg-a' }, { id: 'sg-b', rules: [{ direction: 'ingress', cidr: '0.0.0.0/0' }] }, { id: 'sg-c' })
    // With its own identifier each echo belongs to the session of the first.
    expect(await a.pings(B_IP, '-e', '7')).toBe(true)
    await put(['sg-a'], ['sg-c'])
    expect(await a.pings(B_IP, '-e', '7')).toBe(false)
    await put(['sg-a'], ['sg-b'])
    expect(await a.pings(B_IP, '-e', '7')).toBe(true)
  })

  test('is for the answers of sessions that exist, and for those of nobody else', async () => {
    await start({ id: 'sg-a' }, { id: 'sg-b', rules: [OPEN] }, { id: 'sg-c', type: 'enterprise' })
    const other = { ...plug(3, NODE_A, H, '10.0.1.30'), securityGroupIds: groups('sg-a') }
    const inGroups = (ofA: string, ofB: string) => [
      { ...A, securityGroupIds: groups(ofA) },
      { ...B, securityGroupIds: groups(ofB) },
      other,
    ]
    await fabric.sync(inGroups('sg-b', 'sg-b'))
    await configure(a, '10.0.1.30')
    for (const ip of [A_IP, '10.0.1.30']) await call(ip)
    await fabric.sync(inGroups('sg-a', 'sg-b'))
    for (const ip of [A_IP, '10.0.1.30']) answer(ip)
    expect(await countersOf(A)).toMatchObject({ droppedIngress: 1 })
    expect(await countersOf(other)).toMatchObject({ droppedIngress: 0 })
    await fabric.sync(inGroups('sg-a', 'sg-c'))
    for (const ip of [A_IP, '10.0.1.30']) answer(ip)
    expect(await countersOf(B)).toMatchObject({ droppedEgress: 2 })
  })

  test('to a group that does not exist is refused', async () => {
    await start({ id: 'sg-a' }, { id: 'sg-b' })
    await expect(put(['sg-a'], ['sg-none'])).rejects.toThrow('the security group sg-none does not exist')
    await put(['sg-a'], ['sg-a'])
    expect(await a.pings(B_IP)).toBe(true)
  })
})

describe('whoever has an address next', () => {
  const SHARED = '10.0.1.20'
  const both = (more: Pick<Partial<Plug>, 'ips'> = {}): Plug[] => [
    { ...A, securityGroupIds: groups('sg-a'), ...more },
    { ...B, securityGroupIds: groups('sg-b') },
  ]
  const next = { ...plug(3, NODE_A, H, SHARED), securityGroupIds: groups('sg-a') }

  beforeEach(() => start({ id: 'sg-a' }, { id: 'sg-b', rules: [OPEN] }))

  test('has none of the sessions of the ENI that had it', async () => {
    await fabric.sync(both({ ips: [...A.ips, ...next.ips] }))
    await a.ip(`address add ${SHARED}/32 dev eth0`)
    await call(SHARED)
    answer(SHARED)
    expect(await countersOf(A)).toMatchObject({ droppedIngress: 0 })
    await fabric.sync([...both(), next])
    answer(SHARED)
    expect(await countersOf(next)).toMatchObject({ droppedIngress: 1 })
  })

  test('has none of those of an ENI that was detached', async () => {
    await fabric.sync([...both(), next])
    await configure(a, SHARED)
    await call(SHARED)
    await fabric.sync(both())
    await fabric.sync(both({ ips: [...A.ips, ...next.ips] }))
    answer(SHARED)
    expect(await countersOf(A)).toMatchObject({ droppedIngress: 1 })
  })

  test('has none of those that a route entry led elsewhere', async () => {
    const pods = { destination: parseCidr('172.20.1.0/24'), routeTable: SYSTEM_TABLE.id, eni: A.eniId }
    await fabric.sync([...both(), next], [pods])
    await a.ip('address add 172.20.1.5/32 dev lo')
    await call('172.20.1.5')
    answer('172.20.1.5')
    expect(await countersOf(A)).toMatchObject({ droppedIngress: 0 })
    await fabric.sync([...both(), next], [pods, { ...pods, destination: parseCidr('172.20.1.5/32'), eni: next.eniId }])
    answer('172.20.1.5')
    expect(await countersOf(next)).toMatchObject({ droppedIngress: 1 })
  })
})
