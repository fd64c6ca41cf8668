/** What an ENI is given beside its primary address may become the other kind while pods have addresses. */
import { describe, expect, test } from '@jest/globals'
import { parseCidr, parseIp } from '../../inet/address.ts'
import { cooling, key, many, owned, poolOf, ready, warm } from '../../test/pool/state-builder.ts'
import { VirtualNode } from '../../test/pool/virtual-node.ts'
import { VirtualRegion } from '../../test/pool/virtual-region.ts'
import { VirtualTime } from '../../test/pool/virtual-time.ts'
import { testRegion } from '../../test/simulator/region.ts'
import { decide } from './decide.ts'
import { NO_PAST } from './history.ts'
import type { AddressPhase } from './model.ts'
import { type PoolLimits, poolLimits } from './settings.ts'
import type { PoolTables } from './tables.ts'

const BASE = { maxEnis: 3, addressesPerEni: 10, minFree: 2, maxFree: 5 }
const DUAL = { families: ['ipv4', 'ipv6'] } as const
const PREFIXES = { unit: 'prefix', minFree: 20, maxFree: 40 } as const

function ask(state: PoolTables, given: Partial<PoolLimits> = {}, waiting = 0) {
  return decide({
    ...{ state, limits: poolLimits({ ...BASE, ...given }), circumstances: ready('a', 'b'), now: 1_000 },
    demand: { waiting, past: NO_PAST, firstFillDone: true },
  })
}

describe('from prefixes to addresses', () => {
  test('all that are whole go, also the last although it is more than there is too much', () => {
    const state = poolOf({ a: { ipv4: [owned], prefixes: [[owned], [cooling(2_000)], [], []] } })
    const { actions } = ask(state)
    expect(actions).toMatchObject([
      { kind: 'unassign', eni: 'a', ips: { length: 32 }, prefixes: ['10.1.0.32/28', '10.1.0.48/28'] },
    ])
    // Thirteen of a prefix are too many: it goes, and two single addresses come.
    expect(ask(poolOf({ a: { ipv4: [owned], prefixes: [[]] } })).actions).toMatchObject([
      { kind: 'unassign', prefixes: { length: 1 } },
    ])
    expect(ask(poolOf({ a: { ipv4: [owned], prefixes: [[owned]] } })).actions).toEqual([])
  })

  test('before single addresses', () => {
    const state = poolOf({ a: { ipv4: many(4, warm) }, b: { ipv4: [owned], prefixes: [[]] } })
    expect(ask(state).actions).toMatchObject([{ kind: 'unassign', eni: 'b', prefixes: { length: 1 } }])
  })

  test('not while there is nothing too many', () => {
    const state = poolOf({ a: { ipv4: [owned], prefixes: [[]] } })
    expect(ask(state, { maxFree: 16 }).actions).toEqual([])
    expect(ask(state, {}, 11).actions).toEqual([])
  })

  test('a prefix takes one place of its ENI', () => {
    const state = poolOf({ a: { ipv4: [owned], prefixes: [many(16, owned)] } })
    expect(ask(state).actions).toEqual([{ kind: 'assign', eni: 'a', what: 'ipv4', count: 2 }])
    const full = poolOf({ a: { ipv4: many(9, owned), prefixes: [many(16, owned)] } })
    expect(ask(full).actions).toEqual([{ kind: 'create-eni', role: 'shared', pods: 2 }])
  })

  test('one that serves no pod, because there is less of the other family, goes at once', () => {
    const state = poolOf({ a: { ipv4: [owned], ipv6: [owned, ...many(3, warm)], prefixes: [[], [owned]] } })
    expect(ask(state, DUAL)).toMatchObject({ free: 3, actions: [{ kind: 'unassign', prefixes: ['10.1.0.0/28'] }] })
  })

  describe('of IPv6', () => {
    const V6 = parseCidr('fd00:0:0:1:1::/80')
    const IP = parseIp('fd00:0:0:1:1::7')
    function withAddress(phase: AddressPhase): PoolTables {
      const state = poolOf({ a: { ipv4: [owned, ...many(3, warm)], ipv6: [owned, ...many(3, warm)] } })
      state.apply([
        { kind: 'put-prefix', prefix: { cidr: V6, eni: key('a'), since: 0, phase: 'active' } },
        { kind: 'put-address', address: { ip: IP, eni: key('a'), primary: false, since: 0, prefix: V6, ...phase } },
      ])
      return state
    }

    test('it goes with what has been given of it', () => {
      const { actions } = ask(withAddress(warm), DUAL)
      expect(actions).toEqual([{ kind: 'unassign', eni: 'a', ips: [IP], prefixes: [V6] }])
    })

    test.each([owned, cooling(2_000)])('not while one of it is $phase', (phase) => {
      expect(ask(withAddress(phase), DUAL).actions).toEqual([])
    })
  })
})

describe('from addresses to prefixes', () => {
  test('single addresses go first, as far as there are too many, never the primary', () => {
    const state = poolOf({ a: { ipv4: [warm, ...many(4, warm), owned], prefixes: [[], [], []] } })
    const [first, ...others] = ask(state, PREFIXES).actions
    expect(first).toEqual({
      ...{ kind: 'unassign', eni: 'a', prefixes: [] },
      ips: ['10.0.0.11', '10.0.0.12', '10.0.0.13', '10.0.0.14'],
    })
    // Nine are left to go: less than a prefix.
    expect(others).toEqual([])
    expect(ask(state, { ...PREFIXES, maxFree: 51 }).actions).toMatchObject([{ ips: { length: 2 } }])
  })

  test('beside a prefix of IPv6 single addresses of it serve nobody', () => {
    const state = poolOf({
      a: { ipv4: [warm], ipv6: [owned, ...many(3, warm)], prefixes: [[], [], []], ipv6Prefix: true },
    })
    const { actions } = ask(state, { ...PREFIXES, ...DUAL, maxFree: 48 })
    expect(actions).toMatchObject([{ kind: 'unassign', ips: { length: 3 }, prefixes: [] }])
  })
})

describe('IPv6 only, in prefixes', () => {
  const limits = { unit: 'prefix', families: ['ipv6'] } as const

  test('one is enough, and nothing is endless', () => {
    const state = poolOf({ a: { ipv4: [warm], ipv6Prefix: true } })
    const decision = ask(state, limits, 5)
    expect(decision).toMatchObject({ actions: [], hopeless: 0 })
    expect(decision.free).toBeGreaterThan(5)
    expect(Number.isSafeInteger(decision.free)).toBe(true)
  })

  test('it is asked for once, and waited for', () => {
    expect(ask(poolOf({}), limits).actions).toEqual([{ kind: 'create-eni', role: 'shared', pods: 2 }])
    const bare = poolOf({ a: { ipv4: [warm] } })
    expect(ask(bare, limits).actions).toEqual([{ kind: 'assign', eni: 'a', what: 'ipv6-prefix', count: 1 }])
    expect(ask(poolOf({ a: { ipv4: [warm], assigns: [['ipv6-prefix', 1]] } }), limits).actions).toEqual([])
    const request = { secondaryIps: 0, ipv6Prefixes: 1 }
    expect(ask(poolOf({ a: { phase: 'creating', request } }), limits).actions).toEqual([])
  })
})

describe('what is counted', () => {
  test('as asked for in advance is what was: neither a trunk, nor a spare ENI, nor what has no place', () => {
    const member = { kind: 'member', addressesPerEni: 1, maxEnis: 2 } as const
    expect(ask(poolOf({}), { ...member, minFree: 0 })).toMatchObject({ actions: { length: 1 }, warmed: 0 })
    expect(ask(poolOf({}), { ...member, minFree: 5 })).toMatchObject({ actions: { length: 3 }, warmed: 2 })
    expect(ask(poolOf({}), { minFree: 0, minEnis: 2 })).toMatchObject({ actions: { length: 2 }, warmed: 0 })
    const full = poolOf({ a: { ipv4: many(9, owned) } })
    expect(ask(full, { maxEnis: 1 })).toMatchObject({ actions: [{ kind: 'assign', count: 1 }], warmed: 1 })
    const dual = poolOf({ a: { ipv4: many(3, owned), ipv6: many(3, owned) } })
    const many6 = { ...DUAL, addressesPerEni: 30, minFree: 20, maxFree: 30 }
    expect(ask(dual, many6, 4)).toMatchObject({ actions: { length: 2 }, warmed: 6 })
  })

  test('as given back is what is', () => {
    const limits = poolLimits({ ...BASE, maxFree: 30, unit: 'prefix' })
    const state = poolOf({ a: { ipv4: [owned], prefixes: [[owned], [owned]] } })
    const question = (spare: number) => ({
      ...{ state, limits, circumstances: ready('a'), now: 1_000 },
      demand: { waiting: 0, past: { ...NO_PAST, spare }, firstFillDone: true },
    })
    // Twenty-eight are idle, and there is no whole prefix among them.
    expect(decide(question(30))).toMatchObject({ actions: [], reclaimed: 0 })
  })
})

test.each([
  { name: 'prefixes', from: PREFIXES, to: BASE },
  { name: 'addresses', from: { minFree: 8, maxFree: 9 }, to: { ...PREFIXES, minFree: 16, maxFree: 18 } },
])('in the course of time all $name that are free are replaced', async ({ from, to }) => {
  const time = new VirtualTime()
  const region = new VirtualRegion({ region: testRegion(), time, seed: 1 })
  const options = { time, region, limits: poolLimits({ ...BASE, ...from }) }
  const node = new VirtualNode(options)
  const run = async (ms: number) => {
    node.start().catch((error: unknown) => {
      throw error
    })
    await time.run(ms)
  }
  await run(30_000)
  const pods = Array.from({ length: 8 }, (_, i) => node.add(`p${i}`))
  await time.run(30_000)
  await Promise.all(pods)
  for (let i = 1; i < 8; i++) node.remove(`p${i}`)
  node.kill()
  options.limits = poolLimits({ ...BASE, ...to })
  await run(3_600_000)
  const free = [...node.pool.state.addresses.values()].filter(({ phase }) => phase === 'warm')
  const inPrefixes = free.filter(({ prefix }) => prefix !== undefined).length
  const alone = free.filter(({ prefix, primary }) => prefix === undefined && !primary).length
  if (from === PREFIXES) expect([node.pool.state.prefixes.size, inPrefixes]).toEqual([0, 0])
  else expect(alone).toBe(0)
  expect(free.length).toBeGreaterThanOrEqual(to.minFree)
  expect(free.length).toBeLessThanOrEqual(to.maxFree)
  node.checkPods()
})
