/** Every kind of ENI, family and unit through its life, against the simulated cloud in virtual time. */
import { describe, expect, test } from '@jest/globals'
import { EffectBench, LATENCIES } from '../../../test/pool/effect-bench.ts'
import type { AssignKind, EniKey, EniRole, NewAddresses, Owner } from '../model.ts'

/** The trunk's life up to where members can ride on it. */
async function withTrunk(bench: EffectBench): Promise<EniKey> {
  const trunk = bench.create('trunk')
  await bench.settle()
  bench.calls()
  return trunk
}

const ATTACHED = { CreateNetworkInterface: 1, AttachNetworkInterface: 1, DescribeNetworkInterfaces: 1 }
const RETURNED = { DetachNetworkInterface: 1, DeleteNetworkInterface: 1 }

interface Case {
  readonly name: string
  readonly role: EniRole
  readonly wanted: NewAddresses
  /** Addresses and prefixes of the ENI when it is attached. */
  readonly carries: readonly [ips: number, prefixes: number]
  readonly assigns: Partial<Record<AssignKind, number>>
  /** Kinds of addresses and prefixes beside the primary address. */
  readonly carried: number
}

function sumOf(calls: Readonly<Record<string, number>>): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0)
}

const CASES: readonly Case[] = [
  {
    ...{ name: 'shared, addresses, IPv4', role: 'shared', wanted: { secondaryIps: 3 } },
    ...{ carries: [4, 0], assigns: { ipv4: 5 }, carried: 1 },
  },
  {
    ...{ name: 'shared, addresses, dual stack', role: 'shared', wanted: { secondaryIps: 3, ipv6s: 4 } },
    ...{ carries: [8, 0], assigns: { ipv4: 5, ipv6: 5 }, carried: 2 },
  },
  {
    ...{ name: 'shared, prefixes, IPv4', role: 'shared', wanted: { secondaryIps: 0, ipv4Prefixes: 1 } },
    ...{ carries: [1, 1], assigns: { 'ipv4-prefix': 2 }, carried: 1 },
  },
  {
    ...{ name: 'shared, prefixes, dual stack', role: 'shared' },
    ...{ wanted: { secondaryIps: 0, ipv4Prefixes: 1, ipv6Prefixes: 1 }, carries: [1, 2] },
    assigns: { 'ipv4-prefix': 2, 'ipv6-prefix': 1 },
    carried: 2,
  },
  { name: 'exclusive, IPv4', role: 'exclusive', wanted: { secondaryIps: 0 }, carries: [1, 0], assigns: {}, carried: 0 },
  {
    ...{ name: 'exclusive, dual stack', role: 'exclusive', wanted: { secondaryIps: 0, ipv6s: 1 } },
    ...{ carries: [2, 0], assigns: {}, carried: 1 },
  },
  { name: 'trunk', role: 'trunk', wanted: { secondaryIps: 0 }, carries: [1, 0], assigns: {}, carried: 0 },
]

/** Of the vSwitch. */
const SUBNET = {
  ...{ cidr: '10.0.1.0/24', gateway: '10.0.1.253' },
  ...{ cidr6: '2001:db8:0:1a01::/64', gateway6: '2001:db8:0:1a01:ffff:ffff:ffff:fff7' },
}

describe.each(CASES)('$name', ({ role, wanted, carries, assigns, carried }) => {
  test('is created, attached, given more, and given back', async () => {
    const bench = new EffectBench()
    const key = bench.create(role, wanted)
    await bench.settle()
    expect(bench.phaseOf(key)).toBe('in-use')
    expect(bench.ready.get(key)).toMatchObject({ role, link: 'eth1', ifindex: 11, ...SUBNET })
    expect(bench.actual()).toEqual(bench.recorded())
    expect(bench.recorded().map(({ ips, prefixes }) => [ips.length, prefixes.length])).toEqual([carries])
    expect(bench.calls()).toEqual(ATTACHED)
    const kinds = Object.entries(assigns) as [AssignKind, number][]
    for (const [kind, count] of kinds) bench.assign(key, kind, count)
    const took = await bench.settle()
    // One after the other: the cloud takes one such call for an ENI at a time.
    expect(took).toBe(kinds.length * LATENCIES.assign)
    expect(bench.actual()).toEqual(bench.recorded())
    const more = kinds.reduce((sum, [, count]) => sum + count, 0)
    const have = bench.recorded().reduce((sum, { ips, prefixes }) => sum + ips.length + prefixes.length, 0)
    expect(have).toBe(carries[0] + carries[1] + more)
    expect(sumOf(bench.calls())).toBe(kinds.length)
    bench.unassign(key)
    await bench.settle()
    expect(bench.actual()).toEqual(bench.recorded())
    const left = bench.recorded().map(({ ips, prefixes }) => [ips.length, prefixes.length])
    expect(left).toEqual([[1, 0]])
    // A call for each kind that it carried.
    expect(sumOf(bench.calls())).toBe(carried)
    bench.rephase(key, 'detaching')
    await bench.settle()
    expect([bench.tables.enis.size, bench.tables.addresses.size, bench.tables.prefixes.size]).toEqual([0, 0, 0])
    expect(bench.actual()).toEqual([])
    // One look tells that it is detached, one that it is gone.
    expect(bench.calls()).toMatchObject(RETURNED)
    expect(bench.gaveUp).toEqual([])
  })
})

describe.each([
  { name: 'member, IPv4', wanted: { secondaryIps: 0 }, ips: 1 },
  { name: 'member, dual stack', wanted: { secondaryIps: 0, ipv6s: 1 }, ips: 2 },
])('$name', ({ wanted, ips }) => {
  test('rides on the trunk and leaves it', async () => {
    const bench = new EffectBench()
    const trunk = await withTrunk(bench)
    const key = bench.create('member', wanted)
    await bench.settle()
    expect(bench.known(key).vlanId).toBe(1)
    expect(bench.ready.get(key)).toMatchObject({
      ...{ role: 'member', link: 'eth1', ifindex: 11, vlanId: 1, ...SUBNET },
      trunkGateways: { gateway: SUBNET.gateway, gateway6: SUBNET.gateway6 },
    })
    expect(bench.eni(key).type).toBe('Member')
    expect(bench.actual()).toEqual(bench.recorded())
    expect([...bench.tables.addressesOf(key)]).toHaveLength(ips)
    expect(bench.calls()).toMatchObject({ CreateNetworkInterface: 1, AttachNetworkInterface: 1 })
    bench.rephase(key, 'detaching')
    await bench.settle()
    expect(bench.calls()).toMatchObject(RETURNED)
    expect(bench.tables.enis.size).toBe(1)
    expect(bench.phaseOf(trunk)).toBe('in-use')
    expect(bench.actual()).toEqual(bench.recorded())
  })
})

test('members wait for the trunk, and the trunk leaves after them', async () => {
  const bench = new EffectBench()
  const member = bench.create('member')
  await bench.time.run(60_000)
  expect(bench.phaseOf(member)).toBe('attaching')
  expect(bench.calls()).toEqual({ CreateNetworkInterface: 1 })
  const trunk = bench.create('trunk')
  await bench.untilReady(member)
  await bench.settle()
  bench.rephase(trunk, 'detaching')
  await bench.time.run(60_000)
  expect([bench.phaseOf(trunk), bench.ready.has(trunk)]).toEqual(['detaching', true])
  bench.rephase(member, 'detaching')
  await bench.settle()
  expect(bench.tables.enis.size).toBe(0)
  expect(bench.actual()).toEqual([])
})

test('an exclusive ENI whose link is in its pod needs no link on the node after a restart', async () => {
  const bench = new EffectBench({ linkTimeout: 1_000 })
  const key = bench.create('exclusive')
  await bench.settle()
  const [address] = [...bench.tables.addressesOf(key)]
  if (address === undefined) throw new Error('it has no address')
  bench.commit([{ kind: 'put-address', address: { ...address, phase: 'owned', owner: 'pod/eth0' as Owner } }])
  bench.restart()
  await bench.time.run(10_000)
  expect([bench.ready.has(key), bench.runner.problems, [...bench.runner.slow]]).toEqual([false, [], []])
  bench.commit([{ kind: 'put-address', address: { ...address, phase: 'cooling', until: 0 } }])
  bench.step()
  await bench.untilReady(key)
})
