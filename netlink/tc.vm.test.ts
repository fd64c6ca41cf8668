/** Traffic control with the kinds of qdiscs and actions that a stock Debian kernel has, and packets through them. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { ip, run, TestNamespaces } from '../test/kernel/namespaces.ts'
import { addFilter, type Filter, type FilterPlace, filterDeviation, findFilter, listFilters } from './filter.ts'
import type { Netns } from './netns.ts'
import type { DeviceRef, FilterAction, FilterSpec, PrioSpec } from './plan.ts'
import { addQdisc, deleteQdisc, listQdiscs } from './qdisc.ts'
import { qdiscDeviation } from './qdisc-deviation.ts'
import { ensurePrio, prioHandles } from './qdisc-prio.ts'
import { NetlinkSocket } from './socket.ts'
import { CLSACT_PARENTS, ROOT_HANDLE } from './tc-message.ts'

/** An ENI of the node; its other end is in the VPC, at 10.0.0.1. */
const ENI: DeviceRef = { netns: 'host', name: parseLinkName('eth1'), ifindex: 50 }
const VPC = { name: 'eni1', mac: parseMac('02:00:00:00:00:02') }
const PLACE: FilterPlace = { ifindex: ENI.ifindex, indexOf: ({ ifindex }) => ifindex }
const PRIO: PrioSpec = { kind: 'prio', device: ENI }

let spaces: TestNamespaces
let host: Netns
let vpc: Netns
let socket: NetlinkSocket

beforeEach(() => {
  spaces = new TestNamespaces('tw-vm-tc-')
  host = spaces.create('host')
  vpc = spaces.create('vpc')
  socket = NetlinkSocket.open({ netns: host })
})

afterEach(() => {
  socket.close()
  spaces[Symbol.dispose]()
})

function makeEni(queues: number): void {
  const peer = ['peer', 'name', VPC.name, 'address', VPC.mac, 'netns', nameOf(vpc)]
  const numbers = ['numtxqueues', String(queues), 'numrxqueues', String(queues)]
  ip(host, 'link', 'add', ENI.name, 'index', String(ENI.ifindex), ...numbers, 'type', 'veth', ...peer)
  ip(host, 'link', 'set', ENI.name, 'up')
  ip(vpc, 'link', 'set', VPC.name, 'up')
  for (const [netns, link] of [[host, ENI.name] as const, [vpc, VPC.name] as const]) {
    run(netns, 'sysctl', '-qw', `net.ipv6.conf.${link}.disable_ipv6=1`)
  }
}

const nameOf = (netns: Netns) => netns.path.slice(netns.path.lastIndexOf('/') + 1)
const tc = (...args: string[]) => run(host, 'tc', ...args)
const shownQdiscs = (): object[] => JSON.parse(tc('-j', 'qdisc', 'show', 'dev', ENI.name))
const found = () => listQdiscs(socket, { ifindex: ENI.ifindex })
const filters = (parent: number): Filter[] => listFilters(socket, { ifindex: ENI.ifindex, parent })
const ping = (from: Netns, ...args: string[]) => run(from, 'ping', '-c', '1', '-W', '2', ...args)

describe('prio', () => {
  const inBand = (source: string, band: 1 | 2 | 3): FilterSpec => ({
    ...{
      device: ENI,
      direction: 'classes',
      priority: 1,
      protocol: 'ipv4',
      source: parseCidr(source),
      actions: [],
      band,
    },
  })

  test('is the root of a device with one queue, once, and keeps its filters', () => {
    makeEni(1)
    expect(qdiscDeviation(PRIO, found())).toBe('missing')
    ensurePrio(socket, ENI.ifindex)
    expect(shownQdiscs()).toEqual([expect.objectContaining({ kind: 'prio', handle: '1:', root: true })])
    expect(qdiscDeviation(PRIO, found())).toBeUndefined()
    expect(prioHandles(found())).toEqual([ROOT_HANDLE])
    const spec = inBand('10.0.0.3/32', 3)
    socket.execute([addFilter(spec, PLACE)])
    ensurePrio(socket, ENI.ifindex)
    expect(filterDeviation(spec, PLACE, filters(ROOT_HANDLE))).toBeUndefined()
    socket.execute([deleteQdisc(PRIO, ENI.ifindex)])
    expect(qdiscDeviation(PRIO, found())).toBe('missing')
  })

  test('is on every queue of a device with several, and keeps the filters of those that are', () => {
    makeEni(3)
    tc('qdisc', 'replace', 'dev', ENI.name, 'root', 'handle', '5:', 'mq')
    expect(qdiscDeviation(PRIO, found())).toBe('missing')
    tc('qdisc', 'delete', 'dev', ENI.name, 'root')
    ensurePrio(socket, ENI.ifindex)
    const prios = (parents: string[]) => parents.map((parent) => expect.objectContaining({ kind: 'prio', parent }))
    const mq = expect.objectContaining({ kind: 'mq', handle: '1:', root: true })
    const expected = [mq, ...prios(['1:1', '1:2', '1:3'])]
    expect(shownQdiscs()).toHaveLength(4)
    expect(shownQdiscs()).toEqual(expect.arrayContaining(expected))
    expect(qdiscDeviation(PRIO, found())).toBeUndefined()
    const handles = prioHandles(found())
    expect(new Set(handles).size).toBe(3)

    const spec = inBand('10.0.0.3/32', 1)
    const places = handles.map((parent) => ({ ...PLACE, parent }))
    socket.execute(places.map((place) => addFilter(spec, place)))
    tc('qdisc', 'replace', 'dev', ENI.name, 'parent', '1:2', 'handle', '77:', 'pfifo')
    expect(qdiscDeviation(PRIO, found())).toBe('pfifo 77: parent 1:2')
    expect(ensurePrio(socket, ENI.ifindex)).toMatchObject({ kind: 'pfifo' })
    expect(qdiscDeviation(PRIO, found())).toBe('pfifo 77: parent 1:2')
    const kept = places.filter((place) => filterDeviation(spec, place, filters(place.parent)) === undefined)
    expect(kept).toHaveLength(2)
    tc('qdisc', 'delete', 'dev', ENI.name, 'root')
    expect(ensurePrio(socket, ENI.ifindex)).toBeUndefined()
    expect(shownQdiscs()).toEqual(expect.arrayContaining(expected))
  })

  test.each([
    ['htb with its handle', ['handle', '1:', 'htb'], 'htb 1: root'],
    ['htb with another handle', ['handle', '2:', 'htb'], 'htb 2: root'],
    ['a prio of more bands', ['handle', '1:', 'prio', 'bands', '5'], 'prio 1: root bands 5'],
  ])('leaves %s at the root', (_, qdisc, text) => {
    makeEni(1)
    tc('qdisc', 'replace', 'dev', ENI.name, 'root', ...qdisc)
    expect(qdiscDeviation(PRIO, found())).toBe(text)
    const before = shownQdiscs()
    expect(ensurePrio(socket, ENI.ifindex)).toMatchObject({ kind: qdisc[2] })
    expect(shownQdiscs()).toEqual(before)
    expect(qdiscDeviation(PRIO, found())).toBe(text)
  })

  test('sorts packets by their source', () => {
    makeEni(1)
    ip(vpc, 'addr', 'add', '10.0.0.1/24', 'dev', VPC.name)
    ip(host, 'neigh', 'add', '10.0.0.1', 'lladdr', VPC.mac, 'dev', ENI.name)
    for (const last of [2, 3, 4]) ip(host, 'addr', 'add', `10.0.0.${last}/24`, 'dev', ENI.name)
    ensurePrio(socket, ENI.ifindex)
    socket.execute([addFilter(inBand('10.0.0.3/32', 1), PLACE), addFilter(inBand('10.0.0.4/32', 3), PLACE)])
    const packets = () => {
      const shown = tc('-s', 'class', 'show', 'dev', ENI.name)
      return [...shown.matchAll(/class prio 1:(\d).*\n Sent \d+ bytes (\d+) pkt/g)].map(([, , count]) => Number(count))
    }
    const before = packets()
    for (const source of ['10.0.0.2', '10.0.0.3', '10.0.0.3', '10.0.0.4']) ping(host, '-I', source, '10.0.0.1')
    const after = packets()
    expect(after).toHaveLength(3)
    // The first source is of no filter and goes by the priority of its packets; the VPC asks once for each address.
    expect(after[0]).toBe((before[0] ?? 0) + 2)
    expect(after[2]).toBe((before[2] ?? 0) + 1)
  })
})

describe('on the ENI', () => {
  const filter = { device: ENI, protocol: 'ipv4' } as const
  const deviation = (spec: FilterSpec) =>
    filterDeviation(spec, PLACE, filters(CLSACT_PARENTS[spec.direction === 'egress' ? 'egress' : 'ingress']))

  beforeEach(() => {
    makeEni(1)
    socket.execute([addQdisc({ kind: 'clsact', device: ENI }, ENI.ifindex)])
  })

  test('tags of a VLAN are pushed by source and popped, and nothing else is tagged', () => {
    const pop: FilterSpec = {
      ...{ device: ENI, direction: 'ingress', priority: 20000, protocol: '802.1Q', actions: [{ kind: 'vlan-pop' }] },
    }
    const push = (vlanId: number): FilterSpec => ({
      ...{ ...filter, direction: 'egress', priority: 50001, source: parseCidr('10.5.0.2/32') },
      actions: [{ kind: 'vlan-push', vlanId }],
    })
    ip(vpc, 'link', 'add', 'link', VPC.name, 'name', 'member', 'type', 'vlan', 'id', '5')
    ip(vpc, 'link', 'set', 'member', 'up')
    ip(vpc, 'addr', 'add', '10.5.0.1/24', 'dev', 'member')
    ip(vpc, 'addr', 'add', '10.0.0.1/24', 'dev', VPC.name)
    for (const address of ['10.5.0.2/24', '10.0.0.2/24']) ip(host, 'addr', 'add', address, 'dev', ENI.name)
    // The tag goes by the IPv4 source, which ARP does not have.
    ip(host, 'neigh', 'add', '10.5.0.1', 'lladdr', VPC.mac, 'dev', ENI.name)
    const mac = parseMac(String(JSON.parse(ip(host, '-j', 'link', 'show', ENI.name))[0].address))
    ip(vpc, 'neigh', 'add', '10.5.0.2', 'lladdr', mac, 'dev', 'member')

    socket.execute([addFilter(pop, PLACE), addFilter(push(6), PLACE)])
    expect(() => ping(host, '-I', '10.5.0.2', '10.5.0.1')).toThrow('ping')
    expect([pop, push(6)].map(deviation)).toEqual([undefined, undefined])
    expect(deviation(push(5))).toBe('parent ffff:fff3 pref 50001 u32 action vlan push id 6')

    tc('filter', 'delete', 'dev', ENI.name, 'egress', 'prio', '50001')
    socket.execute([addFilter(push(5), PLACE)])
    const shown = tc('filter', 'show', 'dev', ENI.name, 'egress')
    expect(shown).toContain('push id 5 protocol 802.1Q')
    expect(tc('filter', 'show', 'dev', ENI.name, 'ingress')).toMatch(/vlan\s+pop pipe/)
    expect(ping(host, '-I', '10.5.0.2', '10.5.0.1')).toContain('1 received')
    expect(ping(host, '-I', '10.0.0.2', '10.0.0.1')).toContain('1 received')
  })

  test('packets of an IPVlan pod to a service come in at the slave of the host, as for the host', () => {
    const slave = { netns: 'host', name: parseLinkName('ipvl_50'), ifindex: 60 } as const
    const pod = spaces.create('pod')
    const ipvlan = ['type', 'ipvlan', 'mode', 'l2']
    ip(host, 'link', 'add', 'link', ENI.name, 'name', slave.name, 'index', '60', ...ipvlan)
    ip(host, 'link', 'add', 'link', ENI.name, 'name', 'eth0', 'netns', nameOf(pod), ...ipvlan)
    ip(pod, 'addr', 'add', '10.0.0.9/24', 'dev', 'eth0')
    ip(pod, 'link', 'set', 'eth0', 'up')
    ip(pod, 'route', 'add', 'default', 'via', '10.0.0.1')
    ip(pod, 'neigh', 'add', '10.0.0.1', 'lladdr', VPC.mac, 'dev', 'eth0')
    // In this order: a slave of mode L2 asks for its neighbours again when it comes up.
    ip(host, 'link', 'set', slave.name, 'up')
    ip(host, 'link', 'set', slave.name, 'arp', 'off')
    ip(host, 'link', 'set', 'lo', 'up')
    ip(host, 'addr', 'add', '172.21.0.1/32', 'dev', 'lo')
    ip(host, 'route', 'add', '10.0.0.9/32', 'dev', slave.name)

    const redirect: FilterAction = { kind: 'redirect', to: slave, direction: 'ingress' }
    const toSlave = (...actions: FilterAction[]): FilterSpec => ({
      ...{ ...filter, direction: 'egress', priority: 40000, destination: parseCidr('172.21.0.0/16') },
      actions: [...actions, redirect],
    })
    const asPlanned = toSlave({ kind: 'unset-tunnel-key' }, { kind: 'packet-to-host' })
    expect(() => ping(pod, '172.21.0.1')).toThrow('ping')
    socket.execute([addFilter(asPlanned, PLACE)])
    expect(deviation(asPlanned)).toBeUndefined()
    expect(deviation(toSlave({ kind: 'packet-to-host' }, { kind: 'unset-tunnel-key' }))).toBe(
      'parent ffff:fff3 pref 40000 u32 action tunnel_key unset action skbedit ptype host action mirred ingress redirect dev if60',
    )
    const shown = tc('filter', 'show', 'dev', ENI.name, 'egress')
    expect(shown).toMatch(/tunnel_key\s+unset pipe.*skbedit\s+ptype host pipe.*Ingress Redirect to device ipvl_50/s)
    expect(ping(pod, '172.21.0.1')).toContain('1 received')
  })

  test.each([
    ['skbedit', 'ptype', 'otherhost', 'pipe'],
    ['skbedit', 'ptype', 'host', 'mark', '7', 'pipe'],
    ['skbedit', 'ptype', 'host', 'continue'],
    ['vlan', 'push', 'id', '5', 'protocol', '802.1ad', 'pipe'],
    ['vlan', 'pop', 'continue'],
    ['tunnel_key', 'unset', 'continue'],
    ['gact', 'drop'],
  ])('an action that no plan has is not taken for one that a plan has: %s %s %s %s', (...words) => {
    const match = ['u32', 'match', 'ip', 'src', '10.0.0.2/32', 'action', ...words]
    tc('filter', 'add', 'dev', ENI.name, 'ingress', 'prio', '7', 'protocol', 'ip', ...match)
    expect(filters(CLSACT_PARENTS.ingress).map(({ actions }) => actions)).toEqual([
      [{ kind: 'other', name: expect.stringContaining(words[0]) }],
    ])
  })

  test('a filter by mark is not taken for one of the same keys', () => {
    const spec: FilterSpec = {
      ...{ ...filter, direction: 'ingress', priority: 7, source: parseCidr('10.0.0.2/32'), actions: [] },
    }
    const match = ['u32', 'match', 'ip', 'src', '10.0.0.2/32', 'match', 'mark', '1', '0xff', 'flowid', '1:1']
    tc('filter', 'add', 'dev', ENI.name, 'ingress', 'prio', '7', 'protocol', 'ip', ...match)
    expect(findFilter(spec, PLACE, filters(CLSACT_PARENTS.ingress))).toBeUndefined()
  })
})
