import { describe, expect, test } from '@jest/globals'
import { type InstanceId, parseCloudId, type RouteEntryId, type RouteTableId } from '../../cloud/ids.ts'
import type { RouteEntry } from '../../cloud/vpc/route.ts'
import { parseCidr } from '../../inet/address.ts'
import { entryName, filling, planRoutes, type RoutePlanInput } from './route-plan.ts'

const TABLE = parseCloudId<RouteTableId>('vtb-sim')
const HERE = parseCloudId<InstanceId>('i-here')
const OURS = parseCidr('172.20.1.0/24')
const OURS6 = parseCidr('fd00:0:0:1::/64')

let sequence = 0
function entry(cidr: string, hop: string, more: Partial<RouteEntry> = {}): RouteEntry {
  sequence += 1
  const id = parseCloudId<RouteEntryId>(`rte-${sequence}`)
  const nextHopIds = hop === '' ? [] : [hop]
  return { id, cidr: parseCidr(cidr), status: 'settled', type: 'Custom', name: '', nextHopIds, ...more }
}

const plan = (entries: readonly RouteEntry[], more: Partial<RoutePlanInput> = {}) =>
  planRoutes({ table: TABLE, entries, cidrs: [OURS], instanceId: HERE, limit: 50, ...more })

const VPC = [
  entry('10.0.1.0/24', '', { type: 'System' }),
  entry('100.64.0.0/10', '', { type: 'System' }),
  entry('0.0.0.0/0', 'ngw-1'),
  entry('172.16.0.0/12', 'vpn-1'),
]

test('what is missing is to be created, in spite of wider entries of others', () => {
  expect(plan(VPC, { cidrs: [OURS, OURS6] })).toEqual({
    ...{ there: [], create: [OURS, OURS6], changing: [], former: [], problems: [], used: 2 },
  })
})

test('what leads here is fine, whoever made it', () => {
  expect(plan([...VPC, entry(OURS, HERE, { name: 'by hand' })])).toMatchObject({
    there: [OURS],
    create: [],
    problems: [],
  })
})

test('what is changing is left alone until that is over', () => {
  const begun = plan([entry(OURS, HERE, { status: 'changing' })], { limit: 1 })
  expect(begun).toMatchObject({ there: [], create: [], changing: [OURS], problems: [] })
})

describe('is a problem that names both', () => {
  test.each<[string, RouteEntry, RegExp]>([
    ['an entry that leads elsewhere', entry(OURS, 'i-other'), /vtb-sim leads 172\.20\.1\.0\/24 to i-other/],
    ['one to several places', entry(OURS, '', { nextHopIds: ['i-a', 'i-b'] }), /to i-a and i-b/],
    ['a prefix in a vSwitch', entry('172.20.0.0/16', '', { type: 'System' }), /172\.20\.1\.0\/24.*172\.20\.0\.0\/16/],
    ['one around a vSwitch', entry('172.20.1.64/26', '', { type: 'System' }), /172\.20\.1\.0\/24.*172\.20\.1\.64\/26/],
    [
      "a prefix in another node's",
      entry('172.20.0.0/16', 'i-other', { name: entryName('b') }),
      /172\.20\.1\.0\/24.*172\.20\.0\.0\/16.*i-other.*terway-b/,
    ],
  ])('%s', (_, other, words) => {
    const { create, there, problems } = plan([...VPC, other])
    expect([create, there, problems.length]).toEqual([[], [], 1])
    expect(problems[0]?.limit).toMatch(words)
    expect(problems[0]?.advice).not.toBe('')
  })

  test('an entry inside ours, which takes packets away; ours is made all the same', () => {
    const { create, problems } = plan([entry('172.20.1.128/25', 'i-other')])
    expect(create).toEqual([OURS])
    expect(problems.map(({ limit }) => limit)).toEqual([
      expect.stringMatching(/172\.20\.1\.0\/24.*172\.20\.1\.128\/25.*i-other/),
    ])
  })
})

test('one that a Terway of another instance has made is in question; one with such a name to elsewhere is not', () => {
  const former = entry(OURS, 'i-gone', { name: entryName('node-a') })
  expect(plan([former])).toMatchObject({ create: [], former: [former], problems: [] })
  const handmade = entry(OURS, 'eni-1', { name: entryName('node-a') })
  expect(plan([handmade])).toMatchObject({ create: [], former: [], problems: [{ resource: 'cloud' }] })
})

describe('of a table that holds so many custom entries', () => {
  const others = (count: number) => Array.from({ length: count }, (_, i) => entry(`192.168.${i}.0/24`, `i-${i}`))

  test.each([
    [48, [OURS, OURS6], 0],
    [49, [], 1],
    [50, [], 1],
    [51, [], 1],
  ])('%i of 50 leave room for two more or for none of them', (count, create, problems) => {
    const planned = plan([...VPC.slice(0, 2), ...others(count)], { cidrs: [OURS, OURS6] })
    expect([planned.create, planned.problems.length]).toEqual([create, problems])
    if (problems > 0) {
      expect(planned.problems[0]).toMatchObject({
        resource: 'quota',
        limit: expect.stringContaining(`vtb-sim has ${count} custom entries of 50`),
        advice: expect.stringContaining('route_table_limit'),
      })
    }
  })

  test('what is there needs no room', () => {
    expect(plan([...others(49), entry(OURS, HERE)])).toMatchObject({ there: [OURS], problems: [] })
  })

  test.each([
    [39, 0],
    [40, 1],
    [50, 1],
  ])('%i of 50 are told of: %i', (used, warnings) => {
    expect(filling(TABLE, { used, limit: 50 })).toHaveLength(warnings)
  })
})

test('a name of an entry is no longer than the API takes', () => {
  expect(entryName('node-a')).toBe('terway-node-a')
  expect(entryName('n'.repeat(253))).toHaveLength(128)
})
