import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseCidr } from '../../inet/address.ts'
import { parseCloudId, type VpcId, type VSwitchId, type ZoneId } from '../ids.ts'
import type { VSwitch } from '../vpc/vswitch-actions.ts'
import { chooseVSwitch, VSWITCH_POLICIES } from './choose.ts'

const HERE = parseCloudId<ZoneId>('cn-sim-h')
const THERE = parseCloudId<ZoneId>('cn-sim-i')

const vSwitch = (name: string, availableIps: number, zoneId = HERE): VSwitch => ({
  ...{ id: parseCloudId<VSwitchId>(`vsw-${name}`), vpcId: parseCloudId<VpcId>('vpc-1'), zoneId, availableIps },
  cidr: parseCidr('10.0.1.0/24'),
})
const choose = (candidates: VSwitch[], policy: (typeof VSWITCH_POLICIES)[number], random = 0) =>
  chooseVSwitch(candidates, policy, { zone: HERE, random: () => random })?.id

describe.each([
  ['ordered', 'vsw-b'],
  ['random', 'vsw-b'],
  ['most', 'vsw-c'],
] as const)('%s', (policy, expected) => {
  test('takes one with room', () => {
    expect(choose([vSwitch('a', 0), vSwitch('b', 5), vSwitch('c', 9), vSwitch('d', 9)], policy)).toBe(expected)
  })

  test('skips another zone, however much room there is', () => {
    expect(choose([vSwitch('x', 999, THERE), vSwitch('b', 5), vSwitch('c', 9)], policy)).toBe(expected)
  })

  test('takes none when none has room', () => {
    expect(choose([vSwitch('a', 0), vSwitch('x', 7, THERE)], policy, 0.99)).toBeUndefined()
    expect(choose([], policy)).toBeUndefined()
  })
})

test('random takes each of those with room for an equal part of the numbers', () => {
  const candidates = [vSwitch('a', 1), vSwitch('full', 0), vSwitch('b', 200), vSwitch('c', 3)]
  const taken = Array.from({ length: 300 }, (_, i) => choose(candidates, 'random', i / 300))
  const counts = ['a', 'b', 'c'].map((name) => taken.filter((id) => id === `vsw-${name}`).length)
  expect(counts).toEqual([100, 100, 100])
})

test('every choice has room and is in the zone; there is none only when there is nothing to choose', () => {
  const candidate = fc.record({ ips: fc.integer({ min: -1, max: 3 }), here: fc.boolean() })
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.array(candidate), fc.constantFrom(...VSWITCH_POLICIES), random, (raws, policy, value) => {
      const candidates = raws.map(({ ips, here }, i) => vSwitch(`${i}`, ips, here ? HERE : THERE))
      const chosen = chooseVSwitch(candidates, policy, { zone: HERE, random: () => value })
      const open = candidates.filter(({ zoneId, availableIps }) => zoneId === HERE && availableIps > 0)
      if (open.length === 0) expect(chosen).toBeUndefined()
      else expect(open).toContain(chosen)
    }),
  )
})
