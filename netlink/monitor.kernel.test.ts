import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseCidr, parseIp, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { ip, run, TestNamespaces } from '../test/kernel/namespaces.ts'
import { addAddress } from './address.ts'
import { u32, writeU32 } from './codec.ts'
import * as ffi from './ffi.ts'
import { addVeth, deleteLink, setLinkUp } from './link.ts'
import { type KernelEvent, NetlinkMonitor } from './monitor.ts'
import { addNeighbour } from './neighbour.ts'
import { type Netns, withNetns } from './netns.ts'
import { addRoute, deleteRoute } from './route.ts'
import { addRule, deleteRule } from './rule.ts'
import { NetlinkSocket, netlinkAddress, openNetlinkSocket } from './socket.ts'

let spaces: TestNamespaces
let netns: Netns
let events: KernelEvent[]

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-mon-')
  netns = spaces.create('a')
  events = []
})

afterEach(() => spaces[Symbol.dispose]())

const watch = (options: { receiveBuffer?: number; intervalMs?: number } = {}) =>
  new NetlinkMonitor({ netns, onEvent: (event) => events.push(event), ...options })

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    if (waited > 5000) throw new Error(`nothing of that kind among ${events.length} events`)
    await sleep(5)
  }
}

test('every kind of change in both families is seen', async () => {
  using _ = watch()
  using socket = NetlinkSocket.open({ netns })
  const rule = { family: 'ipv6', priority: 7, source: parseCidr('fd00::/64'), table: 254 } as const
  const route = { ifindex: 10, destination: parseCidr('10.1.0.0/16') }
  socket.execute([
    addVeth({ name: parseLinkName('a'), ifindex: 10, up: true, peer: { name: parseLinkName('b'), ifindex: 11 } }),
    setLinkUp(11),
    addAddress({ ifindex: 10, address: parseIp('10.0.0.1'), prefixLength: 32 }),
    addAddress({ ifindex: 10, address: parseIp('fd00::1'), prefixLength: 128 }),
    addNeighbour({ ifindex: 10, address: parseIp('10.0.0.2'), mac: parseMac('02:00:00:00:00:01') }),
    addRoute(route),
    addRoute({ ifindex: 10, destination: parseCidr('fd01::/64') }),
    addRule({ ...rule, family: 'ipv4', source: parseCidr('10.0.0.0/8') }),
    addRule(rule),
    deleteRule(rule),
    deleteRoute(route),
  ])
  const seen = (expected: object) => events.some((event) => contains(event, expected))
  // The kernel tells of an IPv6 address from a work queue, and not at all when the link is gone by then.
  await until(() => seen({ kind: 'address', address: { address: 'fd00::1' } }))
  socket.execute([deleteLink(10)])
  await until(() => seen({ kind: 'link', change: 'deleted', link: { name: 'a' } }))
  const expected = [
    { kind: 'link', change: 'new', link: { name: 'a', ifindex: 10, up: true } },
    { kind: 'address', change: 'new', address: { address: '10.0.0.1', ifindex: 10 } },
    { kind: 'neighbour', change: 'new', neighbour: { address: '10.0.0.2', state: 'permanent' } },
    { kind: 'route', change: 'new', route: { destination: '10.1.0.0/16', ifindex: 10 } },
    { kind: 'route', change: 'new', route: { destination: 'fd01::/64' } },
    { kind: 'rule', change: 'new', rule: { priority: 7, source: '10.0.0.0/8' } },
    { kind: 'rule', change: 'new', rule: { priority: 7, source: 'fd00::/64' } },
    { kind: 'rule', change: 'deleted', rule: { priority: 7, source: 'fd00::/64' } },
    { kind: 'route', change: 'deleted', route: { destination: '10.1.0.0/16' } },
  ]
  expect(expected.filter((event) => !seen(event))).toEqual([])
})

test('marks of rules, tables and sources of routes, and lost qdiscs are told', async () => {
  ip(netns, 'link', 'set', 'lo', 'up')
  ip(netns, 'addr', 'add', '10.0.0.5/32', 'dev', 'lo')
  run(netns, 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'handle', '1:', 'pfifo')
  using _ = watch()
  ip(netns, 'rule', 'add', 'fwmark', '0x100000/0xff00000', 'priority', '2048', 'lookup', '1003')
  ip(netns, 'route', 'add', '10.1.0.0/16', 'dev', 'lo', 'table', '1003', 'src', '10.0.0.5')
  run(netns, 'tc', 'qdisc', 'replace', 'dev', 'lo', 'root', 'handle', '2:', 'pfifo')
  const expected = [
    { kind: 'rule', rule: { priority: 2048, mark: { value: 0x10_0000, mask: 0xff0_0000 }, table: 1003 } },
    { kind: 'route', route: { destination: '10.1.0.0/16', table: 1003, preferredSource: '10.0.0.5' } },
    { kind: 'qdisc', change: 'deleted', ifindex: 1 },
    { kind: 'qdisc', change: 'new', ifindex: 1 },
  ]
  const unseen = () => expected.filter((one) => !events.some((event) => contains(event, one)))
  await until(() => events.some((event) => contains(event, { kind: 'qdisc', change: 'new' })))
  expect(unseen()).toEqual([])
})

/** Whether everything in `expected` is so in `actual`. */
function contains(actual: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return Object.is(actual, expected)
  if (typeof actual !== 'object' || actual === null) return false
  const fields = new Map(Object.entries(actual))
  return Object.entries(expected).every(([key, value]) => contains(fields.get(key), value))
}

/** 10,000 routes: the loop does nothing else meanwhile. */
function burst(socket: NetlinkSocket): void {
  const destinations = Array.from({ length: 10_000 }, (_, i) => parseCidr(`10.${i >> 8}.${i & 255}.1/32`))
  socket.execute(destinations.map((destination) => addRoute({ ifindex: 1, destination })))
}

test('10,000 events while the loop is blocked are all delivered', async () => {
  ip(netns, 'link', 'set', 'lo', 'up')
  using _ = watch()
  using socket = NetlinkSocket.open({ netns })
  burst(socket)
  await until(() => events.filter(({ kind }) => kind === 'route').length >= 10_000)
  expect(events.filter(({ kind }) => kind === 'overrun')).toHaveLength(0)
  expect(events.length).toBe(10_000)
})

test('an overrun is an event, the process lives and later events arrive', async () => {
  ip(netns, 'link', 'set', 'lo', 'up')
  using _ = watch({ receiveBuffer: 65_536 })
  using socket = NetlinkSocket.open({ netns })
  burst(socket)
  await until(() => events.some(({ kind }) => kind === 'overrun'))
  expect(events.length).toBeLessThan(10_000)
  const late = parseCidr('11.0.0.0/8')
  socket.execute([addRoute({ ifindex: 1, destination: late })])
  await until(() => events.some((event) => event.kind === 'route' && event.route.destination === late))
})

test('nothing is delivered after stop, not even from inside a listener', async () => {
  const monitor = new NetlinkMonitor({
    netns,
    onEvent: (event) => {
      events.push(event)
      monitor.stop()
    },
  })
  using socket = NetlinkSocket.open({ netns })
  socket.execute([setLinkUp(1)])
  socket.execute([addAddress({ ifindex: 1, address: parseIp('10.0.0.1'), prefixLength: 32 })])
  await until(() => events.length > 0)
  await sleep(60)
  expect(events).toHaveLength(1)
  monitor.stop()
})

test('what another process sends is no event', async () => {
  using _ = watch()
  // Protocol 0 is rtnetlink; only the monitor's socket has groups.
  const rows = withNetns(netns, () => readFileSync('/proc/net/netlink', 'utf8'))
  const row = rows
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, protocol, , groups]) => protocol === '0' && Number(`0x${groups}`) > 0)
  const forger = openNetlinkSocket(netns, { receiveBuffer: 65_536 })
  try {
    const to = netlinkAddress()
    writeU32(to, Number(row?.[2]), 4)
    ffi.sendto(forger, Buffer.concat([u32(32), u32(16), u32(0), u32(0), Buffer.alloc(16)]), to)
  } finally {
    ffi.close(forger)
  }
  ip(netns, 'link', 'set', 'lo', 'up')
  await until(() => events.length > 0)
  expect(events.filter(({ kind }) => kind === 'link')).toEqual([
    expect.objectContaining({ link: expect.objectContaining({ name: 'lo' }) }),
  ])
})
