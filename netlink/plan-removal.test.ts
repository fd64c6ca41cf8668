import { expect, test } from '@jest/globals'
import { parseCidr, parseIp, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { type NetworkPlan, networkPlan, type VlanSpec } from './plan.ts'
import { outlivesHost } from './plan-removal.ts'

const mac = parseMac('02:00:00:00:00:01')
const peer = { name: parseLinkName('eth0'), ifindex: 7, mac, mtu: 1500 }
const veth = { kind: 'veth', netns: 'host', name: parseLinkName('cali1'), ifindex: 8, mac, mtu: 1500, peer } as const
const lo = { kind: 'existing', netns: 'pod', name: parseLinkName('lo'), ifindex: 1 } as const
const inPod = { netns: 'pod', name: peer.name, ifindex: peer.ifindex } as const
const route = { device: inPod, destination: parseCidr('0.0.0.0/0'), table: 254, scope: 'global' } as const
const address = { device: inPod, address: parseIp('10.0.1.7'), prefixLength: 32, scope: 'global' } as const
/** A pod with one veth: all that it has hangs on the pod's end. */
const BY_VETH: Partial<NetworkPlan> = { links: [lo, veth], addresses: [address], routes: [route] }

test('of a pod with a veth nothing is left when the host’s end has gone', () => {
  expect(outlivesHost(networkPlan(BY_VETH))).toBe(false)
  expect(outlivesHost(networkPlan({}))).toBe(false)
})

const ENI = { netns: 'host', name: parseLinkName('eth1'), ifindex: 3 } as const
const VLAN: VlanSpec = { ...peer, kind: 'vlan', netns: 'pod', vlanId: 5, parent: ENI }

test.each<[string, Partial<NetworkPlan>]>([
  ['a link that is made there', { links: [VLAN] }],
  ['a link that was moved there', { links: [{ ...peer, kind: 'moved', netns: 'pod', home: ENI }] }],
  ['a rule', { rules: [{ netns: 'pod', family: 'ipv4', priority: 512, table: 1007 }] }],
  ['a route on a link that stays', { routes: [{ ...route, device: { ...lo, netns: 'pod' } }] }],
  ['what hangs on a link of another plan', { links: [lo], addresses: [address] }],
  [
    'a limit on a link that stays',
    { qdiscs: [{ kind: 'tbf', device: inPod, rate: 1, burst: 1, limit: 1 }], links: [] },
  ],
])('%s is', (_, parts) => {
  expect(outlivesHost(networkPlan({ ...BY_VETH, ...parts }))).toBe(true)
})
