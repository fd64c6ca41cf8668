import { describe, expect, test } from '@jest/globals'
import { cooling, ghost, key, many, owned, poolOf, ready, VSWITCH, warm } from '../../test/pool/state-builder.ts'
import type { Action } from './balance.ts'
import type { Circumstances } from './circumstances.ts'
import { decide } from './decide.ts'
import { NO_PAST, type Past } from './history.ts'
import type { AddressPhase } from './model.ts'
import { type PoolLimits, poolLimits } from './settings.ts'
import type { PoolState } from './tables.ts'

const LIMITS = poolLimits({ maxEnis: 3, addressesPerEni: 10, minFree: 5, maxFree: 10 })
const CLEAR = ready('a', 'b', 'c')
const NOW = 1_000_000

interface Asked {
  readonly waiting?: number
  readonly circumstances?: Partial<Circumstances>
  readonly limits?: Partial<PoolLimits>
  readonly past?: Partial<Past>
  readonly firstFillDone?: boolean
  readonly now?: number
}

function ask(state: PoolState, asked: Asked = {}) {
  const { waiting = 0, firstFillDone = true, now = NOW } = asked
  return decide({
    ...{ state, limits: { ...LIMITS, ...asked.limits }, circumstances: { ...CLEAR, ...asked.circumstances }, now },
    demand: { waiting, past: { ...NO_PAST, ...asked.past }, firstFillDone },
  })
}

const create = (pods: number): Action => ({ kind: 'create-eni', role: 'shared', pods })
const assign = (eni: string, count: number, what: 'ipv4' | 'ipv6' = 'ipv4') => ({ kind: 'assign', eni, what, count })

describe('growth', () => {
  test('an empty node makes one ENI with as many addresses as the watermark asks for', () => {
    expect(ask(poolOf({})).actions).toEqual([create(5)])
  })

  test('a burst grows several ENIs at once and never beyond the instance', () => {
    expect(ask(poolOf({}), { waiting: 100 }).actions).toEqual([create(10), create(10), create(10)])
  })

  test('as many at the same time as batch_config allows', () => {
    const batch = { ...LIMITS.batch, enis: 2 }
    const one = poolOf({ a: { phase: 'creating', request: { secondaryIps: 9 } } })
    expect(ask(poolOf({}), { waiting: 100, limits: { batch } }).actions).toHaveLength(2)
    expect(ask(one, { waiting: 100, limits: { batch } }).actions).toHaveLength(1)
  })

  test('room on ENIs that are there is filled first, the fullest ENI first', () => {
    const state = poolOf({ a: { ipv4: many(6, owned) }, b: { ipv4: many(8, owned) } })
    expect(ask(state, { waiting: 1 }).actions).toEqual([assign('b', 2), assign('a', 4)])
    const spread = { order: 'fewest-pods' } as const
    expect(ask(state, { waiting: 1, limits: spread }).actions).toEqual([assign('a', 4), assign('b', 2)])
  })

  test('what is on its way counts: attaching ENIs and assigns under way', () => {
    expect(ask(poolOf({ a: { phase: 'attaching', ipv4: many(5, warm) } })).actions).toEqual([])
    expect(ask(poolOf({ a: { ipv4: [owned], assigns: [['ipv4', 5]] } })).actions).toEqual([])
  })

  test('what fits on an ENI that is on its way waits for it; only the rest makes another', () => {
    const state = poolOf({ a: { phase: 'attaching', ipv4: many(5, warm) } })
    expect(ask(state, { waiting: 5 }).actions).toEqual([])
    expect(ask(state, { waiting: 7 }).actions).toEqual([create(2)])
  })

  test('an ENI that takes far too long is not waited for', () => {
    const state = poolOf({ a: { phase: 'attaching', ipv4: many(5, warm) } })
    const circumstances = { slowEnis: new Set([key('a')]), readyEnis: new Set<never>() }
    expect(ask(state, { waiting: 3, circumstances })).toMatchObject({ actions: [create(8)], hopeless: 0 })
  })

  test('an ENI that is busy, or in an empty vSwitch, is left alone', () => {
    const state = poolOf({ a: { ipv4: many(5, owned) } })
    const none = { noNewEni: true }
    expect(ask(state, { circumstances: { ...none, busyEnis: new Set([key('a')]) } }).actions).toEqual([])
    expect(ask(state, { circumstances: { ...none, emptyVSwitches: new Set([VSWITCH]) } }).actions).toEqual([])
  })

  test('ENIs that leave, and those of others, take their slot of the instance', () => {
    const state = poolOf({ a: { phase: 'deleting' }, b: { phase: 'detaching' } })
    expect(ask(state, { waiting: 100 }).actions).toHaveLength(1)
    expect(ask(poolOf({}), { waiting: 100, circumstances: { foreignEnis: 1 } }).actions).toHaveLength(2)
  })

  test('a lost ENI takes none', () => {
    const state = poolOf({ a: { phase: 'lost', ipv4: [ghost] } })
    expect(ask(state, { waiting: 100 }).actions).toHaveLength(3)
  })

  test('where addresses are being given all the time, one call brings more than what is missing', () => {
    const state = poolOf({ a: { ipv4: [owned, ...many(4, warm)] } })
    expect(ask(state).actions).toEqual([assign('a', 1)])
    expect(ask(state, { past: { recent: 3 } }).actions).toEqual([assign('a', 4)])
    expect(ask(state, { past: { recent: 30 } }).actions).toEqual([assign('a', 5), create(1)])
  })

  test('a share of the addresses in use is kept free besides', () => {
    const state = poolOf({ a: { ipv4: many(10, owned) }, b: { ipv4: [...many(10, owned)] } })
    expect(ask(state, { limits: { reserve: 0.4 } }).actions).toEqual([create(8)])
    expect(ask(state, { limits: { reserve: 0.9 } }).actions).toEqual([create(10)])
  })

  test('what no pod waits for comes in portions, what pods wait for at once', () => {
    const limits = { warmUp: { batch: 2, interval: 60_000 } }
    const past = { warmUpLeft: 2 }
    expect(ask(poolOf({}), { limits, past })).toMatchObject({ actions: [create(2)], warmed: 2 })
    expect(ask(poolOf({}), { limits, past, waiting: 4 })).toMatchObject({ actions: [create(6)], warmed: 2 })
    const spent = { warmUpLeft: 0, nextWarmUp: NOW + 5 }
    expect(ask(poolOf({}), { limits, past: spent })).toMatchObject({ actions: [], warmed: 0, wakeAt: NOW + 5 })
  })

  test('a new node has had a number of addresses once', () => {
    const limits = { firstFill: 12 }
    expect(ask(poolOf({}), { limits, firstFillDone: false }).actions).toEqual([create(10), create(2)])
    const filled = poolOf({ a: { ipv4: many(10, warm) }, b: { ipv4: many(2, warm) } })
    expect(ask(filled, { limits, firstFillDone: false }).actions).toEqual([])
    expect(ask(filled, { limits }).actions).toHaveLength(2)
  })

  test('ENIs are attached in advance, each with its primary address only', () => {
    expect(ask(poolOf({}), { limits: { minEnis: 2 } }).actions).toEqual([create(5), create(1)])
    const both = poolOf({ a: { ipv4: many(5, warm) }, b: { ipv4: [warm] } })
    const actions = ask(both, { limits: { minEnis: 2, minFree: 0, maxFree: 0 } }).actions
    expect(actions).toHaveLength(1)
    expect(actions[0]).toMatchObject({ kind: 'unassign', eni: 'a', ips: { length: 4 } })
  })
})

describe('both families', () => {
  const limits = { families: ['ipv4', 'ipv6'] as const }

  test('a pod needs one of each, from the same ENI', () => {
    const state = poolOf({ a: { ipv4: many(6, warm), ipv6: [warm] }, b: { ipv4: [owned], ipv6: many(4, warm) } })
    expect(ask(state, { limits }).free).toBe(1)
    // Five in all are to be free: of IPv6 four more for what a has of IPv4, and nothing of IPv4.
    expect(ask(state, { limits }).actions).toEqual([assign('a', 4, 'ipv6')])
  })

  test('both are asked for at the same time, IPv6 in tens', () => {
    const state = poolOf({ a: { ipv4: [owned], ipv6: [owned] } })
    const wide = { ...limits, addressesPerEni: 30, minFree: 20, maxFree: 30 }
    expect(ask(state, { limits: wide }).actions).toEqual([assign('a', 20), assign('a', 10, 'ipv6')])
  })

  test('what goes back goes in pairs', () => {
    const state = poolOf({ a: { ipv4: [owned, ...many(9, warm)], ipv6: [owned, ...many(9, warm)] } })
    const [action] = ask(state, { limits: { ...limits, maxFree: 7 } }).actions
    expect(action?.kind === 'unassign' && action.ips.map((ip) => (ip.includes(':') ? 6 : 4))).toEqual([4, 4, 6, 6])
  })
})

describe('prefixes', () => {
  const limits = { unit: 'prefix', minFree: 20, maxFree: 40 } as const

  test('are asked for whole', () => {
    const state = poolOf({ a: { ipv4: [warm] } })
    expect(ask(state, { limits }).actions).toEqual([{ kind: 'assign', eni: 'a', what: 'ipv4-prefix', count: 2 }])
  })

  test('as many as an ENI has places, the primary address having one', () => {
    const state = poolOf({ a: { ipv4: [owned], prefixes: many(8, many(16, owned)) } })
    const actions = ask(state, { limits, waiting: 20 }).actions
    expect(actions).toEqual([{ kind: 'assign', eni: 'a', what: 'ipv4-prefix', count: 1 }, create(24)])
  })

  test('go back when all of them is free, as far as none is to stay', () => {
    const state = poolOf({ a: { ipv4: [owned], prefixes: [[owned], [], [], []] } })
    const [action] = ask(state, { limits }).actions
    expect(action).toMatchObject({ kind: 'unassign', prefixes: { length: 1 }, ips: { length: 16 } })
    expect(ask(state, { limits: { ...limits, minPrefixes: 4 } }).actions).toEqual([])
  })

  test('a number of them is kept in any case', () => {
    const state = poolOf({ a: { ipv4: [warm], prefixes: [[]] } })
    const few = { ...limits, minFree: 0, minPrefixes: 3 }
    expect(ask(state, { limits: few }).actions).toEqual([{ kind: 'assign', eni: 'a', what: 'ipv4-prefix', count: 2 }])
  })

  test('of IPv6 one is enough for an ENI', () => {
    const dual = { ...limits, families: ['ipv4', 'ipv6'] as const }
    const bare = poolOf({ a: { ipv4: [warm], prefixes: [[], []] } })
    expect(ask(bare, { limits: dual }).free).toBe(0)
    expect(ask(bare, { limits: dual }).actions).toEqual([{ kind: 'assign', eni: 'a', what: 'ipv6-prefix', count: 1 }])
    const whole = poolOf({ a: { ipv4: [warm], prefixes: [[], []], ipv6Prefix: true } })
    expect(ask(whole, { limits: dual })).toMatchObject({ free: 33, actions: [] })
  })
})

describe('an ENI for each pod', () => {
  const exclusive = { kind: 'exclusive', addressesPerEni: 1, minFree: 2, maxFree: 2 } as const
  const member = { ...exclusive, kind: 'member', maxEnis: 10 } as const

  test('is made in advance', () => {
    const one: Action = { kind: 'create-eni', role: 'exclusive', pods: 1 }
    expect(ask(poolOf({}), { limits: exclusive }).actions).toEqual([one, one])
    expect(ask(poolOf({ a: { role: 'exclusive', ipv4: [owned] } }), { limits: exclusive }).actions).toEqual([one, one])
  })

  test('goes back whole', () => {
    const free = { role: 'exclusive', ipv4: [warm] } as const
    const state = poolOf({ a: free, b: free, c: free })
    expect(ask(state, { limits: exclusive }).actions).toEqual([{ kind: 'release-eni', eni: 'a' }])
  })

  test('of a trunk: the trunk comes first, once, and takes no place of a member', () => {
    const one: Action = { kind: 'create-eni', role: 'member', pods: 1 }
    const trunk: Action = { kind: 'create-eni', role: 'trunk', pods: 0 }
    expect(ask(poolOf({}), { limits: member }).actions).toEqual([trunk, one, one])
    const there = poolOf({ a: { role: 'trunk', ipv4: [warm] } })
    expect(ask(there, { limits: { ...member, maxEnis: 1 } })).toMatchObject({ free: 0, actions: [one] })
  })
})

describe('waiting in vain', () => {
  const full = poolOf({ a: { ipv4: many(10, owned) }, b: { ipv4: many(10, owned) }, c: { ipv4: many(10, owned) } })

  test('a full node turns everyone away who waits', () => {
    expect(ask(full, { waiting: 3 }).hopeless).toBe(3)
  })

  test('nobody is turned away for whom an address is growing or cooling', () => {
    expect(ask(poolOf({}), { waiting: 30 }).hopeless).toBe(0)
    expect(ask(poolOf({}), { waiting: 31 }).hopeless).toBe(1)
    // An ENI on its way brings less than it can hold in the end.
    expect(ask(poolOf({ a: { phase: 'attaching', ipv4: many(2, warm) } }), { waiting: 30 }).hopeless).toBe(0)
    const a = poolOf({ a: { ipv4: many(2, owned) } })
    const stuck = { failedEnis: new Set([key('a')]), noNewEni: true }
    expect(ask(a, { waiting: 1, circumstances: { noNewEni: true } }).hopeless).toBe(0)
    expect(ask(a, { waiting: 1, circumstances: stuck })).toMatchObject({ actions: [], hopeless: 1 })
    // One failure is no reason to give up: two of its ten addresses are in use.
    const stumbling = { ...stuck, stumblingEnis: new Set([key('a')]) }
    expect(ask(a, { waiting: 8, circumstances: stumbling })).toMatchObject({ actions: [], hopeless: 0 })
    expect(ask(a, { waiting: 9, circumstances: stumbling }).hopeless).toBe(1)
    const cold = poolOf({
      a: { ipv4: [...many(9, owned), cooling(NOW + 5)] },
      b: { ipv4: many(10, owned) },
      c: { ipv4: many(10, owned) },
    })
    expect(ask(cold, { waiting: 2 })).toMatchObject({ hopeless: 1, wakeAt: NOW + 5 })
  })
})

describe('an ENI that is not ready', () => {
  const unready = (...failed: string[]) => ({ readyEnis: new Set<never>(), failedEnis: new Set(failed.map(key)) })
  const state = poolOf({ a: { ipv4: many(10, warm) } })

  test('brings its addresses soon, so nothing else is asked for', () => {
    expect(ask(state, { waiting: 3, circumstances: unready() }).actions).toEqual([])
  })

  test('and cannot be brought up counts for nothing: another is made', () => {
    expect(ask(state, { waiting: 3, circumstances: unready('a') }).actions).toEqual([create(8)])
    // Also when it has only stumbled: pods should not wait for one ENI when there can be another.
    const stumbling = { ...unready('a'), stumblingEnis: new Set([key('a')]) }
    expect(ask(state, { waiting: 3, circumstances: stumbling }).actions).toEqual([create(8)])
  })

  test('has nothing to take back', () => {
    const two = poolOf({ a: { ipv4: many(10, warm) }, b: { ipv4: many(10, warm) } })
    expect(ask(two, { circumstances: unready() }).actions).toEqual([])
  })
})

test('a cool-down ends with its deadline, not before', () => {
  const state = poolOf({ a: { ipv4: [cooling(NOW), cooling(NOW + 1), ...many(5, warm)] } })
  const actions = [{ kind: 'end-cooling', ips: ['10.0.0.10'] }]
  expect(ask(state)).toMatchObject({ actions, hopeless: 0, wakeAt: NOW + 1, free: 5 })
})

test('an address whose connections cannot be forgotten is not waited for', () => {
  const state = poolOf({ a: { ipv4: [owned, ...many(5, cooling(NOW - 1))] } })
  expect(ask(state, { waiting: 0 }).actions.map(({ kind }) => kind)).toEqual(['end-cooling'])
  const heldBack = new Set([...state.cooling.keys()])
  expect(ask(state, { circumstances: { heldBack } }).actions).toContainEqual(assign('a', 4))
})

test('nor one that is kept for its pod for longer than an ADD waits', () => {
  const limits = { maxEnis: 1, addressesPerEni: 1 }
  const kept = (until: number) => ask(poolOf({ a: { ipv4: [cooling(until)] } }), { limits, waiting: 1 }).hopeless
  expect([kept(NOW + 30_000), kept(NOW + 30_001)]).toEqual([0, 1])
})

describe('shrinking', () => {
  test('above the upper watermark single addresses go back, never the primary', () => {
    const state = poolOf({ a: { ipv4: many(10, warm) }, b: { ipv4: [...many(5, warm), ...many(5, owned)] } })
    const [action] = ask(state).actions
    expect(action).toMatchObject({ kind: 'unassign' })
    const ips = action?.kind === 'unassign' ? action.ips : []
    expect(ips).toHaveLength(5)
    for (const ip of ips) expect(state.addresses.get(ip)?.primary).toBe(false)
  })

  test('an ENI that nobody has used for long goes back whole when the surplus covers it', () => {
    const state = poolOf({ a: { ipv4: many(10, warm) }, b: { ipv4: many(3, warm) } })
    const [later, idle] = [NOW + 1_800_000, { spare: 13 }]
    expect(ask(state, { now: later }).actions).toEqual([{ kind: 'release-eni', eni: 'b' }])
    expect(ask(state, { now: later, past: idle }).actions).toHaveLength(2)
  })

  test('one that was in use a moment ago only gives back addresses, until there is nothing else to give', () => {
    const state = poolOf({ a: { ipv4: many(10, warm) }, b: { ipv4: many(3, warm) } })
    expect(ask(state).actions).toMatchObject([
      { kind: 'unassign', eni: 'b', ips: { length: 2 } },
      { kind: 'unassign', eni: 'a', ips: { length: 1 } },
    ])
    const bare = poolOf({ a: { ipv4: [warm] }, b: { ipv4: [warm] } })
    const none = { minFree: 0, maxFree: 0 }
    expect(ask(bare, { limits: none }).actions.map(({ kind }) => kind)).toEqual(['release-eni', 'release-eni'])
  })

  test('an ENI with a cooling address is not unused', () => {
    const state = poolOf({ a: { ipv4: many(10, warm) }, b: { ipv4: [...many(2, warm), cooling(NOW + 5)] } })
    expect(ask(state).actions.some(({ kind }) => kind === 'release-eni')).toBe(false)
  })

  test('down to the lower watermark goes what nobody has needed for the idle time-out', () => {
    const state = poolOf({ a: { ipv4: [owned, ...many(8, warm)] } })
    expect(ask(state).actions).toEqual([])
    const [action] = ask(state, { past: { spare: 7 } }).actions
    expect(action).toMatchObject({ kind: 'unassign', ips: { length: 2 } })
    expect(ask(state, { past: { spare: 7 } }).reclaimed).toBe(2)
    expect(ask(state, { past: { spare: 5 } }).actions).toEqual([])
  })

  test('in batches, and not before the next one is due', () => {
    const state = poolOf({ a: { ipv4: [owned, ...many(8, warm)] } })
    const limits = { idle: { after: 1, interval: 1, batch: 1, jitter: 0 } }
    expect(ask(state, { past: { spare: 8 }, limits }).reclaimed).toBe(1)
    const later = { spare: 8, nextReclaim: NOW + 1 }
    expect(ask(state, { past: later, limits })).toMatchObject({ reclaimed: 0, actions: [], wakeAt: NOW + 1 })
  })
})

describe('draining', () => {
  test('with more ENIs than are allowed those with the fewest pods are emptied', () => {
    const state = poolOf({ a: { ipv4: many(6, owned) }, b: { ipv4: [owned, ...many(5, warm)] } })
    expect(ask(state, { limits: { maxEnis: 1 } }).actions[0]).toEqual({ kind: 'drain-eni', eni: 'b' })
  })

  test('an ENI that is empty goes, not before', () => {
    const waitFor = (ipv4: AddressPhase[]) => poolOf({ a: { ipv4: many(9, warm) }, b: { phase: 'draining', ipv4 } })
    const gone = (ipv4: AddressPhase[]) => ask(waitFor(ipv4)).actions.some(({ kind }) => kind === 'release-eni')
    expect(gone([warm])).toBe(true)
    expect(gone([warm, owned])).toBe(false)
    expect(gone([cooling(NOW + 5)])).toBe(false)
  })

  test('nothing is given from it; when it is of use after all it stays', () => {
    const state = poolOf({ a: { ipv4: many(10, owned) }, b: { phase: 'draining', ipv4: many(10, warm) } })
    expect(ask(state, { limits: { maxEnis: 1 }, waiting: 1 }).free).toBe(0)
    expect(ask(state, { waiting: 1 }).actions).toContainEqual({ kind: 'keep-eni', eni: 'b' })
  })
})
