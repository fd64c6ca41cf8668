import { describe, expect, test } from '@jest/globals'
import { parseIpv4 } from '../../inet/address.ts'
import type { PodEvent } from './pod-links.ts'
import { type Expectation, faultsAtDeath, faultsAtRest } from './verdict.ts'
import type { CloudEni, JournalRows, World } from './world.ts'

const [FIRST, SECOND] = ['10.0.1.1', '10.0.1.2']
const ENI: CloudEni = {
  ...{ id: 'eni-1', type: 'Secondary', status: 'InUse', instanceId: 'i-a', ips: [FIRST, SECOND] },
  ...{ ipv6s: [], ipv4Prefixes: ['10.0.2.0/28'], ipv6Prefixes: [], tags: { 'terway.intent': 'k1' } },
}
const STRANGER: CloudEni = { ...ENI, id: 'eni-9', ips: ['10.0.1.9'], ipv4Prefixes: [], tags: {} }
const JOURNAL: JournalRows = {
  enis: [{ key: 'k1', id: 'eni-1', phase: 'in-use' }],
  addresses: [
    { ip: FIRST, eni: 'k1', phase: 'owned', owner: 'a-1/eth0' },
    { ip: SECOND, eni: 'k1', phase: 'warm' },
    { ip: '10.0.2.3', eni: 'k1', phase: 'warm', prefix: '10.0.2.0/28' },
  ],
  prefixes: [{ cidr: '10.0.2.0/28', eni: 'k1', phase: 'active' }],
  assigns: [],
}
const up = (pod: string, at: number, ip: string): PodEvent => ({
  ...{ what: 'up', at, pod, container: `${pod}-1` },
  ips: [parseIpv4(ip)],
})
const WORLD: World = { cloud: [ENI, STRANGER], calls: [], journal: JOURNAL, pods: [up('a', 1_000, FIRST)] }
const EXPECTED: Expectation = { strangers: [STRANGER], forgets: false, callsBefore: 0, coolDown: 5_000, pods: ['a'] }

const world = (part: Partial<World>): World => ({ ...WORLD, ...part })
const journal = (part: Partial<JournalRows>) => world({ journal: { ...JOURNAL, ...part } })
const cloud = (part: Partial<CloudEni>) => world({ cloud: [{ ...ENI, ...part }, STRANGER] })
const create = (intent: string) => ({
  ...{ action: 'CreateNetworkInterface', effect: true },
  parameters: { 'Tag.1.Key': 'creator', 'Tag.2.Key': 'terway.intent', 'Tag.2.Value': intent },
})

test('a world as it should be has no fault', () => {
  expect(faultsAtDeath(WORLD, EXPECTED)).toEqual([])
  expect(faultsAtRest(WORLD, EXPECTED)).toEqual([])
})

describe('at death', () => {
  test.each<[string, World]>([
    ['an ENI that is being made', journal({ enis: [{ key: 'k1', phase: 'creating' }], addresses: [], prefixes: [] })],
    [
      'addresses that were asked for',
      journal({ addresses: JOURNAL.addresses.slice(0, 1), assigns: [{ eni: 'k1', what: 'ipv4' }] }),
    ],
    ['addresses on their way back', cloudWithout(SECOND)],
  ])('%s is accounted for', (_, seen) => {
    expect(faultsAtDeath(seen, EXPECTED)).toEqual([])
  })

  test.each<[string, World, object]>([
    ['an ENI that nobody has recorded', journal({ enis: [] }), { kind: 'unaccounted', what: /^eni-1/ }],
    ['an address', journal({ addresses: JOURNAL.addresses.slice(0, 1) }), { kind: 'unaccounted', what: SECOND }],
    ['a prefix', journal({ prefixes: [] }), { kind: 'unaccounted', what: '10.0.2.0/28' }],
    ['a free address that is not assigned', cloud({ ips: [FIRST] }), { kind: 'phantom', what: SECOND }],
    ['an address of a prefix that has gone', cloud({ ipv4Prefixes: [] }), { kind: 'phantom', what: '10.0.2.3' }],
    ['an ENI in use that is detached', cloud({ status: 'Available' }), { kind: 'phantom', what: 'Available' }],
    [
      'an address of two pods',
      world({ pods: [up('a', 1, FIRST), up('b', 2, FIRST)] }),
      { kind: 'double', what: 'b at the same time as a' },
    ],
  ])('%s is a fault', (_, seen, fault) => {
    expectFault(faultsAtDeath(seen, EXPECTED), fault)
  })
})

describe('at rest, also', () => {
  test.each<[string, World, object]>([
    ['an ENI that is not on record', journal({ enis: [] }), { kind: 'leaked', what: 'eni-1' }],
    ['an address that is not', journal({ addresses: JOURNAL.addresses.slice(0, 1) }), { kind: 'leaked', what: SECOND }],
    [
      'two ENIs for one intent',
      world({ calls: [create('k1'), create('k2'), create('k1')] }),
      { kind: 'leaked', what: '2 ENIs were made for the intent k1' },
    ],
    ['an address given away to nobody', world({ pods: [] }), { kind: 'leaked', what: 'no pod has it' }],
    [
      'a pod with a free address',
      world({ pods: [up('a', 1, SECOND)] }),
      { kind: 'double', what: `a has ${SECOND}, which is free` },
    ],
    [
      'an address given too early',
      world({ pods: [up('b', 1_000, FIRST), { what: 'down', at: 2_000, pod: 'b' }, up('a', 6_999, FIRST)] }),
      { kind: 'double', what: '4999 ms after b' },
    ],
    ['a pod that is missing', world({ pods: [] }), { kind: 'unfinished', what: 'a is missing' }],
    [
      'a pod that was to go',
      world({ pods: [...WORLD.pods, up('z', 2_000, SECOND)] }),
      { kind: 'unfinished', what: 'z is still there' },
    ],
    [
      'an assignment without end',
      journal({ assigns: [{ eni: 'k1', what: 'ipv4' }] }),
      { kind: 'unfinished', what: 'an assignment' },
    ],
    ['an ENI on its way', cloud({ status: 'Detaching' }), { kind: 'unfinished', what: 'eni-1 is Detaching' }],
    ["a stranger's ENI that has gone", world({ cloud: [ENI] }), { kind: 'foreign', what: 'eni-9' }],
    [
      'a call on it',
      world({
        calls: [{ action: 'DetachNetworkInterface', effect: false, parameters: { NetworkInterfaceId: 'eni-9' } }],
      }),
      { kind: 'foreign', what: 'DetachNetworkInterface of eni-9' },
    ],
  ])('%s is a fault', (_, seen, fault) => {
    expectFault(faultsAtRest(seen, EXPECTED), fault)
  })

  test('the same pod may have its address again at once', () => {
    const pods = [up('a', 1, FIRST), { what: 'down' as const, at: 2, pod: 'a' }, up('a', 3, FIRST)]
    expect(faultsAtRest(world({ pods }), EXPECTED)).toEqual([])
  })
})

function cloudWithout(ip: string): World {
  const addresses = JOURNAL.addresses.map((address) =>
    address.ip === ip ? { ...address, phase: 'unassigning' } : address,
  )
  return { ...journal({ addresses }), cloud: [{ ...ENI, ips: ENI.ips.filter((one) => one !== ip) }, STRANGER] }
}

function expectFault(faults: readonly object[], { kind, what }: { kind?: string; what?: string | RegExp }): void {
  const text = typeof what === 'string' ? expect.stringContaining(what) : expect.stringMatching(what ?? '')
  expect(faults).toContainEqual({ kind, what: text })
}
