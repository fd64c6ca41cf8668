import { expect, test } from '@jest/globals'
import { parseCidr, parseIp, parseMac } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import { joinPlans, type NetworkPlan, networkPlan } from './plan.ts'
import { leftovers } from './plan-leftovers.ts'

const device = { netns: 'host', name: parseLinkName('cali1'), ifindex: 5001 } as const
const ifb = { kind: 'ifb', netns: 'host', name: parseLinkName('ifb1'), ifindex: 5002, mtu: 1500 } as const
const [one, two] = [parseIp('10.0.1.7'), parseIp('10.0.1.8')]
const [own, otherOwn] = [parseCidr('10.0.1.7/32'), parseCidr('10.0.1.8/32')]
const mac = parseMac('02:00:00:00:00:01')
const tbf = { kind: 'tbf', device, burst: 1, limit: 1 } as const
const rule = { netns: 'host', family: 'ipv4', priority: 512, table: 254 } as const
const filter = { device, direction: 'egress', priority: 1, protocol: 'ipv4', source: own } as const
const route = { device, destination: own, table: 254, scope: 'link' } as const

/** Of each kind: two objects that the kernel tells apart. */
const kinds: [keyof NetworkPlan, Partial<NetworkPlan>, Partial<NetworkPlan>][] = [
  ['links', { links: [ifb] }, { links: [{ ...ifb, ifindex: 5003 }] }],
  [
    'addresses',
    { addresses: [{ device, address: one, prefixLength: 32, scope: 'global' }] },
    { addresses: [{ device, address: one, prefixLength: 24, scope: 'global' }] },
  ],
  ['neighbours', { neighbours: [{ device, address: one, mac }] }, { neighbours: [{ device, address: two, mac }] }],
  ['routes', { routes: [route] }, { routes: [{ ...route, table: 1000 }] }],
  ['rules', { rules: [{ ...rule, destination: own }] }, { rules: [{ ...rule, destination: own, table: 1000 }] }],
  [
    'rules',
    { rules: [{ ...rule, mark: { value: 1, mask: 3 } }] },
    { rules: [{ ...rule, mark: { value: 1, mask: 7 } }] },
  ],
  ['qdiscs', { qdiscs: [{ ...tbf, rate: 1 }] }, { qdiscs: [{ ...tbf, rate: 1, device: ifb }] }],
  ['filters', { filters: [{ ...filter, actions: [] }] }, { filters: [{ ...filter, source: otherOwn, actions: [] }] }],
  [
    'marks',
    { marks: [{ netns: 'host', source: one, mark: 0x0010_0000 }] },
    { marks: [{ netns: 'host', source: two, mark: 0x0010_0000 }] },
  ],
]

test.each(kinds)('%s that only the old plan has are left over', (_, first, second) => {
  const [from, to] = [networkPlan(first), networkPlan(second)]
  expect(leftovers(from, to)).toEqual(from)
  expect(leftovers(from, joinPlans([to, from]))).toEqual(networkPlan({}))
})

/** The same object in another form: applying the new plan has replaced the old one. */
test.each<[string, Partial<NetworkPlan>, Partial<NetworkPlan>]>([
  ['a route by another link', { routes: [route] }, { routes: [{ ...route, device: ifb, scope: 'global' }] }],
  ['another rate', { qdiscs: [{ ...tbf, rate: 1 }] }, { qdiscs: [{ ...tbf, rate: 2 }] }],
  [
    'other actions',
    { filters: [{ ...filter, actions: [] }] },
    { filters: [{ ...filter, actions: [{ kind: 'vlan-pop' }] }] },
  ],
  [
    'another mark',
    { marks: [{ netns: 'host', source: one, mark: 0x0010_0000 }] },
    { marks: [{ netns: 'host', source: one, mark: 0x0020_0000 }] },
  ],
])('%s in the new plan leaves nothing over', (_, from, to) => {
  expect(leftovers(networkPlan(from), networkPlan(to))).toEqual(networkPlan({}))
})

test('sysctls have no other state to go back to', () => {
  const plan = networkPlan({ sysctls: [{ netns: 'host', key: ['net', 'ipv4', 'ip_forward'], value: '1' }] })
  expect(leftovers(plan, networkPlan({}))).toEqual(networkPlan({}))
})
