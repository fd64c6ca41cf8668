import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type EniId, parseCloudId, type VSwitchId } from '../../cloud/ids.ts'
import { addressAt, type Ipv4, parseCidr, parseMac } from '../../inet/address.ts'
import { type Action, decide, type Obstacles, type PoolLimits } from './decide.ts'
import {
  type AddressPhase,
  type AddressRecord,
  type AssignToken,
  addressesOf,
  type EniKey,
  type EniRecord,
  type KnownEniPhase,
  type Owner,
  PoolTables,
} from './model.ts'

const CIDR = parseCidr('10.0.0.0/16')
const VSWITCH = parseCloudId<VSwitchId>('vsw-h')
const LIMITS: PoolLimits = { maxEnis: 3, addressesPerEni: 10, minFree: 5, maxFree: 10 }
const CLEAR: Obstacles = {
  busyEnis: new Set(),
  failedEnis: new Set(),
  stumblingEnis: new Set(),
  readyEnis: new Set(['a', 'b', 'c'] as EniKey[]),
  emptyVSwitches: new Set(),
  noNewEni: false,
}
const NOW = 1_000_000

const warm: AddressPhase = { phase: 'warm' }
const owned: AddressPhase = { phase: 'owned', owner: 'c/eth0' as Owner }
const cooling = (until: number): AddressPhase => ({ phase: 'cooling', until })

function eni(name: string, phase: KnownEniPhase = 'in-use'): EniRecord {
  const key = name as EniKey
  const id = parseCloudId<EniId>(`eni-${name}`)
  const mac = parseMac('00:16:3e:00:00:01')
  return { phase, key, vSwitchId: VSWITCH, cidr: CIDR, id, mac, primaryIp: addressAt(CIDR, 1n) as Ipv4, since: 0 }
}

/** A pool in which each ENI has addresses of the given phases, the first one its primary. */
function pool(content: Record<string, { phase?: EniRecord['phase']; addresses: AddressPhase[] }>): PoolTables {
  const tables = new PoolTables()
  let next = 10n
  for (const [name, { phase = 'in-use', addresses }] of Object.entries(content)) {
    const record = eni(name, phase === 'creating' ? 'attaching' : phase)
    tables.enis.set(record.key, record)
    for (const [index, state] of addresses.entries()) {
      const ip = addressAt(CIDR, next++) as Ipv4
      const address: AddressRecord = { ip, eni: record.key, primary: index === 0, since: 0, ...state }
      tables.addresses.set(ip, address)
    }
  }
  return tables
}

const many = (count: number, phase: AddressPhase): AddressPhase[] => new Array<AddressPhase>(count).fill(phase)
const ask = (state: PoolTables, waiting = 0, obstacles = CLEAR, limits = LIMITS) =>
  decide({ state, demand: { waiting }, limits, obstacles, now: NOW })

describe('growth', () => {
  test('an empty node makes one ENI with as many addresses as the watermark asks for', () => {
    expect(ask(pool({})).actions).toEqual([{ kind: 'create-eni', secondaryIps: 4 }])
  })

  test('a burst grows several ENIs at once and never beyond the instance', () => {
    expect(ask(pool({}), 100).actions).toEqual(many(3, warm).map(() => ({ kind: 'create-eni', secondaryIps: 9 })))
  })

  test('room on ENIs that are there is filled first, the fullest ENI first', () => {
    const state = pool({ a: { addresses: many(6, owned) }, b: { addresses: many(8, owned) } })
    expect(ask(state, 1).actions).toEqual([
      { kind: 'assign', eni: 'b', count: 2 },
      { kind: 'assign', eni: 'a', count: 4 },
    ])
  })

  test('what is on its way counts: attaching ENIs and assigns under way', () => {
    expect(ask(pool({ a: { phase: 'attaching', addresses: many(5, warm) } })).actions).toEqual([])
    const state = pool({ a: { addresses: many(1, owned) } })
    state.assigns.set('t' as AssignToken, { token: 't' as AssignToken, eni: 'a' as EniKey, count: 5, since: 0 })
    expect(ask(state).actions).toEqual([])
  })

  test('what fits on an ENI that is on its way waits for it; only the rest makes another', () => {
    const state = pool({ a: { phase: 'attaching', addresses: many(5, warm) } })
    expect(ask(state, 5).actions).toEqual([])
    expect(ask(state, 7).actions).toEqual([{ kind: 'create-eni', secondaryIps: 1 }])
  })

  test('an ENI that is busy, or in an empty vSwitch, is left alone', () => {
    const state = pool({ a: { addresses: many(5, owned) } })
    const busy = { ...CLEAR, busyEnis: new Set(['a' as EniKey]), noNewEni: true }
    expect(ask(state, 0, busy).actions).toEqual([])
    expect(ask(state, 0, { ...CLEAR, emptyVSwitches: new Set([VSWITCH]), noNewEni: true }).actions).toEqual([])
  })

  test('ENIs that leave still take their slot of the instance', () => {
    const state = pool({ a: { phase: 'deleting', addresses: [] }, b: { phase: 'detaching', addresses: [] } })
    expect(ask(state, 100).actions).toHaveLength(1)
  })
})

describe('waiting in vain', () => {
  const full = pool({
    a: { addresses: many(10, owned) },
    b: { addresses: many(10, owned) },
    c: { addresses: many(10, owned) },
  })

  test('a full node turns everyone away who waits', () => {
    expect(ask(full, 3).hopeless).toBe(3)
  })

  test('nobody is turned away for whom an address is growing or cooling', () => {
    expect(ask(pool({}), 30).hopeless).toBe(0)
    expect(ask(pool({}), 31).hopeless).toBe(1)
    // An ENI on its way brings less than it can hold in the end.
    expect(ask(pool({ a: { phase: 'attaching', addresses: many(2, warm) } }), 30).hopeless).toBe(0)
    const a = pool({ a: { addresses: many(2, owned) } })
    const stuck = { ...CLEAR, failedEnis: new Set(['a' as EniKey]), noNewEni: true }
    expect(ask(a, 1, { ...stuck, failedEnis: new Set() }).hopeless).toBe(0)
    expect(ask(a, 1, stuck)).toEqual({ actions: [], hopeless: 1 })
    // One failure is no reason to give up: two of its ten addresses are in use.
    const stumbling = { ...stuck, stumblingEnis: new Set(['a' as EniKey]) }
    expect(ask(a, 8, stumbling)).toEqual({ actions: [], hopeless: 0 })
    expect(ask(a, 9, stumbling).hopeless).toBe(1)
    const state = pool({
      a: { addresses: [...many(9, owned), cooling(NOW + 5)] },
      b: { addresses: many(10, owned) },
      c: { addresses: many(10, owned) },
    })
    expect(ask(state, 2)).toMatchObject({ hopeless: 1, wakeAt: NOW + 5 })
  })
})

describe('an ENI that is not ready', () => {
  const unready = (failed: EniKey[]): Obstacles => ({ ...CLEAR, readyEnis: new Set(), failedEnis: new Set(failed) })
  const state = pool({ a: { addresses: many(10, warm) } })

  test('brings its addresses soon, so nothing else is asked for', () => {
    expect(ask(state, 3, unready([])).actions).toEqual([])
  })

  test('and cannot be brought up counts for nothing: another is made', () => {
    expect(ask(state, 3, unready(['a' as EniKey])).actions).toEqual([{ kind: 'create-eni', secondaryIps: 7 }])
    // Also when it has only stumbled: pods should not wait for one ENI when there can be another.
    const stumbling = { ...unready(['a' as EniKey]), stumblingEnis: new Set(['a' as EniKey]) }
    expect(ask(state, 3, stumbling).actions).toEqual([{ kind: 'create-eni', secondaryIps: 7 }])
  })

  test('has nothing to take back', () => {
    const two = pool({ a: { addresses: many(10, warm) }, b: { addresses: many(10, warm) } })
    expect(ask(two, 0, unready([])).actions).toEqual([])
  })
})

test('a lost ENI takes no slot of the instance', () => {
  const state = pool({ a: { phase: 'lost', addresses: many(1, owned) } })
  expect(ask(state, 100).actions).toHaveLength(3)
})

describe('cooling', () => {
  test('ends with its deadline, not before', () => {
    const state = pool({ a: { addresses: [cooling(NOW), cooling(NOW + 1), ...many(5, warm)] } })
    expect(ask(state)).toEqual({ actions: [{ kind: 'end-cooling', ips: ['10.0.0.10'] }], hopeless: 0, wakeAt: NOW + 1 })
  })
})

describe('shrinking', () => {
  test('above the upper watermark single addresses go back, never the primary', () => {
    const state = pool({
      a: { addresses: many(10, warm) },
      b: { addresses: [warm, ...many(4, warm), ...many(5, owned)] },
    })
    const [action] = ask(state).actions
    expect(action).toMatchObject({ kind: 'unassign' })
    const ips = action?.kind === 'unassign' ? action.ips : []
    expect(ips).toHaveLength(5)
    for (const ip of ips) expect(state.addresses.get(ip)?.primary).toBe(false)
  })

  test('an ENI without pods goes back whole when the surplus covers it', () => {
    const state = pool({ a: { addresses: many(10, warm) }, b: { addresses: many(3, warm) } })
    expect(ask(state).actions).toEqual([{ kind: 'release-eni', eni: 'b' }])
  })

  test('an ENI with a cooling address is not unused', () => {
    const state = pool({ a: { addresses: many(10, warm) }, b: { addresses: [...many(2, warm), cooling(NOW + 5)] } })
    expect(ask(state).actions.some((action) => action.kind === 'release-eni')).toBe(false)
  })
})

test('no state makes it exceed a limit or give away what a pod holds', () => {
  const phases = fc.constantFrom<AddressPhase>(warm, owned, cooling(NOW - 1), cooling(NOW + 1), {
    phase: 'unassigning',
  })
  const content = fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.record({
      phase: fc.constantFrom('attaching' as const, 'in-use' as const, 'detaching' as const, 'deleting' as const),
      addresses: fc.array(phases, { minLength: 1, maxLength: 10 }),
    }),
  )
  fc.assert(
    fc.property(content, fc.nat(50), (enis, waiting) => {
      const state = pool(enis)
      for (const action of ask(state, waiting).actions) expectLegal(state, action)
      const created = ask(state, waiting).actions.filter((action) => action.kind === 'create-eni')
      expect(state.enis.size + created.length).toBeLessThanOrEqual(LIMITS.maxEnis)
    }),
  )
})

function expectLegal(state: PoolTables, action: Action): void {
  switch (action.kind) {
    case 'create-eni':
      expect(action.secondaryIps).toBeLessThan(LIMITS.addressesPerEni)
      return
    case 'assign':
      expect(addressesOf(state, action.eni).length + action.count).toBeLessThanOrEqual(LIMITS.addressesPerEni)
      return
    case 'unassign':
      for (const ip of action.ips) expect(state.addresses.get(ip)).toMatchObject({ phase: 'warm', primary: false })
      return
    case 'release-eni':
      for (const address of addressesOf(state, action.eni)) expect(address.phase).toBe('warm')
      return
    case 'end-cooling':
      for (const ip of action.ips) {
        const address = state.addresses.get(ip)
        expect(address?.phase === 'cooling' && address.until <= NOW).toBe(true)
      }
      return
  }
}
