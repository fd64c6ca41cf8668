import { expect, test } from '@jest/globals'
import { cidrs, HOST } from '../../test/datapath/attachments.ts'
import { planLines } from '../../test/datapath/plan-lines.ts'
import type { HostFacts } from './attachment.ts'
import { planHost } from './plan-host.ts'

const NEIGHBOURS_4 = [
  'sysctl host net.ipv4.neigh.default.gc_thresh1 >= 8192 optional',
  'sysctl host net.ipv4.neigh.default.gc_thresh2 >= 16384 optional',
  'sysctl host net.ipv4.neigh.default.gc_thresh3 >= 32768 optional',
]
const NEIGHBOURS_6 = [
  'sysctl host net.ipv6.neigh.default.gc_thresh1 >= 8192 optional',
  'sysctl host net.ipv6.neigh.default.gc_thresh2 >= 16384 optional',
  'sysctl host net.ipv6.neigh.default.gc_thresh3 >= 32768 optional',
]
const CONNTRACK = 'sysctl host net.netfilter.nf_conntrack_max >= 1000000 optional'
const FORWARD_4 = 'sysctl host net.ipv4.ip_forward = 1'
const FORWARD_6 = ['sysctl host net.ipv6.conf.all.forwarding = 1', 'sysctl host net.ipv6.conf.default.disable_ipv6 = 0']
const TO_PODS_4 = 'rule host ipv4 512: lookup 1000'
const TO_PODS_6 = 'rule host ipv6 512: lookup 1000'
const TO_MAIN_4 = 'rule host ipv4 32766: lookup 254 proto kernel'
const TO_MAIN_6 = 'rule host ipv6 32766: lookup 254 proto kernel'

const route: HostFacts = { ...HOST, podCidrs: cidrs('10.244.3.0/24', 'fd00:244:3::/64') }

test.each([
  ['IPv4', { ...HOST, families: ['ipv4'] }, [FORWARD_4, ...NEIGHBOURS_4, CONNTRACK, TO_PODS_4, TO_MAIN_4]],
  ['IPv6', { ...HOST, families: ['ipv6'] }, [...FORWARD_6, ...NEIGHBOURS_6, CONNTRACK, TO_PODS_6, TO_MAIN_6]],
  [
    'both',
    HOST,
    [
      ...[FORWARD_4, ...FORWARD_6, ...NEIGHBOURS_4, ...NEIGHBOURS_6, CONNTRACK],
      ...[TO_PODS_4, TO_PODS_6, TO_MAIN_4, TO_MAIN_6],
    ],
  ],
  [
    'both, rules for each pod',
    { ...HOST, policyRoute: 'rules' },
    [FORWARD_4, ...FORWARD_6, ...NEIGHBOURS_4, ...NEIGHBOURS_6, CONNTRACK, TO_MAIN_4, TO_MAIN_6],
  ],
  [
    'both, prefixes of the node',
    route,
    [
      ...[FORWARD_4, ...FORWARD_6, ...NEIGHBOURS_4, ...NEIGHBOURS_6, CONNTRACK],
      'route host lo#1 blackhole 10.244.3.0/24 table 254 scope global',
      'route host lo#1 blackhole fd00:244:3::/64 table 254 scope global',
      ...[TO_MAIN_4, TO_MAIN_6],
    ],
  ],
] as const satisfies [string, HostFacts, string[]][])('a node whose pods have %s', (_, host, lines) => {
  expect(planLines(planHost(host))).toEqual(lines)
})

test('a default route of router advertisements outlives forwarding', () => {
  expect(planLines(planHost({ ...HOST, acceptsRouterAdvertisements: true })).slice(0, 3)).toEqual([
    FORWARD_4,
    'sysctl host net.ipv6.conf.eth0.accept_ra = 2',
    'sysctl host net.ipv6.conf.all.forwarding = 1',
  ])
})
