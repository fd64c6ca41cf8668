/** What each datapath asks of the kernel, for each family: the whole plans, written out. */
import { describe, expect, test } from '@jest/globals'
import { parseIpv6, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { cidrs, ENI, HOST, MEMBER, only, POD } from '../../test/datapath/attachments.ts'
import { planLines } from '../../test/datapath/plan-lines.ts'
import type { Attachment, HostFacts } from './attachment.ts'
import { planPod, planPods } from './plan-pod.ts'

/** Families of pods with this line: `4` IPv4 alone, `6` IPv6 alone, `d` both. */
type Line = readonly [families: '4' | '4d' | '6d' | '46d', text: string]

const NAMESPACE: readonly Line[] = [
  ['46d', 'pod /run/netns/p1'],
  ['46d', 'link pod lo#1 existing'],
]

const VETH: readonly Line[] = [
  ...NAMESPACE,
  ['46d', 'link host calic95a4947e07#1002 veth a2:1f:d2:d3:5f:7c mtu 1400 peer eth0#1001 ea:93:8c:71:71:ad mtu 1400'],
  ['4', 'sysctl pod net.ipv6.conf.default.accept_ra = 0 optional'],
  ['6d', 'sysctl pod net.ipv6.conf.all.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.default.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.lo.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.default.accept_ra = 0'],
  ['4', 'sysctl pod net.ipv6.conf.eth0.accept_ra = 0 optional'],
  ['6d', 'sysctl pod net.ipv6.conf.eth0.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.eth0.accept_ra = 0'],
  ['4', 'sysctl host net.ipv6.conf.calic95a4947e07.accept_ra = 0 optional'],
  ['6d', 'sysctl host net.ipv6.conf.calic95a4947e07.disable_ipv6 = 0'],
  ['6d', 'sysctl host net.ipv6.conf.calic95a4947e07.accept_ra = 0'],
  ['6d', 'sysctl host net.ipv6.conf.calic95a4947e07.forwarding = 1'],
  ['4d', 'address pod eth0#1001 10.0.1.20/32 global'],
  ['6d', 'address pod eth0#1001 fd00:1::20/128 global'],
  ['4d', 'neighbour pod eth0#1001 169.254.1.1 a2:1f:d2:d3:5f:7c'],
  ['4d', 'neighbour host calic95a4947e07#1002 10.0.1.20 ea:93:8c:71:71:ad'],
  ['6d', 'neighbour pod eth0#1001 fe80::1 a2:1f:d2:d3:5f:7c'],
  ['6d', 'neighbour host calic95a4947e07#1002 fd00:1::20 ea:93:8c:71:71:ad'],
  ['4d', 'route pod eth0#1001 0.0.0.0/0 via 169.254.1.1 onlink table 254 scope global'],
  ['6d', 'route pod eth0#1001 ::/0 via fe80::1 onlink table 254 scope global'],
]

const IN_POD_TABLE: readonly Line[] = [
  ['4d', 'route host calic95a4947e07#1002 10.0.1.20/32 table 1000 scope link'],
  ['6d', 'route host calic95a4947e07#1002 fd00:1::20/128 table 1000 scope link'],
]
const IN_MAIN: readonly Line[] = [
  ['4d', 'route host calic95a4947e07#1002 10.0.1.20/32 table 254 scope link'],
  ['6d', 'route host calic95a4947e07#1002 fd00:1::20/128 table 254 scope link'],
]
const RULES: readonly Line[] = [
  ['4d', 'rule host ipv4 512: to 10.0.1.20/32 lookup 254'],
  ['4d', 'rule host ipv4 2048: from 10.0.1.20/32 lookup 1007'],
  ['6d', 'rule host ipv6 512: to fd00:1::20/128 lookup 254'],
  ['6d', 'rule host ipv6 2048: from fd00:1::20/128 lookup 1007'],
]
const MARKS: readonly Line[] = [
  ['4d', 'mark host 10.0.1.20 0x100000'],
  ['6d', 'mark host fd00:1::20 0x100000'],
]

const TAGS: readonly Line[] = [
  ['46d', 'qdisc host eth1#7 clsact'],
  ['4d', 'filter host eth1#7 egress 50001 ipv4 from 10.0.1.20/32 > vlan-push 11'],
  ['6d', 'filter host eth1#7 egress 50002 ipv6 from fd00:1::20/128 > vlan-push 11'],
]

/** What stands on a link to the VPC, after that link. */
const WITH_HOST_PEER: readonly Line[] = [
  ['46d', 'link host calic95a4947e07#1001 veth d6:d1:b0:d5:41:ab mtu 1400 peer veth1#1002 16:ff:ff:41:8f:5c mtu 1400'],
  ['4', 'sysctl pod net.ipv6.conf.default.accept_ra = 0 optional'],
  ['6d', 'sysctl pod net.ipv6.conf.all.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.default.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.lo.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.default.accept_ra = 0'],
  ['4', 'sysctl pod net.ipv6.conf.eth0.accept_ra = 0 optional'],
  ['6d', 'sysctl pod net.ipv6.conf.eth0.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.eth0.accept_ra = 0'],
  ['4', 'sysctl pod net.ipv6.conf.veth1.accept_ra = 0 optional'],
  ['6d', 'sysctl pod net.ipv6.conf.veth1.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.veth1.accept_ra = 0'],
  ['4', 'sysctl host net.ipv6.conf.calic95a4947e07.accept_ra = 0 optional'],
  ['6d', 'sysctl host net.ipv6.conf.calic95a4947e07.disable_ipv6 = 0'],
  ['6d', 'sysctl host net.ipv6.conf.calic95a4947e07.accept_ra = 0'],
  ['6d', 'sysctl host net.ipv6.conf.calic95a4947e07.forwarding = 1'],
  ['4d', 'address pod eth0#1001 10.0.1.20/32 global'],
  ['6d', 'address pod eth0#1001 fd00:1::20/128 global'],
  ['4d', 'address pod veth1#1002 10.0.1.20/32 global'],
  ['6d', 'address pod veth1#1002 fd00:1::20/128 global'],
  ['4d', 'neighbour pod veth1#1002 169.254.1.1 d6:d1:b0:d5:41:ab'],
  ['4d', 'neighbour host calic95a4947e07#1001 10.0.1.20 16:ff:ff:41:8f:5c'],
  ['6d', 'neighbour pod veth1#1002 fe80::1 d6:d1:b0:d5:41:ab'],
  ['6d', 'neighbour host calic95a4947e07#1001 fd00:1::20 16:ff:ff:41:8f:5c'],
  ['4d', 'route host calic95a4947e07#1001 10.0.1.20/32 table 254 scope link'],
  ['6d', 'route host calic95a4947e07#1001 fd00:1::20/128 table 254 scope link'],
  ['4d', 'route pod eth0#1001 0.0.0.0/0 via 10.0.1.253 onlink table 254 scope global'],
  ['6d', 'route pod eth0#1001 ::/0 via fd00:1::ffff:ffff:ffff:fff7 onlink table 254 scope global'],
  ['4d', 'route pod veth1#1002 172.16.0.0/16 via 169.254.1.1 onlink table 254 scope global'],
  ['6d', 'route pod veth1#1002 fd00:5::/112 via fe80::1 onlink table 254 scope global'],
  ['4d', 'route pod veth1#1002 10.0.0.10/32 via 169.254.1.1 onlink table 254 scope global'],
  ['6d', 'route pod veth1#1002 fd00::10/128 via fe80::1 onlink table 254 scope global'],
]

const IPVLAN: readonly Line[] = [
  ...NAMESPACE,
  ['46d', 'link pod eth0#1001 ipvlan of host eth1#7 mtu 1400'],
  ['4', 'sysctl pod net.ipv6.conf.default.accept_ra = 0 optional'],
  ['6d', 'sysctl pod net.ipv6.conf.all.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.default.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.lo.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.default.accept_ra = 0'],
  ['4', 'sysctl pod net.ipv6.conf.eth0.accept_ra = 0 optional'],
  ['6d', 'sysctl pod net.ipv6.conf.eth0.disable_ipv6 = 0'],
  ['6d', 'sysctl pod net.ipv6.conf.eth0.accept_ra = 0'],
  ['4d', 'address pod eth0#1001 10.0.1.20/24 global'],
  ['6d', 'address pod eth0#1001 fd00:1::20/64 global'],
  ['4d', 'neighbour pod eth0#1001 10.0.0.10 00:16:3e:00:00:01'],
  ['6d', 'neighbour pod eth0#1001 fd00::10 00:16:3e:00:00:01'],
  ['4d', 'route host ipvl_7#1879048199 10.0.1.20/32 table 254 scope link'],
  ['6d', 'route host ipvl_7#1879048199 fd00:1::20/128 table 254 scope link'],
  ['4d', 'route pod eth0#1001 0.0.0.0/0 via 10.0.1.253 onlink table 254 scope global'],
  ['6d', 'route pod eth0#1001 ::/0 via fd00:1::ffff:ffff:ffff:fff7 onlink table 254 scope global'],
  ['4d', 'route pod eth0#1001 10.0.0.10/32 table 254 scope link'],
  ['6d', 'route pod eth0#1001 fd00::10/128 table 254 scope link'],
]

interface Case {
  readonly name: string
  readonly attachment: Attachment
  readonly policyRoute?: HostFacts['policyRoute']
  readonly lines: readonly Line[]
}

const CASES: readonly Case[] = [
  { name: 'policy-route, map', attachment: POD, lines: [...VETH, ...IN_POD_TABLE, ...MARKS] },
  { name: 'policy-route, rules', attachment: POD, policyRoute: 'rules', lines: [...VETH, ...IN_MAIN, ...RULES] },
  {
    name: 'vlan-tag, map',
    attachment: { ...POD, datapath: 'vlan-tag', eni: MEMBER },
    lines: [...VETH, ...IN_POD_TABLE, ...TAGS, ...MARKS],
  },
  {
    name: 'vlan-tag, rules',
    attachment: { ...POD, datapath: 'vlan-tag', eni: MEMBER },
    policyRoute: 'rules',
    lines: [...VETH, ...IN_MAIN, ...RULES, ...TAGS],
  },
  {
    name: 'exclusive',
    attachment: { ...POD, datapath: 'exclusive', hostPeer: true },
    lines: [
      ...NAMESPACE,
      ['46d', 'link pod eth0#1001 moved 00:16:3e:00:00:01 mtu 1400 home eth1#7'],
      ...WITH_HOST_PEER,
    ],
  },
  {
    name: 'exclusive without the second veth',
    attachment: { ...POD, datapath: 'exclusive' },
    lines: [
      ...NAMESPACE,
      ['46d', 'link pod eth0#1001 moved 00:16:3e:00:00:01 mtu 1400 home eth1#7'],
      ...WITH_HOST_PEER.filter(([, text]) => !/veth1|calic95a4947e07/.test(text)),
    ],
  },
  {
    name: 'vlan',
    attachment: { ...POD, datapath: 'vlan', hostPeer: true, eni: MEMBER },
    lines: [
      ...NAMESPACE,
      ['46d', 'link pod eth0#1001 vlan 11 of host eth1#7 00:16:3e:00:00:02 mtu 1400'],
      ...WITH_HOST_PEER,
    ],
  },
  { name: 'ipvlan', attachment: { ...POD, datapath: 'ipvlan' }, lines: IPVLAN },
]

const ROUTE: Case = {
  name: 'route',
  attachment: { ...POD, datapath: 'route' },
  lines: [...VETH, ...IN_MAIN],
}

const withoutEni = ({ eni: _, ...attachment }: Attachment): Attachment => attachment

describe.each([...CASES, { ...ROUTE, attachment: withoutEni(ROUTE.attachment) }])('$name', (one) => {
  const host: HostFacts = { ...HOST, policyRoute: one.policyRoute ?? 'map' }

  test.each([
    { families: 'IPv4', letter: '4', attachment: only('ipv4', one.attachment) },
    { families: 'IPv6', letter: '6', attachment: only('ipv6', one.attachment) },
    { families: 'both families', letter: 'd', attachment: one.attachment },
  ])('$families', ({ letter, attachment }) => {
    const expected = one.lines.flatMap(([families, text]) => (families.includes(letter) ? [text] : []))
    expect(planLines(planPod(attachment, host))).toEqual(expected)
  })

  test('is a plain value: the journal keeps it as JSON', () => {
    const plan = planPod(one.attachment, host)
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  })
})

/** Lines that one plan has and the other has not. */
function added(attachment: Attachment, to: Attachment, host = HOST): string[] {
  const before = new Set(planLines(planPod(to, host)))
  return planLines(planPod(attachment, host)).filter((line) => !before.has(line))
}

const EXCLUSIVE: Attachment = { ...POD, datapath: 'exclusive', hostPeer: true }
const VLAN: Attachment = { ...POD, datapath: 'vlan', hostPeer: true, eni: MEMBER }

describe('extra routes', () => {
  const extraRoutes = cidrs('192.168.0.0/16', 'fd00:9::/48')

  test.each([
    ['policy-route', POD, '169.254.1.1', 'fe80::1'],
    ['exclusive', EXCLUSIVE, '10.0.1.253', 'fd00:1::ffff:ffff:ffff:fff7'],
    ['vlan', VLAN, '10.0.1.253', 'fd00:1::ffff:ffff:ffff:fff7'],
    ['ipvlan', { ...POD, datapath: 'ipvlan' } as const, '10.0.1.253', 'fd00:1::ffff:ffff:ffff:fff7'],
  ])('of %s go where the interface leads', (_, attachment, ipv4, ipv6) => {
    expect(added({ ...attachment, extraRoutes }, attachment)).toEqual([
      `route pod eth0#1001 192.168.0.0/16 via ${ipv4} onlink table 254 scope global`,
      `route pod eth0#1001 fd00:9::/48 via ${ipv6} onlink table 254 scope global`,
    ])
  })
})

describe('host_stack_cidrs', () => {
  const hostStackCidrs = cidrs('169.254.20.10/32', 'fd00:20::10/128')

  test.each([EXCLUSIVE, VLAN])('of $datapath are reached by the second veth, like services', (attachment) => {
    expect(added({ ...attachment, hostStackCidrs }, attachment)).toEqual([
      'route pod veth1#1002 169.254.20.10/32 via 169.254.1.1 onlink table 254 scope global',
      'route pod veth1#1002 fd00:20::10/128 via fe80::1 onlink table 254 scope global',
    ])
  })

  test('everything: the second veth has the default route', () => {
    const all = { ...EXCLUSIVE, hostStackCidrs: cidrs('0.0.0.0/0') }
    const defaults = planLines(planPod(all, HOST)).filter((line) => /(0\.0\.0\.0|::)\/0/.test(line))
    expect(defaults).toEqual([
      'route pod eth0#1001 ::/0 via fd00:1::ffff:ffff:ffff:fff7 onlink table 254 scope global',
      'route pod veth1#1002 0.0.0.0/0 via 169.254.1.1 onlink table 254 scope global',
    ])
  })

  test('one that is a service prefix too is there once', () => {
    expect(added({ ...EXCLUSIVE, hostStackCidrs: cidrs('172.16.0.0/16') }, EXCLUSIVE)).toEqual([])
  })

  test('are nothing to a veth, by which everything reaches the node', () => {
    expect(added({ ...POD, hostStackCidrs, hostPeer: true }, POD)).toEqual([])
  })
})

describe('several interfaces in one pod', () => {
  const first: Attachment = { ...EXCLUSIVE, sourceRouting: true }
  const second: Attachment = {
    ...{ ...POD, datapath: 'exclusive', defaultRoute: false, sourceRouting: true },
    addresses: { ipv6: parseIpv6('fd00:1::21') },
    ifname: parseLinkName('net1'),
    hostLink: parseLinkName('cali01035d7d18e'),
    indexes: { link: 1004, peer: 1005, shaper: 1006 },
    eni: { ...ENI, mac: parseMac('00:16:3e:00:00:03'), link: parseLinkName('eth2'), ifindex: 8 },
    extraRoutes: cidrs('fd00:9::/48'),
  }

  test('each is left by what comes from its address; the node and services stay where they were', () => {
    expect(added(first, EXCLUSIVE)).toEqual([
      'route pod eth0#1001 0.0.0.0/0 via 10.0.1.253 onlink table 2001 scope global',
      'route pod eth0#1001 fd00:1::ffff:ffff:ffff:fff7/128 table 2001 scope link',
      'route pod eth0#1001 ::/0 via fd00:1::ffff:ffff:ffff:fff7 table 2001 scope global',
      'route pod veth1#1002 172.16.0.0/16 via 169.254.1.1 onlink table 2001 scope global',
      'route pod veth1#1002 fd00:5::/112 via fe80::1 onlink table 2001 scope global',
      'route pod veth1#1002 10.0.0.10/32 via 169.254.1.1 onlink table 2001 scope global',
      'route pod veth1#1002 fd00::10/128 via fe80::1 onlink table 2001 scope global',
      'rule pod ipv4 512: from 10.0.1.20/32 lookup 2001',
      'rule pod ipv4 512: oif eth0 lookup 2001',
      'rule pod ipv6 512: from fd00:1::20/128 lookup 2001',
      'rule pod ipv6 512: oif eth0 lookup 2001',
    ])
  })

  test('one has the default route of the pod, a further one its own and its extra routes', () => {
    const plan = planPods([first, second], HOST)
    expect(plan.podNetns).toBe('/run/netns/p1')
    expect(planLines(plan).filter((line) => /^(link|route|rule).*(net1|2004)/.test(line))).toEqual([
      'link pod net1#1004 moved 00:16:3e:00:00:03 mtu 1400 home eth2#8',
      'route pod net1#1004 fd00:9::/48 via fd00:1::ffff:ffff:ffff:fff7 onlink table 254 scope global',
      'route pod net1#1004 fd00:1::ffff:ffff:ffff:fff7/128 table 2004 scope link',
      'route pod net1#1004 ::/0 via fd00:1::ffff:ffff:ffff:fff7 table 2004 scope global',
      'rule pod ipv6 512: from fd00:1::21/128 lookup 2004',
      'rule pod ipv6 512: oif net1 lookup 2004',
    ])
  })

  test('a veth leads to the node from its own table as well', () => {
    expect(added({ ...POD, sourceRouting: true }, POD)).toEqual([
      'route pod eth0#1001 0.0.0.0/0 via 169.254.1.1 onlink table 2001 scope global',
      'route pod eth0#1001 ::/0 via fe80::1 onlink table 2001 scope global',
      'rule pod ipv4 512: from 10.0.1.20/32 lookup 2001',
      'rule pod ipv4 512: oif eth0 lookup 2001',
      'rule pod ipv6 512: from fd00:1::20/128 lookup 2001',
      'rule pod ipv6 512: oif eth0 lookup 2001',
    ])
  })

  test('an IPVlan pod still reaches the node, past the gateway', () => {
    const ipvlan: Attachment = { ...POD, datapath: 'ipvlan' }
    expect(added({ ...ipvlan, sourceRouting: true }, ipvlan)).toContain(
      'route pod eth0#1001 10.0.0.10/32 table 2001 scope link',
    )
  })
})

/** 100 Mbit/s to the pod and 1 Gbit/s from it. Bursts are those of a GSO packet and of a ms. */
const BANDWIDTH = { ingress: { rate: 12_500_000 }, egress: { rate: 125_000_000 } } as const
const TO_POD = 'tbf rate 12500000 burst 65536 limit 378036'
const FROM_POD = 'tbf rate 125000000 burst 125000 limit 3250000'

describe('bandwidth', () => {
  const ON_NODE = {
    toPod: [`qdisc host calic95a4947e07#1002 ${TO_POD}`],
    fromPod: [
      'link host ifbc95a4947e07#1003 ifb mtu 1400',
      `qdisc host ifbc95a4947e07#1003 ${FROM_POD}`,
      'qdisc host calic95a4947e07#1002 clsact',
      'filter host calic95a4947e07#1002 ingress 60000 all > redirect host ifbc95a4947e07#1003 egress',
    ],
  }
  const IN_POD = {
    toPod: [
      'link pod ifbeth0#1003 ifb mtu 1400',
      `qdisc pod ifbeth0#1003 ${TO_POD}`,
      'qdisc pod eth0#1001 clsact',
      'filter pod eth0#1001 ingress 60000 all > redirect pod ifbeth0#1003 egress',
    ],
    fromPod: [`qdisc pod eth0#1001 ${FROM_POD}`],
  }

  test.each([
    [POD, ON_NODE],
    [{ ...POD, datapath: 'vlan-tag', eni: MEMBER } as const, ON_NODE],
    [{ ...POD, datapath: 'route' } as const, ON_NODE],
    [{ ...POD, datapath: 'ipvlan' } as const, IN_POD],
    [EXCLUSIVE, IN_POD],
    [VLAN, IN_POD],
  ])('Q7: of $datapath: one direction, the other, and both', (attachment, { toPod, fromPod }) => {
    const { ingress, egress } = BANDWIDTH
    expect(added({ ...attachment, bandwidth: { ingress } }, attachment)).toEqual(toPod)
    expect(added({ ...attachment, bandwidth: { egress } }, attachment)).toEqual(fromPod)
    const both = added({ ...attachment, bandwidth: BANDWIDTH }, attachment)
    expect(new Set(both)).toEqual(new Set([...toPod, ...fromPod]))
    expect(both.length).toBe(toPod.length + fromPod.length)
  })

  test('the shaper of an interface with a long name is called by its index', () => {
    const ifname = parseLinkName('interface-12345')
    const bandwidth = { ingress: BANDWIDTH.ingress }
    const plan = planPod({ ...POD, datapath: 'ipvlan', ifname, bandwidth }, HOST)
    expect(plan.links.map(({ name }) => name)).toEqual(['lo', 'interface-12345', 'ifb1003'])
  })
})

describe('priority', () => {
  test.each([
    ['policy-route', POD, 'guaranteed', 1],
    ['policy-route', POD, 'burstable', 2],
    ['policy-route', POD, 'best-effort', 3],
    ['ipvlan', { ...POD, datapath: 'ipvlan' }, 'burstable', 2],
  ] as const)(
    'Q20: of %s, %#: a class of the ENI, with a filter of the protocol for each family',
    (_, pod, priority, band) => {
      expect(added({ ...pod, priority }, pod)).toEqual([
        'qdisc host eth1#7 prio',
        `filter host eth1#7 classes 1 ipv4 from 10.0.1.20/32 band ${band}`,
        `filter host eth1#7 classes 2 ipv6 from fd00:1::20/128 band ${band}`,
      ])
    },
  )

  test.each([VLAN, { ...POD, datapath: 'vlan-tag', eni: MEMBER } as const])(
    'of $datapath: by then packets have a tag',
    (attachment) => {
      expect(added({ ...attachment, priority: 'best-effort' }, attachment)).toEqual([
        'qdisc host eth1#7 prio',
        'filter host eth1#7 classes 3 802.1Q from 10.0.1.20/32 band 3',
        'filter host eth1#7 classes 3 802.1Q from fd00:1::20/128 band 3',
      ])
    },
  )

  test('nobody competes for an ENI of the pod alone', () => {
    expect(added({ ...EXCLUSIVE, priority: 'guaranteed' }, EXCLUSIVE)).toEqual([])
  })
})

test.each([
  ['an ENI', withoutEni(POD), 'policy-route of eth0 has no ENI'],
  ['a VLAN id', { ...VLAN, eni: ENI }, 'eni-1 has no VLAN id'],
  ['a gateway', { ...EXCLUSIVE, eni: { ...ENI, gateways: {} } }, 'there is no ipv4 gateway'],
])('without %s there is no plan', (_, attachment, message) => {
  expect(() => planPod(attachment, HOST)).toThrow(message)
})
