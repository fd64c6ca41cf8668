import { describe, expect, test } from '@jest/globals'
import { parseCidr, parseIp } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { ownerOf, type PodKey, unknownOwner } from '../pool/model.ts'
import { grant, settle, takeBack, thaw } from './allocate.ts'
import { Allocation, podsIn, type RouteAddress, type RouteAddressPhase } from './allocation.ts'
import { places } from './places.ts'

const PREFIX = parseCidr('172.20.1.0/29')
const PREFIX6 = parseCidr('fd00:0:0:1::/64')
const NOW = 1_000_000
const owner = (name: string) => ownerOf(name, 'eth0')
const pod = (name: string) => `default/${name}` as PodKey

function record(ip: string, phase: RouteAddressPhase, more: Partial<RouteAddress> = {}): RouteAddress {
  return { ip: parseIp(ip), since: NOW, ...more, ...phase } as RouteAddress
}

/** What the pod gets, which the allocation notes. */
function give(state: Allocation, name: string, more: object = {}): readonly string[] | undefined {
  const granted = grant(state, { owner: owner(name), pod: pod(name), ...more }, NOW)
  state.apply(granted?.changes ?? [])
  return granted?.ips
}

function end(state: Allocation, name: string, until = NOW + 30_000): void {
  state.apply(takeBack(state, owner(name), { now: NOW, until }))
}

test.each([
  ['172.20.1.0/24', 253n],
  ['172.20.1.0/29', 5n],
  ['172.20.1.0/30', 1n],
  ['172.20.1.0/31', 0n],
  ['172.20.1.0/32', 0n],
  ['fd00::/64', 2n ** 64n - 3n],
])('%s has addresses for %s pods', (cidr, count) => {
  expect(podsIn(parseCidr(cidr))).toBe(count)
})

test('every address but the first two and the last is given, in turn, and then none', () => {
  const state = new Allocation([PREFIX])
  const given = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => give(state, name)?.join())
  expect(given).toEqual(['172.20.1.2', '172.20.1.3', '172.20.1.4', '172.20.1.5', '172.20.1.6', undefined])
})

test('a pod of both families gets both or none', () => {
  const state = new Allocation([parseCidr('172.20.1.0/30'), PREFIX6])
  expect(give(state, 'a')).toEqual(['172.20.1.2', 'fd00:0:0:1::2'])
  expect(give(state, 'b')).toBeUndefined()
  expect([...state.addresses.keys()]).toEqual(['172.20.1.2', 'fd00:0:0:1::2'])
})

test('an owner has what it has, with the family that it lacks', () => {
  const state = new Allocation([PREFIX])
  expect(give(state, 'a')).toEqual(['172.20.1.2'])
  expect(grant(state, { owner: owner('a') }, NOW)).toEqual({ ips: ['172.20.1.2'], changes: [], cooled: [] })
  const dual = new Allocation([PREFIX, PREFIX6], state.addresses.values())
  expect(give(dual, 'a')).toEqual(['172.20.1.2', 'fd00:0:0:1::2'])
})

describe('of addresses that pods had', () => {
  test('those that cool down are for nobody, and the one free longest comes first', () => {
    const state = new Allocation([PREFIX])
    for (const name of ['a', 'b', 'c', 'd', 'e']) give(state, name)
    end(state, 'd')
    end(state, 'b')
    expect(give(state, 'f')).toBeUndefined()
    state.apply(thaw(state, [parseIp('172.20.1.5')], NOW))
    state.apply(thaw(state, [parseIp('172.20.1.3')], NOW + 1))
    expect(give(state, 'f')).toEqual(['172.20.1.5'])
    expect(give(state, 'g')).toEqual(['172.20.1.3'])
  })

  test('one that was never given comes before them', () => {
    const state = new Allocation([PREFIX])
    give(state, 'a')
    end(state, 'a')
    state.apply(thaw(state, [parseIp('172.20.1.2')], NOW))
    expect(give(state, 'b')).toEqual(['172.20.1.3'])
  })

  test('a pod has its own again: another sandbox of it, or one that keeps its address, also while it cools down', () => {
    const kept = { pod: pod('a'), podUid: 'u1' }
    const cases: [RouteAddressPhase, object, string][] = [
      [{ phase: 'cooling', until: NOW + 1 }, { podUid: 'u1' }, '172.20.1.4'],
      [{ phase: 'cooling', until: NOW + 1 }, { podUid: 'u2' }, '172.20.1.2'],
      [{ phase: 'cooling', until: NOW + 1 }, { podUid: 'u2', keeps: true }, '172.20.1.4'],
      [{ phase: 'cooling', until: NOW + 1 }, {}, '172.20.1.2'],
      [{ phase: 'free' }, { podUid: 'u2' }, '172.20.1.4'],
      [{ phase: 'owned', owner: owner('other') }, { podUid: 'u1' }, '172.20.1.2'],
    ]
    for (const [phase, wish, ip] of cases) {
      const state = new Allocation([PREFIX], [record('172.20.1.4', phase, kept)])
      expect(give(state, 'a', wish)).toEqual([ip])
    }
  })

  test('that it cooled down until now is told, since the kernel may remember connections', () => {
    const before = record('172.20.1.4', { phase: 'cooling', until: NOW + 1 }, { pod: pod('a'), podUid: 'u1' })
    const state = new Allocation([PREFIX], [before])
    expect(grant(state, { owner: owner('a'), pod: pod('a'), podUid: 'u1' }, NOW)?.cooled).toEqual(['172.20.1.4'])
  })

  test('those of another prefix than now are given to nobody, and forgotten at their end', () => {
    const elsewhere = [
      record('172.20.9.4', { phase: 'cooling', until: NOW }, { pod: pod('a') }),
      record('172.20.9.5', { phase: 'owned', owner: owner('b') }),
      record('172.20.9.6', { phase: 'free' }, { pod: pod('a') }),
    ]
    const state = new Allocation([PREFIX], elsewhere)
    expect(give(state, 'a', { keeps: true })).toEqual(['172.20.1.2'])
    expect(thaw(state, [parseIp('172.20.9.4')], NOW)).toEqual([{ kind: 'drop-address', ip: '172.20.9.4' }])
    expect(places(state)).toEqual({ total: 5, allocated: 1, cooling: 0, ready: 4 })
  })

  test('only so many are remembered, the latest', () => {
    const free = Array.from({ length: 4096 }, (_, index) =>
      record(`fd00:0:0:1::${(index + 2).toString(16)}`, { phase: 'free' }, { since: NOW + index }),
    )
    const state = new Allocation([PREFIX6], free)
    expect(give(state, 'a')).toEqual(['fd00:0:0:1::1002'])
    end(state, 'a')
    const changes = thaw(state, [parseIp('fd00:0:0:1::1002')], NOW)
    expect(changes).toEqual([
      { kind: 'put-address', address: expect.objectContaining({ ip: 'fd00:0:0:1::1002', phase: 'free' }) },
      { kind: 'drop-address', ip: 'fd00:0:0:1::2' },
    ])
    state.apply(changes)
    expect(give(state, 'b')).toEqual(['fd00:0:0:1::2'])
  })
})

test('a start takes the kernel at its word, and no clock that was ahead', () => {
  const state = new Allocation(
    [PREFIX],
    [
      record('172.20.1.2', { phase: 'owned', owner: owner('a') }),
      record('172.20.1.3', { phase: 'cooling', until: NOW + 1 }),
      record('172.20.1.4', { phase: 'cooling', until: NOW + 1_000_000 }),
      record('172.20.9.6', { phase: 'free' }),
    ],
  )
  const link = parseLinkName('cali0123456789a')
  const podRoutes = new Map(['172.20.1.2', '172.20.1.3', '172.20.1.5', '10.0.1.9'].map((ip) => [parseIp(ip), link]))
  state.apply(settle(state, { podRoutes, latest: NOW + 300_000, now: NOW }))
  const stray = { since: NOW, phase: 'owned', owner: unknownOwner(link) }
  expect([...state.addresses.values()].sort((a, b) => (a.ip < b.ip ? -1 : 1))).toEqual([
    { ip: '172.20.1.2', since: NOW, phase: 'owned', owner: owner('a') },
    { ip: '172.20.1.3', ...stray },
    { ip: '172.20.1.4', since: NOW, phase: 'cooling', until: NOW + 300_000 },
    { ip: '172.20.1.5', ...stray },
  ])
})

test('places are counted in pods', () => {
  const state = new Allocation([PREFIX, PREFIX6])
  for (const name of ['a', 'b', 'c']) give(state, name)
  end(state, 'b')
  expect(places(state)).toEqual({ total: 5, allocated: 2, cooling: 1, ready: 2 })
  expect(places(new Allocation([PREFIX6])).total).toBe(2 ** 31 - 1)
})
