import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hostCidr, ipFromBytes, macFromBytes, parseCidr, parseIp, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import type { Address } from '../../netlink/address.ts'
import type { Link } from '../../netlink/link.ts'
import type { KernelEvent } from '../../netlink/monitor.ts'
import type { Neighbour } from '../../netlink/neighbour.ts'
import { type DeviceRef, type NetworkPlan, networkPlan, RT_TABLE_MAIN } from '../../netlink/plan.ts'
import type { Route } from '../../netlink/route.ts'
import type { Rule } from '../../netlink/rule.ts'
import { ownerOf } from '../pool/model.ts'
import { concernOf } from './concerns.ts'
import type { PlanOwner } from './places.ts'
import { PlanIndex } from './plan-index.ts'

const POD = ownerOf('c1', 'eth0')
const OTHER = ownerOf('c2', 'eth0')
const VETH: DeviceRef = { netns: 'host', name: parseLinkName('cali0123456789a'), ifindex: 20 }
const ENI: DeviceRef = { netns: 'host', name: parseLinkName('eth1'), ifindex: 3 }
const INSIDE: DeviceRef = { netns: 'pod', name: parseLinkName('eth0'), ifindex: 20 }
const POD_MAC = parseMac('02:00:00:00:00:02')
const HOST_MAC = parseMac('02:00:00:00:00:01')
const POD_IP = parseIp('10.0.1.7')
const GATEWAY = parseIp('10.0.1.253')
const NODE_IP = parseIp('10.0.0.5')
const MASK = 0x0ff0_0000

const podPlan = networkPlan({
  podNetns: '/run/netns/c1',
  links: [
    {
      ...{ kind: 'veth', ...VETH, netns: 'host', mac: HOST_MAC, mtu: 1500 },
      peer: { name: INSIDE.name, ifindex: 20, mac: POD_MAC, mtu: 1500 },
    },
  ],
  neighbours: [
    { device: VETH, address: POD_IP, mac: POD_MAC },
    { device: INSIDE, address: parseIp('169.254.1.1'), mac: HOST_MAC },
  ],
  routes: [{ device: VETH, destination: hostCidr(POD_IP), table: 1000, scope: 'link' }],
  rules: [{ netns: 'host', family: 'ipv4', priority: 512, destination: hostCidr(POD_IP), table: RT_TABLE_MAIN }],
  qdiscs: [{ kind: 'tbf', device: VETH, rate: 1_000_000, burst: 20_000, limit: 20_000 }],
})

const eniPlan = networkPlan({
  links: [{ kind: 'existing', ...ENI, mtu: 1500 }],
  addresses: [{ device: ENI, address: NODE_IP, prefixLength: 32, scope: 'global' }],
  routes: [
    {
      ...{ device: ENI, destination: parseCidr('0.0.0.0/0'), gateway: GATEWAY, onlink: true, table: 1003 },
      ...{ scope: 'global', source: NODE_IP },
    },
  ],
  rules: [{ netns: 'host', family: 'ipv4', priority: 2048, mark: { value: 0x10_0000, mask: MASK }, table: 1003 }],
})

function indexOf(...plans: (readonly [PlanOwner, NetworkPlan])[]): PlanIndex {
  const index = new PlanIndex()
  for (const [owner, plan] of plans) index.set(owner, plan)
  return index
}

const veth: Link = {
  ...{ ifindex: 20, name: VETH.name, kind: 'veth', mac: HOST_MAC, mtu: 1500, up: true, running: true, group: 0 },
  peerIfindex: 20,
}
const eni: Link = { ifindex: 3, name: ENI.name, mtu: 1500, up: true, running: true, group: 0 }
const podRoute: Route = {
  ...{ family: 'ipv4', destination: hostCidr(POD_IP), table: 1000, type: 'unicast', scope: 'link', protocol: 3 },
  ...{ onlink: false, ifindex: 20 },
}
const eniRoute: Route = {
  ...{ family: 'ipv4', destination: parseCidr('0.0.0.0/0'), table: 1003, type: 'unicast', scope: 'global' },
  ...{ protocol: 3, onlink: true, ifindex: 3, gateway: GATEWAY, preferredSource: NODE_IP },
}
const toPod: Rule = {
  ...{ family: 'ipv4', priority: 512, destination: hostCidr(POD_IP), table: RT_TABLE_MAIN, action: 1, special: false },
}
const byMark: Rule = {
  ...{ family: 'ipv4', priority: 2048, mark: { value: 0x10_0000, mask: MASK }, table: 1003, action: 1, special: false },
}
const podNeighbour: Neighbour = { family: 'ipv4', ifindex: 20, address: POD_IP, state: 'permanent', mac: POD_MAC }
const nodeAddress: Address = {
  ...{ family: 'ipv4', ifindex: 3, address: NODE_IP, prefixLength: 32, scope: 'global' },
  ...{ tentative: false, permanent: true },
}
const lastAddress: Address = { ...nodeAddress, address: parseIp('192.168.0.1'), prefixLength: 24 }

const link = (change: 'new' | 'deleted', found: Link): KernelEvent => ({ kind: 'link', change, link: found })
const route = (change: 'new' | 'deleted', found: Route): KernelEvent => ({ kind: 'route', change, route: found })
const rule = (change: 'new' | 'deleted', found: Rule): KernelEvent => ({ kind: 'rule', change, rule: found })
const address = (change: 'new' | 'deleted', found: Address): KernelEvent => ({
  kind: 'address',
  change,
  address: found,
})
const neighbour = (change: 'new' | 'deleted', found: Neighbour): KernelEvent => ({
  ...{ kind: 'neighbour', change, neighbour: found },
})

const index = indexOf([POD, podPlan], ['node', eniPlan])
const namedBy = (event: KernelEvent) => {
  const owners = concernOf(event, index)?.owners ?? []
  return owners === 'all' ? owners : [...owners]
}

describe('an event concerns', () => {
  test.each<[string, KernelEvent, PlanOwner]>([
    ['a pod whose route is deleted', route('deleted', podRoute), POD],
    ['a pod whose route leads elsewhere', route('new', { ...podRoute, ifindex: 4 }), POD],
    ['a pod whose route has turned into a blackhole', route('new', { ...podRoute, type: 'blackhole' }), POD],
    ['an ENI whose gateway is replaced', route('new', { ...eniRoute, gateway: parseIp('10.0.1.1') }), 'node'],
    ['an ENI whose route gives packets no address', route('new', withoutSource(eniRoute)), 'node'],
    ['a pod whose rule is deleted', rule('deleted', toPod), POD],
    ['an ENI whose rule by mark is deleted', rule('deleted', byMark), 'node'],
    ['a pod whose neighbour is deleted', neighbour('deleted', podNeighbour), POD],
    ['a pod whose neighbour is another', neighbour('new', { ...podNeighbour, mac: HOST_MAC }), POD],
    ['a pod whose neighbour is no longer permanent', neighbour('new', { ...podNeighbour, state: 'stale' }), POD],
    ['an ENI whose address is deleted', address('deleted', nodeAddress), 'node'],
    ['an ENI whose address has another scope', address('new', { ...nodeAddress, scope: 'link' }), 'node'],
    ['an ENI whose routes may have gone with another address', address('deleted', lastAddress), 'node'],
    ['an ENI that is down', link('new', { ...eni, up: false, running: false }), 'node'],
    ['an ENI with another MTU', link('new', { ...eni, mtu: 9000 }), 'node'],
    ['an ENI with another name', link('new', { ...eni, name: parseLinkName('eth9') }), 'node'],
    ['an ENI whose name another link has', link('new', { ...eni, ifindex: 9 }), 'node'],
    ['an ENI that is gone', link('deleted', eni), 'node'],
    ['a pod whose link has another MAC address', link('new', { ...veth, mac: POD_MAC }), POD],
    ['a pod whose end of the link is down', link('new', { ...veth, running: false }), POD],
    ['a pod whose limit is lifted', { kind: 'qdisc', change: 'deleted', ifindex: 20 }, POD],
  ])('%s', (_, event, owner) => {
    expect(namedBy(event)).toEqual([owner])
  })

  test('all when events are lost', () => {
    expect(namedBy({ kind: 'overrun' })).toBe('all')
  })

  test('both owners of what two plans want', () => {
    const both = indexOf([POD, podPlan], [OTHER, podPlan])
    expect(concernOf(rule('deleted', toPod), both)?.owners).toEqual(new Set([POD, OTHER]))
    both.delete(POD)
    expect(concernOf(rule('deleted', toPod), both)?.owners).toEqual(new Set([OTHER]))
  })

  test('the pod too only where a link needs it', () => {
    expect(concernOf(route('deleted', podRoute), index)?.extent).toBe('host')
    for (const own of [
      { ...veth, up: false, running: false },
      { ...veth, mtu: 1400 },
    ]) {
      expect(concernOf(link('new', own), index)?.extent).toBe('node')
    }
    for (const other of [{ running: false }, { mac: POD_MAC }, { kind: 'dummy' }, { name: parseLinkName('mine') }]) {
      expect(concernOf(link('new', { ...veth, ...other }), index)?.extent).toBe('whole')
    }
    expect(concernOf(link('deleted', veth), index)?.extent).toBe('whole')
  })
})

describe('an event concerns nobody', () => {
  test.each<[string, KernelEvent]>([
    ['of a route as planned', route('new', podRoute)],
    ['of a route with source and gateway as planned', route('new', eniRoute)],
    ['of a route in another table', route('deleted', { ...podRoute, table: RT_TABLE_MAIN })],
    ['of a rule with another priority', rule('deleted', { ...toPod, priority: 513 })],
    ['of a rule that looks another table up', rule('deleted', { ...toPod, table: 100 })],
    ['of a rule with another mask', rule('deleted', { ...byMark, mark: { value: 0x10_0000, mask: 0xffff_ffff } })],
    ['of a rule that says more than ours', rule('deleted', { ...toPod, special: true })],
    ['of a new rule, whatever it says', rule('new', { ...toPod, table: 100 })],
    ['of a neighbour as planned', neighbour('new', podNeighbour)],
    ['of a neighbour of the same address on another link', neighbour('deleted', { ...podNeighbour, ifindex: 3 })],
    ['of an address as planned', address('new', nodeAddress)],
    ['of a link as planned', link('new', veth)],
    ['of an ENI without carrier', link('new', { ...eni, running: false })],
    ['of a deleted link whose name ours has now', link('deleted', { ...veth, ifindex: 99 })],
    ['of another link that is down', link('new', { ...eni, ifindex: 9, name: parseLinkName('eth9'), up: false })],
    ['of a new qdisc', { kind: 'qdisc', change: 'new', ifindex: 20 }],
    ['of a qdisc of another link', { kind: 'qdisc', change: 'deleted', ifindex: 3 }],
  ])('%s', (_, event) => {
    expect(namedBy(event)).toEqual([])
  })

  test('when the plan has been taken away or replaced', () => {
    const changing = indexOf([POD, podPlan])
    changing.set(POD, networkPlan({ rules: [] }))
    expect(concernOf(rule('deleted', toPod), changing)).toBeUndefined()
    changing.set(POD, podPlan)
    changing.delete(POD)
    for (const event of [rule('deleted', toPod), route('deleted', podRoute), link('deleted', veth)]) {
      expect(concernOf(event, changing)).toBeUndefined()
    }
  })
})

function withoutSource({ preferredSource, ...rest }: Route): Route {
  expect(preferredSource).toBeDefined()
  return rest
}

// Random plans on few links, so that they meet at the same places.

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const ips = fc.oneof(bytes(4), bytes(16)).map(ipFromBytes)
const macs = bytes(6).map(macFromBytes)
const devices = fc.record({
  netns: fc.constantFrom('host', 'pod'),
  name: fc.constantFrom('a', 'b', 'c').map(parseLinkName),
  ifindex: fc.integer({ min: 1, max: 5 }),
})
const tables = fc.constantFrom(254, 1000, 1003)
const scopes = fc.constantFrom('global', 'link')
const plans: fc.Arbitrary<NetworkPlan> = fc
  .record({
    addresses: fc.uniqueArray(
      fc.record({ device: devices, address: ips, prefixLength: fc.constant(32), scope: scopes }),
      { selector: ({ device, address: ip }) => `${device.ifindex} ${ip}` },
    ),
    neighbours: fc.uniqueArray(fc.record({ device: devices, address: ips, mac: macs }), {
      selector: ({ device, address: ip }) => `${device.ifindex} ${ip}`,
    }),
    routes: fc.uniqueArray(
      fc.record(
        {
          ...{ device: devices, destination: ips.map(hostCidr), table: tables, scope: scopes },
          ...{ gateway: ips, onlink: fc.boolean() },
        },
        { requiredKeys: ['device', 'destination', 'table', 'scope'] },
      ),
      { selector: ({ table, destination }) => `${table} ${destination}` },
    ),
    rules: fc.array(
      fc.record(
        {
          ...{ netns: fc.constantFrom('host', 'pod'), family: fc.constantFrom('ipv4', 'ipv6'), table: tables },
          ...{ priority: fc.constantFrom(512, 2048), source: ips.map(hostCidr), destination: ips.map(hostCidr) },
          mark: fc.record({ value: fc.nat(255).map((n) => n << 20), mask: fc.constant(MASK) }),
        },
        { requiredKeys: ['netns', 'family', 'table', 'priority'] },
      ),
    ),
  })
  .map(networkPlan)

/** What the kernel tells as it makes or loses what the plan has on the host. */
function eventsOf(plan: NetworkPlan, change: 'new' | 'deleted'): KernelEvent[] {
  const family = (text: string) => (text.includes(':') ? 'ipv6' : 'ipv4')
  const here = ({ device }: { readonly device: DeviceRef }) => device.netns === 'host'
  return [
    ...plan.addresses.filter(here).map(({ device, address: ip, prefixLength, scope }) =>
      address(change, {
        ...{ family: family(ip), ifindex: device.ifindex, address: ip, prefixLength, scope },
        ...{ tentative: false, permanent: true },
      }),
    ),
    ...plan.neighbours
      .filter(here)
      .map(({ device, address: ip, mac }) =>
        neighbour(change, { family: family(ip), ifindex: device.ifindex, address: ip, mac, state: 'permanent' }),
      ),
    ...plan.routes.filter(here).map(({ device, destination, table, scope, gateway, onlink = false }) =>
      route(change, {
        ...{ family: family(destination), destination, table, type: 'unicast', scope, protocol: 3, onlink },
        ...{ ifindex: device.ifindex, ...(gateway === undefined ? {} : { gateway }) },
      }),
    ),
    ...plan.rules.flatMap(({ netns, ...spec }) =>
      netns === 'host' ? [rule(change, { ...spec, action: 1, special: false })] : [],
    ),
  ]
}

test('whatever of a plan is deleted names its owner', () => {
  fc.assert(
    fc.property(fc.array(plans, { minLength: 1, maxLength: 4 }), (all) => {
      const owned = all.map((plan, i) => [ownerOf(`c${i}`, 'eth0'), plan] as const)
      const index = indexOf(...owned)
      for (const [owner, plan] of owned) {
        for (const event of eventsOf(plan, 'deleted')) {
          const { owners } = concernOf(event, index) ?? { owners: new Set() }
          expect(owners === 'all' ? [] : [...owners]).toContain(owner)
        }
      }
    }),
  )
})

test('what the kernel tells while a plan is applied names nobody, and nobody has anything after the last one is gone', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const index = indexOf([POD, plan])
      for (const event of eventsOf(plan, 'new')) expect(concernOf(event, index)).toBeUndefined()
      index.delete(POD)
      for (const event of eventsOf(plan, 'deleted')) expect(concernOf(event, index)).toBeUndefined()
    }),
  )
})
