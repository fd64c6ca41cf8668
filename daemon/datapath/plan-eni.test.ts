import { describe, expect, test } from '@jest/globals'
import { parseIpv4 } from '../../inet/address.ts'
import { cidrs, ENI, HOST } from '../../test/datapath/attachments.ts'
import { planLines } from '../../test/datapath/plan-lines.ts'
import type { HostFacts } from './attachment.ts'
import { planEni, planIpvlanEni, planTrunkTags } from './plan-eni.ts'

const IPV4: HostFacts = { ...HOST, families: ['ipv4'] }
const IPV6: HostFacts = { ...HOST, families: ['ipv6'] }

const V4 = {
  address: 'address host eth1#7 10.0.0.10/32 global',
  route: 'route host eth1#7 0.0.0.0/0 via 10.0.1.253 onlink table 1007 scope global',
  rule: 'rule host ipv4 2048: fwmark 0x100000/0xff00000 lookup 1007',
  loose: 'sysctl host net.ipv4.conf.eth1.rp_filter = 2',
  deaf: 'sysctl host net.ipv6.conf.eth1.accept_ra = 0 optional',
}
const V6 = {
  sysctls: [
    'sysctl host net.ipv6.conf.eth1.disable_ipv6 = 0',
    'sysctl host net.ipv6.conf.eth1.accept_ra = 0',
    'sysctl host net.ipv6.conf.eth1.forwarding = 1',
  ],
  address: 'address host eth1#7 fd00::10/128 global',
  routes: [
    'route host eth1#7 fd00:1::ffff:ffff:ffff:fff7/128 table 1007 scope link',
    'route host eth1#7 ::/0 via fd00:1::ffff:ffff:ffff:fff7 table 1007 scope global',
  ],
  rule: 'rule host ipv6 2048: fwmark 0x100000/0xff00000 lookup 1007',
}
const LINK = 'link host eth1#7 existing mtu 1500'

describe('an ENI that stays on the node', () => {
  test.each([
    ['IPv4', IPV4, [LINK, V4.deaf, V4.loose, V4.address, V4.route, V4.rule]],
    ['IPv6', IPV6, [LINK, ...V6.sysctls, V6.address, ...V6.routes, V6.rule]],
    [
      'both families',
      HOST,
      [LINK, ...V6.sysctls, V4.loose, V4.address, V6.address, V4.route, ...V6.routes, V4.rule, V6.rule],
    ],
    [
      'both families, a rule for each pod',
      { ...HOST, policyRoute: 'rules' } as const,
      [LINK, ...V6.sysctls, V4.address, V6.address, V4.route, ...V6.routes],
    ],
  ])('%s', (_, host, lines) => {
    expect(planLines(planEni(ENI, host))).toEqual(lines)
  })

  test('whose vSwitch has no IPv6 serves IPv4', () => {
    const lines = planLines(planEni({ ...ENI, gateways: { ipv4: parseIpv4('10.0.1.253') } }, HOST))
    expect(lines.filter((line) => /^r/.test(line))).toEqual([V4.route, V4.rule])
  })
})

describe('what IPVlan pods need of their ENI', () => {
  const REDIRECT = '> unset-tunnel-key > packet-to-host > redirect host ipvl_7#1879048199 ingress'

  test('both families: a slave of the node, and services turn back there', () => {
    const plan = planIpvlanEni(ENI, HOST, cidrs('169.254.20.10/32', 'fd00:20::10/128', '172.16.0.0/16'))
    expect(planLines(plan)).toEqual([
      'link host ipvl_7#1879048199 ipvlan of host eth1#7 mtu 1500 noarp',
      'sysctl host net.ipv6.conf.ipvl_7.disable_ipv6 = 0',
      'sysctl host net.ipv6.conf.ipvl_7.accept_ra = 0',
      'sysctl host net.ipv6.conf.ipvl_7.forwarding = 1',
      'address host ipvl_7#1879048199 10.0.0.10/32 host',
      'address host ipvl_7#1879048199 fd00::10/128 host',
      'qdisc host eth1#7 clsact',
      `filter host eth1#7 egress 40000 ipv4 to 172.16.0.0/16 ${REDIRECT}`,
      `filter host eth1#7 egress 40001 ipv6 to fd00:5::/112 ${REDIRECT}`,
      `filter host eth1#7 egress 40000 ipv4 to 169.254.20.10/32 ${REDIRECT}`,
      `filter host eth1#7 egress 40001 ipv6 to fd00:20::10/128 ${REDIRECT}`,
    ])
  })

  test('IPv4', () => {
    expect(planLines(planIpvlanEni(ENI, IPV4, []))).toEqual([
      'link host ipvl_7#1879048199 ipvlan of host eth1#7 mtu 1500 noarp',
      'sysctl host net.ipv6.conf.ipvl_7.accept_ra = 0 optional',
      'address host ipvl_7#1879048199 10.0.0.10/32 host',
      'qdisc host eth1#7 clsact',
      `filter host eth1#7 egress 40000 ipv4 to 172.16.0.0/16 ${REDIRECT}`,
    ])
  })
})

test('the tags of members come off what arrives on a trunk', () => {
  expect(planLines(planTrunkTags(ENI))).toEqual([
    'qdisc host eth1#7 clsact',
    'filter host eth1#7 ingress 20000 802.1Q > vlan-pop > packet-to-host',
  ])
})
