/** What a plan gets from a kernel that lacks something: this one has no ipvlan, no 802.1Q and few tc actions. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseCidr, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { ipJson } from '../test/kernel/namespaces.ts'
import { ENI, PodHost } from '../test/kernel/pod-plan.ts'
import { type FilterAction, type NetworkPlan, networkPlan, type QdiscSpec } from './plan.ts'
import { supportsLinkKind } from './probe.ts'

let node: PodHost
beforeEach(() => {
  node = new PodHost('tw-nl-sup-')
})
afterEach(() => node[Symbol.asyncDispose]())

const inPod = { netns: 'pod', name: parseLinkName('eth0'), ifindex: 5001, parent: ENI, mtu: 1400 } as const
const clsact: QdiscSpec = { kind: 'clsact', device: ENI }

function acting(...actions: FilterAction[]): NetworkPlan {
  const place = { device: ENI, direction: 'egress', priority: 1, protocol: 'ipv4' } as const
  return networkPlan({ qdiscs: [clsact], filters: [{ ...place, source: parseCidr('10.0.1.7/32'), actions }] })
}

test.each<[string, NetworkPlan]>([
  ['ipvlan', networkPlan({ links: [{ kind: 'ipvlan', ...inPod }] })],
  ['8021q', networkPlan({ links: [{ kind: 'vlan', ...inPod, vlanId: 7, mac: parseMac('02:00:00:00:00:07') }] })],
  ['sch_prio', networkPlan({ qdiscs: [{ kind: 'prio', device: ENI }] })],
  ['act_vlan', acting({ kind: 'vlan-pop' })],
  ['act_vlan', acting({ kind: 'vlan-push', vlanId: 7 })],
  ['act_skbedit', acting({ kind: 'packet-to-host' })],
  ['act_tunnel_key', acting({ kind: 'unset-tunnel-key' })],
])('a plan that needs %s says so', (module, plan) => {
  const message = expect.stringMatching(new RegExp(`this kernel lacks a module \\(.*\\b${module}\\b`))
  const unsupported = expect.objectContaining({ name: 'PlanError', code: 'unsupported', message })
  expect(() => node.kernel.apply({ ...plan, podNetns: node.pod.path })).toThrow(unsupported)
})

test.each([
  ['veth', true],
  ['ifb', true],
  ['bridge', true],
  ['ipvlan', false],
  ['vlan', false],
  ['nothing', false],
])('asked for %s the kernel says %s and makes nothing', (kind, supported) => {
  const links = () => ipJson(node.host, 'link').length
  const before = links()
  expect(supportsLinkKind(kind, { netns: node.host })).toBe(supported)
  expect(links()).toBe(before)
})
