import { describe, expect, test } from '@jest/globals'
import type { Eni__Output } from '../../proto/generated/terway/inspect/v1/Eni.ts'
import type { Node__Output } from '../../proto/generated/terway/inspect/v1/Node.ts'
import { isSettling, violations } from './violations.ts'
import type { CloudEni, JournalView, KernelView, NodeWorld, World } from './world.ts'

const LINK = 'cali0123456789a'
const MAC = '00:16:3e:00:00:01'

const CLOUD: CloudEni = {
  ...{
    id: 'eni-1',
    mac: MAC,
    type: 'Secondary',
    status: 'InUse',
    instanceId: 'i-a',
    addresses: ['10.0.1.1', '10.0.1.2'],
    prefixes: ['10.0.2.0/28'],
  },
  tags: { creator: 'terway', 'terway.node': 'i-a' },
}
const ADDRESS = { primary: false, pod: '', containerId: '', coolingUntil: 0 }
const ENI = {
  ...{ id: 'eni-1', mac: MAC, phase: 'in-use', role: 'shared' },
  addresses: [
    { ...ADDRESS, ip: '10.0.1.1', phase: 'warm' },
    { ...ADDRESS, ip: '10.0.1.2', phase: 'owned' },
    { ...ADDRESS, ip: '10.0.2.7', phase: 'warm' },
  ],
} as unknown as Eni__Output
const POOL = {
  enis: [ENI],
  endpoints: [{ containerId: 'c', ifname: 'eth0', phase: 'ready', hostLink: LINK }],
  pool: { waiting: 0 },
} as unknown as Node__Output
const JOURNAL: JournalView = {
  addresses: new Map([
    ['10.0.1.1', 'warm'],
    ['10.0.1.2', 'owned'],
    ['10.0.2.7', 'warm'],
  ]),
  prefixes: new Set(['10.0.2.0/28']),
  enis: new Map([['eni-1', 'in-use']]),
  endpoints: new Map([['c/eth0', { phase: 'ready', ips: ['10.0.1.2'] }]]),
  assigns: 0,
}
const KERNEL: KernelView = {
  links: [
    { name: 'eth1', mac: MAC, up: true },
    { name: LINK, mac: '02:00:00:00:00:01', up: true },
  ],
  podRules: ['512 to 10.0.1.2', '2048 from 10.0.1.2'],
  sharedRules: ['ipv4 512 to table 1000', 'ipv4 2048 mark 0x100000/0xff00000 to table 1003'],
  marked: ['10.0.1.2'],
  podRoutes: [{ ip: '10.0.1.2', link: LINK }],
}
const NODE: NodeWorld = {
  ...{ name: 'node-a', instanceId: 'i-a', pool: POOL, journal: JOURNAL, kernel: KERNEL },
  verified: { plans: 3, differences: [] },
}
const world = (node: Partial<NodeWorld>, cloud: readonly CloudEni[] = [CLOUD]): World => ({
  nodes: [{ ...NODE, ...node }],
  cloud,
})

test('a consistent world has nothing to report', () => {
  expect(violations(world({}))).toEqual([])
  expect(isSettling(world({}))).toBe(false)
})

const journal = (part: Partial<JournalView>) => ({ journal: { ...JOURNAL, ...part } })
const kernel = (part: Partial<KernelView>) => ({ kernel: { ...KERNEL, ...part } })
const DIFFERENCE = { owner: 'c/eth0', netns: 'host', object: 'rule', subject: '512', problem: 'missing', found: '' }

describe('each way to be inconsistent is named', () => {
  test.each<[string, World, RegExp]>([
    [
      'one address, two pods',
      { nodes: [NODE, { ...NODE, name: 'node-b' }], cloud: [CLOUD] },
      /I1: 10\.0\.1\.2 belongs to/,
    ],
    [
      'journal ≠ daemon',
      world(journal({ addresses: new Map([['10.0.1.2', 'owned']]) })),
      /address 10\.0\.1\.1 is absent in the journal/,
    ],
    [
      'an endpoint only in the daemon',
      world(journal({ endpoints: new Map() })),
      /endpoint c\/eth0 is absent in the journal/,
    ],
    [
      'given away, nobody has it',
      world(journal({ endpoints: new Map([['c/eth0', { phase: 'ready', ips: [] }]]) })),
      /10\.0\.1\.2 is given away although/,
    ],
    [
      'a pod with a free address',
      world(journal({ endpoints: new Map([['c/eth0', { phase: 'ready', ips: ['10.0.1.1'] }]]) })),
      /thinks free/,
    ],
    ['an ENI that the cloud lacks', world({}, []), /I2: eni-1 is in the pool and absent/],
    [
      'an address that the cloud lacks',
      world({}, [{ ...CLOUD, addresses: ['10.0.1.1'] }]),
      /I2: 10\.0\.1\.2 is not assigned/,
    ],
    ['a leaked ENI', world({}, [CLOUD, { ...CLOUD, id: 'eni-2', addresses: [] }]), /I4: eni-2 .* leaked/],
    [
      'a leaked address',
      world({}, [{ ...CLOUD, addresses: [...CLOUD.addresses, '10.0.1.9'] }]),
      /I4: 10\.0\.1\.9 .* leaked/,
    ],
    ['an address of a prefix that the cloud lacks', world({}, [{ ...CLOUD, prefixes: [] }]), /I2: 10\.0\.2\.7/],
    ['a leaked prefix', world(journal({ prefixes: new Set() })), /I4: 10\.0\.2\.0\/28 .* leaked/],
    [
      'a link of nobody',
      world(kernel({ links: [...KERNEL.links, { name: 'califffffffffff', mac: '', up: true }] })),
      /link calif+ belongs to no pod/,
    ],
    [
      'a rule of nobody',
      world(kernel({ podRules: [...KERNEL.podRules, '512 to 10.0.1.9'] })),
      /rule 512 to 10\.0\.1\.9 belongs to no pod/,
    ],
    ['a route of nobody', world(kernel({ podRoutes: [{ ip: '10.0.1.9', link: LINK }] })), /route 10\.0\.1\.9 dev/],
    ['a mark of nobody', world(kernel({ marked: ['10.0.1.9'] })), /I6: mark of 10\.0\.1\.9 belongs to no pod/],
    [
      'a shared rule twice',
      world(kernel({ sharedRules: [...KERNEL.sharedRules, 'ipv4 512 to table 1000'] })),
      /there 2 times/,
    ],
    ['a rule twice', world(kernel({ podRules: [...KERNEL.podRules, '512 to 10.0.1.2'] })), /there 2 times/],
    ['an ENI without link', world(kernel({ links: [] })), /its link is not on the node/],
    [
      'a plan that the kernel does not hold',
      world({ verified: { plans: 1, differences: [DIFFERENCE] } }),
      /I7: c\/eth0: rule 512/,
    ],
  ])('%s', (_, inconsistent, message) => {
    expect(violations(inconsistent).join('\n')).toMatch(message)
  })
})

test.each<[string, World]>([
  ['an assign', world(journal({ assigns: 1 }))],
  ['an ENI on its way', world(journal({ enis: new Map([['eni-1', 'attaching']]) }))],
  ['a removal', world(journal({ endpoints: new Map([['c/eth0', { phase: 'deleting', ips: ['10.0.1.2'] }]]) }))],
  ['the cloud', world({}, [{ ...CLOUD, status: 'Detaching' }])],
])('%s is still settling', (_, unsettled) => {
  expect(isSettling(unsettled)).toBe(true)
})
