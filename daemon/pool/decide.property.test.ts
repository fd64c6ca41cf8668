import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Family, familyOf } from '../../inet/address.ts'
import { type Content, cooling, ghost, owned, poolOf, ready, unassigning, warm } from '../../test/pool/state-builder.ts'
import type { Action } from './balance.ts'
import { decide } from './decide.ts'
import { MAX_IN_ONE_CALL } from './growth.ts'
import { NO_PAST } from './history.ts'
import type { AddressPhase, EniKey } from './model.ts'
import { type PoolLimits, poolLimits } from './settings.ts'
import type { PoolState } from './tables.ts'

const NOW = 1_000_000
const NAMES = ['a', 'b', 'c']

/** A prefix is there as a whole, or not at all: none of its addresses is a ghost. */
const OF_PREFIX = fc.constantFrom<AddressPhase>(
  warm,
  warm,
  warm,
  owned,
  cooling(NOW - 1),
  cooling(NOW + 1),
  unassigning,
)
const ALONE = fc.oneof(OF_PREFIX, fc.constant(ghost))
const CONTENT: fc.Arbitrary<Content> = fc
  .record({
    phase: fc.constantFrom('attaching', 'in-use', 'in-use', 'draining', 'detaching', 'deleting'),
    role: fc.constantFrom('shared', 'shared', 'exclusive', 'member', 'trunk'),
    ipv4: fc.array(ALONE, { minLength: 1, maxLength: 10 }),
    ipv6: fc.array(ALONE, { maxLength: 10 }),
    prefixes: fc.array(fc.array(OF_PREFIX, { maxLength: 2 }), { maxLength: 3 }),
    ipv6Prefix: fc.boolean(),
    assigns: fc.array(
      fc.tuple(fc.constantFrom('ipv4', 'ipv6', 'ipv4-prefix', 'ipv6-prefix'), fc.integer({ min: 1, max: 3 })),
      { maxLength: 1 },
    ),
  })
  .map((content) => (content.role === 'shared' ? content : { ...content, prefixes: [], ipv6Prefix: false }))
const ANY_LIMITS: fc.Arbitrary<PoolLimits> = fc
  .record({
    kind: fc.constantFrom('shared', 'shared', 'exclusive', 'member'),
    unit: fc.constantFrom('address', 'prefix'),
    families: fc.constantFrom(['ipv4'] as const, ['ipv6'] as const, ['ipv4', 'ipv6'] as const),
    order: fc.constantFrom('most-pods', 'fewest-pods'),
    strategy: fc.constantFrom('fixed', 'adaptive'),
    maxEnis: fc.integer({ min: 1, max: 5 }),
    minEnis: fc.nat(3),
    minFree: fc.nat(8),
    spread: fc.nat(20),
    minPrefixes: fc.nat(3),
    reserve: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ spread, ...given }) => poolLimits({ addressesPerEni: 10, maxFree: given.minFree + spread, ...given }))

test('no state makes it exceed a limit or give away what a pod holds', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...NAMES), CONTENT), ANY_LIMITS, fc.nat(50), (enis, limits, waiting) => {
      const state = poolOf(enis)
      const past = {
        ...{ ...NO_PAST, recent: waiting, spare: waiting },
        forecast: { perSecond: waiting / 10, burst: waiting, soon: waiting, peak: waiting, isDense: false, lead: 0 },
      }
      const { actions, ...counts } = decide({
        ...{ state, limits, circumstances: ready(...NAMES), now: NOW },
        demand: { waiting, past, firstFillDone: true },
      })
      for (const action of actions) expectLegal({ state, limits }, action)
      expectPlaces({ state, limits }, actions)
      expectSlots({ state, limits }, actions)
      expectNothingTwice(actions)
      for (const count of [counts.free, counts.warmed, counts.reclaimed, counts.hopeless]) {
        expect(Number.isSafeInteger(count) && count >= 0).toBe(true)
      }
    }),
    { numRuns: 1_000 },
  )
})

interface Pool {
  readonly state: PoolState
  readonly limits: PoolLimits
}

function expectLegal({ state, limits }: Pool, action: Action): void {
  switch (action.kind) {
    case 'create-eni':
      expect([limits.kind, ...(limits.kind === 'member' ? ['trunk'] : [])]).toContain(action.role)
      return
    case 'assign':
      expect(state.enis.get(action.eni)).toMatchObject({ phase: 'in-use', role: limits.kind })
      expect(limits.families).toContain(familyOfKind(action.what))
      expect(action.what.endsWith('-prefix')).toBe(limits.unit === 'prefix' && limits.kind === 'shared')
      expect(action.count).toBeGreaterThan(0)
      if (action.what !== 'ipv4') expect(action.count).toBeLessThanOrEqual(MAX_IN_ONE_CALL)
      return
    case 'unassign':
      expectSpare({ state, limits }, action)
      return
    case 'release-eni':
      for (const { phase } of state.addressesOf(action.eni)) expect(['warm', 'unassigning']).toContain(phase)
      return
    case 'end-cooling':
      for (const ip of action.ips) {
        const address = state.addresses.get(ip)
        expect(address?.phase === 'cooling' && address.until <= NOW).toBe(true)
      }
      return
    default:
      expect(state.enis.has(action.eni)).toBe(true)
  }
}

/** Of an ENI for one pod no part goes; an address of a prefix goes with it, and it with all of them. */
function expectSpare({ state, limits }: Pool, action: Extract<Action, { readonly kind: 'unassign' }>): void {
  const { eni, ips, prefixes } = action
  expect(limits.kind).toBe('shared')
  expect(ips.length + prefixes.length).toBeGreaterThan(0)
  for (const ip of ips) {
    const address = state.addresses.get(ip)
    expect(address).toMatchObject({ eni, phase: 'warm', primary: false })
    if (address?.prefix !== undefined) expect(prefixes).toContain(address.prefix)
  }
  for (const cidr of prefixes) expect(state.prefixes.get(cidr)).toMatchObject({ eni, phase: 'active' })
  const within = [...state.addressesOf(eni)].filter(({ prefix }) => prefix !== undefined && prefixes.includes(prefix))
  for (const { ip } of within) expect(ips).toContain(ip)
  const kept = [...state.prefixes.values()].filter(({ cidr }) => familyOf(cidr) === 'ipv4').length - prefixes.length
  if (limits.unit === 'prefix' && prefixes.length > 0) expect(kept).toBeGreaterThanOrEqual(limits.minPrefixes)
}

function familyOfKind(what: string): Family {
  return what.startsWith('ipv4') ? 'ipv4' : 'ipv6'
}

/** What is there, what is under way and what is asked for now has places enough on its ENI. */
function expectPlaces({ state, limits }: Pool, actions: readonly Action[]): void {
  for (const action of actions) {
    if (action.kind !== 'assign') continue
    const family = familyOfKind(action.what)
    const most = limits.kind === 'shared' ? limits.addressesPerEni : 1
    expect(placesTaken(state, action.eni, family) + action.count).toBeLessThanOrEqual(most)
  }
}

function placesTaken(state: PoolState, eni: EniKey, family: Family): number {
  const alone = [...state.addressesOf(eni)].filter(
    (address) => familyOf(address.ip) === family && address.prefix === undefined && !('lost' in address),
  )
  const prefixes = state.prefixesOf(eni).filter(({ cidr }) => familyOf(cidr) === family)
  const coming = state.assignsOf(eni).filter(({ what }) => familyOfKind(what) === family)
  return alone.length + prefixes.length + coming.reduce((sum, { count }) => sum + count, 0)
}

function expectSlots({ state, limits }: Pool, actions: readonly Action[]): void {
  const roles = actions.flatMap((action) => (action.kind === 'create-eni' ? [action.role] : []))
  const [trunks, made] = [roles.filter((role) => role === 'trunk'), roles.filter((role) => role !== 'trunk')]
  const there = [...state.enis.values()]
  const taken = there.filter(({ role }) => role !== 'trunk').length
  if (made.length > 0) expect(taken + made.length).toBeLessThanOrEqual(limits.maxEnis)
  if (trunks.length > 0) expect(there.filter(({ role }) => role === 'trunk').length + trunks.length).toBe(1)
}

/** Neither does one part go back twice nor is anything asked of an ENI that goes. */
function expectNothingTwice(actions: readonly Action[]): void {
  const leaving = actions.flatMap((action) => (action.kind === 'unassign' ? [...action.ips, ...action.prefixes] : []))
  expect(new Set(leaving).size).toBe(leaving.length)
  const released = actions.flatMap((action) => (action.kind === 'release-eni' ? [action.eni] : []))
  expect(new Set(released).size).toBe(released.length)
  const others = actions.flatMap((action) =>
    action.kind === 'assign' || action.kind === 'unassign' || action.kind === 'keep-eni' ? [action.eni] : [],
  )
  for (const eni of released) expect(others).not.toContain(eni)
}
