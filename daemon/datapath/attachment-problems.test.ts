import { describe, expect, test } from '@jest/globals'
import { parseCidr, parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { cidrs, ENI, HOST, MEMBER, only, POD } from '../../test/datapath/attachments.ts'
import type { Attachment } from './attachment.ts'
import { problemsOf } from './attachment-problems.ts'

const IPV4 = only('ipv4', POD)
const EXCLUSIVE: Attachment = { ...POD, datapath: 'exclusive', hostPeer: true }
const VLAN: Attachment = { ...EXCLUSIVE, datapath: 'vlan', eni: MEMBER }
const IPVLAN: Attachment = { ...POD, datapath: 'ipvlan' }
const withoutEni = ({ eni: _, ...attachment }: Attachment): Attachment => attachment
const ROUTER_6 = 'fd00:1::ffff:ffff:ffff:fff7'

/** A further interface beside `eth0`. */
const second = (attachment: Attachment): Attachment => ({
  ...attachment,
  ...{ ifname: parseLinkName('eth1'), defaultRoute: false, hostPeer: false, sourceRouting: true },
  addresses: { ipv4: parseIpv4('10.0.1.21'), ipv6: parseIpv6('fd00:1::21') },
})

describe('nothing is wrong', () => {
  test.each([
    ['policy-route', [POD]],
    ['IPv4 alone', [IPV4]],
    ['IPv6 alone', [only('ipv6', POD)]],
    ['exclusive', [EXCLUSIVE]],
    ['vlan', [VLAN]],
    ['vlan-tag', [{ ...VLAN, datapath: 'vlan-tag' } as const]],
    ['ipvlan', [IPVLAN]],
    ['route', [withoutEni({ ...POD, datapath: 'route' })]],
    ['an MTU as large as the ENI has', [{ ...POD, mtu: 1500 }]],
    ['a small MTU for IPv4', [{ ...IPV4, mtu: 576 }]],
    ['everything through the node', [{ ...EXCLUSIVE, hostStackCidrs: cidrs('0.0.0.0/0', '::/0') }]],
    ['an extra route that covers its own gateway', [{ ...EXCLUSIVE, extraRoutes: cidrs('fd00:1::/48') }]],
    [
      'an extra route that covers the IPv4 gateway of another',
      [POD, { ...second(POD), extraRoutes: cidrs('10.0.0.0/8') }],
    ],
    ['two interfaces with routes of their own', [EXCLUSIVE, { ...second(VLAN), extraRoutes: cidrs('192.168.0.0/16') }]],
  ] as const satisfies [string, Attachment[]][])('with %s', (_, attachments) => {
    expect(problemsOf(attachments, HOST)).toEqual([])
  })
})

describe('one interface', () => {
  test.each(
    (
      [
        [{ ...POD, mtu: 9000 }, 'MTU 9000 of eth0 is larger than the 1500 of eni-1 (eth1)'],
        [{ ...POD, mtu: 1279 }, 'MTU 1279 of eth0 is too small for IPv6, which needs 1280'],
        [{ ...POD, ifname: parseLinkName('lo') }, "the interface cannot be called lo: that is the namespace's own"],
        [
          { ...POD, ifname: parseLinkName('veth1') },
          "the interface cannot be called veth1: that is a pod's veth to its node",
        ],
        [{ ...POD, addresses: {} }, 'eth0 has no address of any family'],
        [withoutEni(POD), 'eth0 has no ENI, which policy-route needs'],
        [{ ...VLAN, eni: ENI }, "eth0: eni-1 has no VLAN id, so it is no member of the node's trunk"],
        [{ ...VLAN, eni: { ...MEMBER, vlanId: 4095 } }, 'eth0: VLAN id 4095 of eni-2 is not one of 1 to 4094'],
        [
          { ...POD, eni: { ...ENI, cidrs: { ipv4: parseCidr('10.0.1.0/24') } } },
          'eth0: the vSwitch of eni-1 has no IPv6 prefix',
        ],
        [
          { ...POD, eni: { ...ENI, gateways: { ipv4: parseIpv4('10.0.1.253') } } },
          'eth0: the vSwitch of eni-1 has no IPv6 gateway',
        ],
        [
          { ...IPV4, extraRoutes: cidrs('fd00:9::/48') },
          'extra route fd00:9::/48 of eth0: the interface has no IPv6 address',
        ],
        [
          { ...POD, extraRoutes: cidrs('::/0') },
          "extra route ::/0 of eth0 is a default route, which an interface gets by being the pod's default",
        ],
        [
          { ...POD, extraRoutes: cidrs('169.254.0.0/16') },
          'extra route 169.254.0.0/16 of eth0 covers 169.254.1.1, by which the pod reaches its node',
        ],
        [
          { ...EXCLUSIVE, extraRoutes: cidrs('fe80::/10') },
          'extra route fe80::/10 of eth0 covers fe80::1, by which the pod reaches its node',
        ],
        [
          { ...EXCLUSIVE, extraRoutes: cidrs('172.16.0.0/16') },
          "extra route 172.16.0.0/16 of eth0 leads to the node already: it is the node's, of services or of the host stack",
        ],
        [
          { ...IPVLAN, extraRoutes: cidrs('10.0.0.10/32') },
          "extra route 10.0.0.10/32 of eth0 leads to the node already: it is the node's, of services or of the host stack",
        ],
        [
          { ...POD, extraRoutes: cidrs('192.168.0.0/16', '192.168.0.0/16', '192.168.0.0/16') },
          'extra route 192.168.0.0/16 of eth0 is given twice',
        ],
        [
          { ...EXCLUSIVE, hostStackCidrs: cidrs('fd00::/8') },
          `fd00::/8 is to be reached through the node, but covers ${ROUTER_6}, the gateway of eth0`,
        ],
      ] as const satisfies [Attachment, string][]
    ).map(([attachment, problem]) => [problem, attachment] as const),
  )('%s', (problem, attachment) => {
    expect(problemsOf([attachment], HOST)).toEqual([problem])
  })

  test('all that is wrong is said at once', () => {
    expect(problemsOf([{ ...POD, mtu: 9000, extraRoutes: cidrs('0.0.0.0/0') }], HOST)).toHaveLength(2)
  })
})

describe('several interfaces', () => {
  test.each([
    [
      'the default route',
      { ...second(POD), defaultRoute: true },
      [
        'eth0 and eth1 both have the IPv4 default route; one interface of a pod can',
        'eth0 and eth1 both have the IPv6 default route; one interface of a pod can',
      ],
    ],
    ['a name', { ...second(POD), ifname: parseLinkName('eth0') }, ['two interfaces are called eth0']],
    [
      'the second veth',
      { ...second(VLAN), hostPeer: true },
      ['eth0 and eth1 both want veth1 to the node; a pod has one'],
    ],
    [
      'a destination',
      { ...second(POD), extraRoutes: cidrs('192.168.0.0/16') },
      ['extra route 192.168.0.0/16 is on eth0 and eth1; a destination has one way'],
    ],
    [
      'the way to an IPv6 gateway',
      { ...second(POD), extraRoutes: cidrs('fd00::/16') },
      [`extra route fd00::/16 of eth1 covers ${ROUTER_6}, the gateway of eth0`],
    ],
  ] as const satisfies [string, Attachment, string[]][])('cannot both have %s', (_, other, problems) => {
    const first: Attachment = { ...EXCLUSIVE, extraRoutes: cidrs('192.168.0.0/16') }
    expect(problemsOf([first, other], HOST)).toEqual(problems)
  })

  test('a default route through the node is one too', () => {
    const byNode: Attachment = { ...EXCLUSIVE, defaultRoute: false, hostStackCidrs: cidrs('0.0.0.0/0') }
    expect(problemsOf([byNode, { ...second(POD), defaultRoute: true }], HOST)).toEqual([
      'eth0 and eth1 both have the IPv4 default route; one interface of a pod can',
    ])
  })
})
