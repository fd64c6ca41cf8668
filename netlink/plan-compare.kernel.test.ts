import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCidr, parseIp } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { ip, run } from '../test/kernel/namespaces.ts'
import { ENI, HOST_LINK, HOST_MAC, POD_MAC, PodHost, ping } from '../test/kernel/pod-plan.ts'
import type { PlanInterpreter } from './interpreter.ts'
import type { Netns } from './netns.ts'
import { type NetworkPlan, networkPlan, SOURCE_MARK_MASK } from './plan.ts'

let node: PodHost
let host: Netns
let pod: Netns
let kernel: PlanInterpreter
let plan: NetworkPlan

beforeEach(() => {
  node = new PodHost('tw-nl-ver-')
  ;({ host, pod, kernel, plan } = node)
})

afterEach(() => node[Symbol.asyncDispose]())

const cases: [string, string, () => void][] = [
  ['route', '10.0.1.7/32 dev cali0123456789a table 254', () => ip(host, 'route', 'del', '10.0.1.7')],
  [
    'route',
    'default (ipv4) via 169.254.1.1 dev eth0 table 254 onlink',
    () => ip(pod, 'route', 'change', 'default', 'dev', 'eth0'),
  ],
  ['rule', '512: from all (ipv4) to 10.0.1.7/32 lookup 254', () => ip(host, 'rule', 'del', 'prio', '512')],
  ['rule', '2048: from 10.0.1.7/32 iif cali0123456789a lookup 1070', () => ip(host, 'rule', 'del', 'prio', '2048')],
  ['address', 'fd00::7/128 dev eth0', () => ip(pod, 'addr', 'del', 'fd00::7/128', 'dev', 'eth0')],
  [
    'neighbour',
    `10.0.1.7 lladdr ${POD_MAC} dev cali0123456789a`,
    () => ip(host, 'neigh', 'del', '10.0.1.7', 'dev', HOST_LINK),
  ],
  [
    'neighbour',
    `169.254.1.1 lladdr ${HOST_MAC} dev eth0`,
    () => ip(pod, 'neigh', 'change', '169.254.1.1', 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0'),
  ],
  ['link', 'cali0123456789a (ifindex 5001)', () => ip(host, 'link', 'set', HOST_LINK, 'down')],
  ['link', 'eth0 (ifindex 6001)', () => ip(pod, 'link', 'set', 'eth0', 'mtu', '1300')],
  ['link', 'cali0123456789a (ifindex 5001)', () => ip(host, 'link', 'set', HOST_LINK, 'address', '02:00:00:00:00:98')],
  ['link', 'eni1 (ifindex 70)', () => ip(host, 'link', 'set', ENI.name, 'down')],
  ['link', 'lo (ifindex 1)', () => ip(pod, 'link', 'set', 'lo', 'down')],
  ['link', 'cali0123456789a (ifindex 5001)', () => ip(host, 'link', 'del', HOST_LINK)],
  ['address', '10.0.1.7/32 dev eth0', () => ip(pod, 'addr', 'flush', 'dev', 'eth0')],
  [
    'address',
    '10.0.0.5/32 dev eni1',
    () => {
      ip(host, 'addr', 'del', '10.0.0.5/32', 'dev', ENI.name)
      ip(host, 'addr', 'add', '10.0.0.5/32', 'dev', ENI.name, 'scope', 'global')
    },
  ],
  ['rule', '512: from 10.0.1.7/32 lookup 254', () => ip(pod, 'rule', 'flush')],
  [
    'sysctl',
    'net.ipv4.conf.cali0123456789a.rp_filter = 0',
    () => run(host, 'sysctl', '-q', `net.ipv4.conf.${HOST_LINK}.rp_filter=1`),
  ],
]
test.each(cases)('%s %s', (object, subject, tamper) => {
  kernel.apply(plan)
  tamper()
  const differences = kernel.verify(plan)
  expect(differences).toContainEqual(expect.objectContaining({ object, subject }))
  expect(kernel.repair(plan)).toEqual(differences)
  expect(kernel.verify(plan)).toEqual([])
  expect(ping(host, '10.0.1.7')).toContain('1 received')
})

describe('rules of somebody who no longer cares', () => {
  const ours = ['prio', '2048', 'from', '10.0.1.7', 'iif', HOST_LINK]
  const others = () => ip(host, 'rule', 'show', 'prio', '2048')
  /** In front of ours: rules of one priority are in the order in which they were added. */
  const inFront = (...rule: string[]) => {
    ip(host, 'rule', 'del', 'prio', '2048')
    ip(host, 'rule', 'add', ...rule)
    ip(host, 'rule', 'add', ...ours, 'table', '1070')
  }

  beforeEach(() => kernel.apply(plan))

  test('that decide before ours are named and go', () => {
    inFront(...ours, 'table', '999')
    expect(kernel.repair(plan)).toEqual([
      {
        ...{ netns: 'host', object: 'rule', subject: '2048: from 10.0.1.7/32 iif cali0123456789a lookup 1070' },
        ...{ problem: 'different', found: '2048: from 10.0.1.7/32 iif cali0123456789a lookup 999' },
      },
    ])
    expect(kernel.verify(plan)).toEqual([])
    expect(others()).not.toContain('999')
  })

  test('go with one repair where ours is missing too', () => {
    inFront(...ours, 'table', '999')
    ip(host, 'rule', 'del', ...ours, 'table', '1070')
    kernel.repair(plan)
    expect(kernel.verify(plan)).toEqual([])
    expect(others()).not.toContain('999')
  })

  test.each([
    ['another selector', ['prio', '2048', 'from', '10.0.1.7', 'table', '999']],
    ['another priority', ['prio', '2047', 'from', '10.0.1.7', 'iif', HOST_LINK, 'table', '999']],
    ['a selector that plans do not have', [...ours, 'dport', '53', 'ipproto', 'udp', 'table', '999']],
    ['another action', [...ours, 'blackhole']],
  ])('stay with %s', (_, rule) => {
    inFront(...rule)
    const rules = ip(host, 'rule')
    expect(kernel.repair(plan)).toEqual([])
    kernel.apply(plan)
    expect(ip(host, 'rule')).toBe(rules)
  })

  test('stay behind ours', () => {
    ip(host, 'rule', 'add', ...ours, 'table', '999')
    expect(kernel.repair(plan)).toEqual([])
    expect(others()).toContain('999')
  })
})

test('only what differs is named, with what was found', () => {
  kernel.apply(plan)
  ip(host, 'link', 'set', HOST_LINK, 'mtu', '1300')
  expect(kernel.verify(plan)).toEqual([
    {
      netns: 'host',
      object: 'link',
      subject: 'cali0123456789a (ifindex 5001)',
      problem: 'different',
      found: 'mtu 1300',
    },
  ])
  expect(kernel.repair({ ...plan, links: [] })).toEqual([])
})

test('a missing pod namespace is a difference, and what the host misses is named too', () => {
  kernel.apply(plan)
  node.spaces.delete('pod')
  const differences = kernel.verify(plan)
  expect(differences[0]).toEqual({ netns: 'pod', object: 'netns', subject: plan.podNetns, problem: 'missing' })
})

test('many plans are compared with one reading of the host', () => {
  kernel.apply(plan)
  expect(
    kernel.verifyAll([plan, { ...plan, rules: [{ netns: 'host', family: 'ipv4', priority: 9, table: 254 }] }]),
  ).toEqual([[], [{ netns: 'host', object: 'rule', subject: '9: from all (ipv4) lookup 254', problem: 'missing' }]])
})

describe('comparison', () => {
  test('has every object, in the order of the plan', () => {
    kernel.apply(plan)
    const compared = kernel.compare(plan)
    expect(compared.filter(({ problem, found }) => problem !== undefined || found !== undefined)).toEqual([])
    const { links, sysctls, addresses, neighbours, routes, rules } = plan
    expect(compared.map(({ object }) => object)).toEqual([
      'netns',
      ...Array(links.length + 1).fill('link'), // a veth has two ends
      ...Array(sysctls.length).fill('sysctl'),
      ...Array(addresses.length).fill('address'),
      ...Array(neighbours.length).fill('neighbour'),
      ...Array(routes.length).fill('route'),
      ...Array(rules.length).fill('rule'),
    ])
    ip(host, 'route', 'del', '10.0.1.7')
    expect(kernel.compare(plan)).toHaveLength(compared.length)
    expect(kernel.compare(plan).filter(({ problem }) => problem !== undefined)).toEqual(kernel.verify(plan))
  })
})

describe('what a node shares', () => {
  const lo = { netns: 'host', name: parseLinkName('lo'), ifindex: 1 } as const
  const [cidr4, cidr6] = [parseCidr('10.7.0.0/16'), parseCidr('fd07::/64')]
  const blackhole = { device: lo, table: 254, scope: 'global', type: 'blackhole' } as const
  const mark = { value: 0x0010_0000, mask: SOURCE_MARK_MASK }
  const shared = networkPlan({
    routes: [
      { ...blackhole, destination: cidr4 },
      { ...blackhole, destination: cidr6 },
      { device: ENI, destination: parseCidr('10.8.0.0/16'), table: 254, scope: 'link', source: parseIp('10.99.0.1') },
    ],
    rules: [
      { netns: 'host', family: 'ipv4', priority: 2048, mark, table: 1070 },
      { netns: 'host', family: 'ipv6', priority: 2048, mark: { value: 0x0010_0000, mask: 0xffffffff }, table: 1070 },
    ],
  })

  beforeEach(() => {
    ip(host, 'link', 'set', ENI.name, 'up')
    kernel.apply(shared)
  })

  test('is there as iproute2 sees it, and goes', async () => {
    expect(kernel.verify(shared)).toEqual([])
    expect(ip(host, 'route', 'show')).toContain('blackhole 10.7.0.0/16')
    expect(ip(host, '-6', 'route', 'show')).toContain('blackhole fd07::/64')
    expect(ip(host, 'route', 'show')).toMatch(/10\.8\.0\.0\/16 dev eni1 scope link src 10\.99\.0\.1/)
    expect(ip(host, 'rule')).toContain('2048:\tfrom all fwmark 0x100000/0xff00000 lookup 1070')
    expect(ip(host, '-6', 'rule')).toContain('2048:\tfrom all fwmark 0x100000 lookup 1070')
    await kernel.remove(shared)
    expect(kernel.verify(shared).map(({ problem }) => problem)).toEqual(Array(5).fill('missing'))
    await kernel.remove(shared)
  })

  test.each([
    ['route', 'blackhole 10.7.0.0/16 table 254', () => ip(host, 'route', 'del', '10.7.0.0/16')],
    ['route', 'blackhole fd07::/64 table 254', () => ip(host, '-6', 'route', 'del', 'fd07::/64')],
    [
      'route',
      '10.8.0.0/16 dev eni1 table 254 src 10.99.0.1',
      () => ip(host, 'route', 'replace', '10.8.0.0/16', 'dev', 'eni1', 'scope', 'link'),
    ],
    [
      'rule',
      '2048: from all (ipv4) fwmark 0x100000/0xff00000 lookup 1070',
      () => ip(host, 'rule', 'del', 'prio', '2048'),
    ],
    ['rule', '2048: from all (ipv6) fwmark 0x100000 lookup 1070', () => ip(host, '-6', 'rule', 'del', 'prio', '2048')],
  ])('%s %s comes back', (object, subject, tamper) => {
    tamper()
    expect(kernel.repair(shared)).toEqual([expect.objectContaining({ object, subject })])
    expect(kernel.verify(shared)).toEqual([])
  })

  test.each([
    ['IPv4', [], '10.7.0.0/16'],
    ['IPv6', ['-6'], 'fd07::/64'],
  ])('removal leaves an %s route of the same destination that leads somewhere', async (_, family, destination) => {
    ip(host, ...family, 'route', 'replace', destination, 'dev', ENI.name)
    await kernel.remove(shared)
    expect(ip(host, ...family, 'route', 'show', destination)).toContain('dev eni1')
  })

  test('a rule of the same match to another table is somebody else’s', async () => {
    ip(host, 'rule', 'add', 'prio', '2048', 'fwmark', '0x100000/0xff00000', 'table', '9')
    expect(kernel.repair(shared)).toEqual([])
    await kernel.remove(shared)
    expect(ip(host, 'rule')).toContain('2048:\tfrom all fwmark 0x100000/0xff00000 lookup 9')
  })
})
