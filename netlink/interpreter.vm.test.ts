/** Plans with links that only a stock kernel has: ipvlan and 802.1Q, on an ENI with the name that pods want. */
import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr, parseIp, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { MessageCount } from '../test/kernel/message-count.ts'
import { ip, ipJson, run, TestNamespaces } from '../test/kernel/namespaces.ts'
import { ping } from '../test/kernel/pod-plan.ts'
import { PlanInterpreter } from './interpreter.ts'
import type { Netns } from './netns.ts'
import { type IpvlanSpec, type NetworkPlan, networkPlan, type VlanSpec } from './plan.ts'
import { supportsLinkKind } from './probe.ts'

const ETH0 = parseLinkName('eth0')
/** An ENI on the host, and its other end in the VPC; members of the trunk are VLANs there. */
const ENI = { netns: 'host', name: ETH0, ifindex: 50 } as const
const ENI_MAC = parseMac('02:00:00:00:20:01')
const MEMBER_MAC = parseMac('02:00:00:00:20:03')
const VLAN_ID = 100
/** In the VPC: the router of both subnets. */
const GATEWAY = '10.0.0.1'
const MEMBER_GATEWAY = '10.1.0.1'

let spaces: TestNamespaces
let vpc: Netns
let host: Netns
let pod: Netns
let kernel: PlanInterpreter

beforeEach(() => {
  spaces = new TestNamespaces('tw-nl-vm-')
  vpc = spaces.create('vpc')
  host = spaces.create('host')
  pod = spaces.create('pod')
  batch(host, [
    `link add ${ENI.name} index ${ENI.ifindex} address ${ENI_MAC} type veth peer name eni1 netns tw-nl-vm-vpc`,
    `link set ${ENI.name} up`,
  ])
  batch(vpc, [
    `link add link eni1 name member type vlan id ${VLAN_ID}`,
    ...[`addr add ${GATEWAY}/24 dev eni1`, `addr add ${MEMBER_GATEWAY}/24 dev member`],
    ...['link set eni1 up', 'link set member up'],
  ])
  kernel = new PlanInterpreter({ hostNetns: host })
})

/** One process, since starting one takes long in the guest. */
function batch(netns: Netns, commands: readonly string[]): void {
  const name = netns.path.slice(netns.path.lastIndexOf('/') + 1)
  execFileSync('ip', ['-n', name, '-batch', '-'], { input: commands.join('\n'), stdio: 'pipe' })
}

afterEach(async () => {
  await kernel.close()
  spaces[Symbol.dispose]()
})

const device = { netns: 'pod', name: ETH0, ifindex: 5001 } as const
const ipvlan: IpvlanSpec = { kind: 'ipvlan', ...device, parent: ENI, mtu: 1400 }
const vlan: VlanSpec = { kind: 'vlan', ...device, parent: ENI, vlanId: VLAN_ID, mac: MEMBER_MAC, mtu: 1400 }

function planOf(link: IpvlanSpec | VlanSpec, address: string, gateway: string): NetworkPlan {
  const route = { device, table: 254 }
  return networkPlan({
    podNetns: pod.path,
    links: [link],
    sysctls: [{ netns: 'pod', key: ['net', 'ipv6', 'conf', 'eth0', 'accept_ra'], value: '0' }],
    addresses: [{ device, address: parseIp(address), prefixLength: 24, scope: 'global' }],
    routes: [{ ...route, destination: parseCidr('0.0.0.0/0'), gateway: parseIp(gateway), scope: 'global' }],
  })
}

const ipvlanPlan = () => planOf(ipvlan, '10.0.0.7', GATEWAY)
const vlanPlan = () => planOf(vlan, '10.1.0.7', MEMBER_GATEWAY)
const links = (netns: Netns) => ipJson(netns, 'link').map(({ ifname }) => ifname)
const codeOf = (code: string) => expect.objectContaining({ name: 'PlanError', code })

const plans: [string, () => NetworkPlan, string, Record<string, unknown>][] = [
  [
    'ipvlan',
    ipvlanPlan,
    GATEWAY,
    { linkinfo: { info_kind: 'ipvlan', info_data: expect.objectContaining({ mode: 'l2' }) } },
  ],
  [
    'vlan',
    vlanPlan,
    MEMBER_GATEWAY,
    { linkinfo: { info_kind: 'vlan', info_data: expect.objectContaining({ id: VLAN_ID }) } },
  ],
]

describe.each(plans)('%s', (kind, planned, gateway, info) => {
  test('is in the pod under the name that the ENI has on the host, and goes without a trace', async () => {
    const plan = planned()
    const before = [links(host), links(pod)]
    kernel.apply(plan)
    expect(kernel.verify(plan)).toEqual([])
    expect(ipJson(pod, 'link', 'show', 'eth0')[0]).toMatchObject({ ifindex: 5001, mtu: 1400, ...info })
    expect(links(host)).toEqual(before[0])
    expect(ping(pod, gateway)).toContain('1 received')

    await kernel.remove(plan)
    expect([links(host), links(pod)]).toEqual(before)
    await kernel.remove(plan)
  })

  test('applied twice is the same link', () => {
    const plan = planned()
    kernel.apply(plan)
    ip(pod, 'link', 'set', 'eth0', 'down')
    ip(pod, 'link', 'set', 'eth0', 'mtu', '1300')
    expect(kernel.verify(plan)).toContainEqual(expect.objectContaining({ object: 'link', found: 'mtu 1300, down' }))
    kernel.repair(plan)
    expect(kernel.verify(plan)).toEqual([])
    expect(ping(pod, gateway)).toContain('1 received')
  })

  test('a stale one under its name is replaced at once', () => {
    const plan = planned()
    kernel.apply(plan)
    const [link] = plan.links
    const other = { ...plan, links: [{ ...link, ifindex: 5002 }] as NetworkPlan['links'], addresses: [], routes: [] }
    kernel.apply(other)
    expect(kernel.verify(other)).toEqual([])
    expect(links(pod)).toEqual(['lo', 'eth0'])
  })

  test('one that was born and not yet named is replaced', () => {
    const plan = planned()
    const type = kind === 'vlan' ? ['vlan', 'id', String(VLAN_ID)] : ['ipvlan', 'mode', 'l2']
    const birth = ['name', 'tw-1389', 'index', '5001', 'netns', 'tw-nl-vm-pod']
    ip(host, 'link', 'add', 'link', ENI.name, ...birth, 'type', ...type)
    kernel.apply(plan)
    expect(kernel.verify(plan)).toEqual([])
    expect(links(pod)).toEqual(['lo', 'eth0'])
  })

  test('a link of another kind is left alone', () => {
    ip(pod, 'link', 'add', 'eth0', 'type', 'dummy')
    expect(() => kernel.apply(planned())).toThrow(codeOf('name-taken'))
    expect(ipJson(pod, 'link', 'show', 'eth0')[0]).toMatchObject({ linkinfo: { info_kind: 'dummy' } })
  })

  test.each([
    ['host', () => host],
    ['pod', () => pod],
  ])('an index that is taken in the %s is named', (_, where) => {
    ip(where(), 'link', 'add', 'other', 'index', '5001', 'type', 'dummy')
    expect(() => kernel.apply(planned())).toThrow(codeOf('ifindex-taken'))
    expect(links(where())).toContain('other')
  })

  test('an ENI that is gone is named', () => {
    ip(host, 'link', 'delete', ENI.name)
    expect(() => kernel.apply(planned())).toThrow(codeOf('eni-gone'))
  })

  test('an MTU above that of the ENI is refused', () => {
    const plan = planned()
    const [link] = plan.links
    const large = { ...plan, links: [{ ...link, mtu: 9000 }] as NetworkPlan['links'] }
    expect(() => kernel.apply(large)).toThrow(codeOf('mtu'))
  })
})

test('the id of another pod is not taken away', () => {
  const other = spaces.create('other')
  kernel.apply({ ...vlanPlan(), podNetns: other.path })
  const [link] = vlanPlan().links
  const late = { ...vlanPlan(), links: [{ ...link, ifindex: 5002 }] as NetworkPlan['links'] }
  expect(() => kernel.apply(late)).toThrow(codeOf('vlan-taken'))
  expect(links(other)).toContain('eth0')
})

test('an ipvlan on the host has no ARP and goes with its plan', async () => {
  const [name, node] = [parseLinkName('ipvl_50'), parseIp('10.0.0.5')]
  const slave = { netns: 'host', name, ifindex: 0x7000_0032 } as const
  const plan = networkPlan({
    links: [{ kind: 'ipvlan', ...slave, parent: ENI, mtu: 1500, noArp: true }],
    addresses: [{ device: slave, address: node, prefixLength: 32, scope: 'host' }],
    routes: [{ device: slave, destination: parseCidr('10.0.0.7/32'), table: 254, scope: 'link', source: node }],
  })
  kernel.apply(plan)
  // Nobody would tell the pod the address of a link without ARP.
  kernel.apply({ ...ipvlanPlan(), neighbours: [{ device, address: node, mac: ENI_MAC }] })
  expect(kernel.verify(plan)).toEqual([])
  expect(ipJson(host, 'link', 'show', name)[0]?.flags).toContain('NOARP')
  expect(ping(host, '10.0.0.7')).toContain('1 received')
  ip(host, 'link', 'set', name, 'arp', 'on')
  expect(kernel.repair(plan)).toEqual([expect.objectContaining({ found: 'ARP' })])

  await kernel.remove(plan)
  expect(links(host)).toEqual(['lo', 'eth0'])
})

test.each<[string, IpvlanSpec | VlanSpec]>([
  ['ipvlan', { ...ipvlan, mtu: 1500 }],
  ['vlan', { ...vlan, mtu: 1500 }],
])('an ENI and the %s on it get their MTU back when the ENI’s was lowered', (_, link) => {
  const plan = networkPlan({ podNetns: pod.path, links: [{ kind: 'existing', ...ENI, mtu: 1500 }, link] })
  kernel.apply(plan)
  ip(host, 'link', 'set', ENI.name, 'mtu', '1400')
  expect(kernel.repair(plan)).toEqual(
    ['eth0 (ifindex 50)', 'eth0 (ifindex 5001)'].map((subject) =>
      expect.objectContaining({ subject, problem: 'different', found: 'mtu 1400' }),
    ),
  )
  expect(kernel.verify(plan)).toEqual([])
  ip(host, 'link', 'set', ENI.name, 'mtu', '1400')
  ip(pod, 'link', 'del', 'eth0')
  kernel.repair(plan)
  expect(kernel.verify(plan)).toEqual([])
})

test('the kernel has all kinds of links, and asking makes none', () => {
  const kinds = ['ipvlan', 'vlan', 'ifb', 'veth', 'dummy', 'nothing']
  expect(kinds.filter((kind) => supportsLinkKind(kind, { netns: host }))).toEqual(kinds.slice(0, -1))
  expect(links(host)).toEqual(['lo', 'eth0'])
})

describe('filters on an ENI that pods share', () => {
  const place = { device: ENI, direction: 'classes', protocol: 'ipv4', priority: 1 } as const
  const priority = (source: string, band: 1 | 2 | 3): NetworkPlan =>
    networkPlan({
      qdiscs: [{ kind: 'prio', device: ENI }],
      filters: [{ ...place, source: parseCidr(source), actions: [], band }],
    })
  const tag = (source: string, vlanId: number): NetworkPlan =>
    networkPlan({
      qdiscs: [{ kind: 'clsact', device: ENI }],
      filters: [
        { device: ENI, direction: 'ingress', priority: 20000, protocol: '802.1Q', actions: [{ kind: 'vlan-pop' }] },
        {
          ...{ device: ENI, direction: 'egress', priority: 50001, protocol: 'ipv4', source: parseCidr(source) },
          actions: [{ kind: 'vlan-push', vlanId }],
        },
      ],
    })

  test.each([
    ['priorities', priority('10.0.0.7/32', 1), priority('10.0.0.8/32', 3), priority('10.0.0.7/32', 2), 'root'],
    ['VLAN tags', tag('10.0.0.7/32', 100), tag('10.0.0.8/32', 101), tag('10.0.0.7/32', 102), 'egress'],
  ])('%s: each plan has its own, and another one in its place is put right', async (_, one, two, other, where) => {
    for (const plan of [one, two, one]) kernel.apply(plan)
    expect(kernel.verifyAll([one, two])).toEqual([[], []])
    expect(kernel.repair(other)).toEqual([expect.objectContaining({ object: 'filter', problem: 'different' })])
    expect(kernel.verifyAll([other, two])).toEqual([[], []])
    await kernel.remove({ ...other, filters: other.filters.slice(-1) })
    expect(kernel.verify(two)).toEqual([])
    await kernel.remove(two)
    expect(run(host, 'tc', 'filter', 'show', 'dev', ENI.name, where)).not.toContain('match')
    expect(kernel.verify(two).map(({ object }) => object)).not.toContain('qdisc')
  })

  test.each<[string, (source: string) => NetworkPlan]>([
    ['priorities', (source) => priority(source, 1)],
    ['VLAN tags', (source) => tag(source, 100)],
  ])('%s cost the same whatever the number of pods and links', async (_, planned) => {
    using exchanged = new MessageCount()
    const cost = async (source: string) => {
      const before = exchanged.count
      kernel.apply(planned(source))
      await kernel.remove({ ...planned(source), filters: planned(source).filters.slice(-1) })
      return exchanged.count - before
    }
    kernel.apply(planned('10.1.0.0/32'))
    const few = await cost('10.1.0.1/32')
    for (let index = 2; index < 20; index++) kernel.apply(planned(`10.1.0.${index}/32`))
    batch(
      host,
      Array.from({ length: 20 }, (_, index) => `link add d${index} type dummy`),
    )
    expect(await cost('10.1.1.1/32')).toBe(few)
  })

  test('a prio that was lost, and one with other handles, is found out by the next pod', () => {
    const [one, two] = [priority('10.0.0.7/32', 1), priority('10.0.0.8/32', 2)]
    kernel.apply(one)
    run(host, 'tc', 'qdisc', 'delete', 'dev', ENI.name, 'root')
    kernel.apply(two)
    expect(kernel.verify(two)).toEqual([])
    run(host, 'tc', 'qdisc', 'delete', 'dev', ENI.name, 'root')
    const bands = ['prio', 'bands', '3']
    run(host, 'tc', 'qdisc', 'add', 'dev', ENI.name, 'root', 'handle', '7:', ...bands)
    kernel.apply(one)
    expect(kernel.verify(one)).toEqual([])
  })
})
