import { expect, test } from '@jest/globals'
import { hostCidr, parseIp, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { type DeviceRef, networkPlan } from '../../netlink/plan.ts'
import { type Extent, partOf, widest } from './extent.ts'

const OUTSIDE = { netns: 'host', name: parseLinkName('cali0123456789a'), ifindex: 20 } as const
const SHAPER = { kind: 'ifb', netns: 'host', name: parseLinkName('ifb0123456789a'), ifindex: 22, mtu: 1500 } as const
const INSIDE: DeviceRef = { netns: 'pod', name: parseLinkName('eth0'), ifindex: 21 }
const IP = parseIp('10.0.1.7')
const MAC = parseMac('02:00:00:00:00:02')
const MARK = { netns: 'host', source: IP, mark: 0x10_0000 } as const

const routeTo = { device: OUTSIDE, destination: hostCidr(IP), table: 1000, scope: 'link' } as const
const plan = networkPlan({
  podNetns: '/run/netns/c1',
  links: [
    { kind: 'existing', netns: 'pod', name: parseLinkName('lo'), ifindex: 1 },
    { kind: 'veth', ...OUTSIDE, mac: MAC, mtu: 1500, peer: { ...INSIDE, mac: MAC, mtu: 1500 } },
    SHAPER,
  ],
  sysctls: [{ netns: 'host', key: ['net', 'ipv4', 'ip_forward'], value: '1' }],
  addresses: [{ device: INSIDE, address: IP, prefixLength: 32, scope: 'global' }],
  routes: [routeTo],
  marks: [MARK],
})

test('what needs nothing of the pod names nothing in it, and of a veth the end on the host', () => {
  const links = [{ kind: 'existing', ...OUTSIDE, mtu: 1500 } as const, SHAPER]
  expect(partOf(plan, 'node')).toEqual(networkPlan({ links, routes: [routeTo], marks: [MARK] }))
  expect(partOf(plan, 'host')).toEqual(networkPlan({ routes: [routeTo] }))
  expect(partOf(plan, 'marks')).toEqual(networkPlan({ marks: [MARK] }))
})

test('two reasons for a look call for one that has all that either is about', () => {
  const rows: readonly (readonly [Extent, Extent, Extent])[] = [
    ['marks', 'marks', 'marks'],
    ['host', 'marks', 'node'],
    ['host', 'node', 'node'],
    ['marks', 'node', 'node'],
    ['whole', 'marks', 'whole'],
    ['whole', 'node', 'whole'],
  ]
  for (const [one, other, both] of rows) {
    expect([widest(one, other), widest(other, one)]).toEqual([both, both])
  }
})
