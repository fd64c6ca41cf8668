import { describe, expect, test } from '@jest/globals'
import type { Cidr, Ip } from '../../inet/address.ts'
import { cooling, key, many, owned, poolOf, warm } from '../../test/pool/state-builder.ts'
import { chooseAddresses, type Wish } from './choose-address.ts'
import type { AddressRecord, PodKey } from './model.ts'
import { poolLimits } from './settings.ts'
import type { PoolTables } from './tables.ts'

const LIMITS = poolLimits({ maxEnis: 3, addressesPerEni: 10, minFree: 0, maxFree: 10 })
const DUAL = { ...LIMITS, families: ['ipv4', 'ipv6'] as const }

function choose(state: PoolTables, wish: Wish = {}, limits = LIMITS, ready = ['a', 'b']) {
  return chooseAddresses({ state, limits, ready: new Map(ready.map((name) => [key(name), 0])) }, wish)?.map(
    ({ ip }) => ip,
  )
}

/** What the address was before; it becomes that of the pod. */
function give(state: PoolTables, ip: string, change: Partial<AddressRecord>): void {
  const address = [...state.addresses.values()].find((one) => one.ip === ip)
  if (address === undefined) throw new Error(`there is no ${ip}`)
  state.apply([{ kind: 'put-address', address: { ...address, ...change } as AddressRecord }])
}

describe('without a former address', () => {
  test('the ENI with the most pods comes first, so that others can become empty; or the one with the fewest', () => {
    const state = poolOf({ a: { ipv4: [warm] }, b: { ipv4: [warm, owned] } })
    expect(choose(state)).toEqual(['10.0.0.11'])
    expect(choose(state, {}, { ...LIMITS, order: 'fewest-pods' })).toEqual(['10.0.0.10'])
  })

  test('on an ENI the address that has been free longest comes first', () => {
    const state = poolOf({ a: { ipv4: [warm, owned, warm] } })
    expect(choose(state)).toEqual(['10.0.0.10'])
    give(state, '10.0.0.10', { phase: 'unassigning' })
    give(state, '10.0.0.11', { phase: 'warm', since: 5 })
    expect(choose(state)).toEqual(['10.0.0.12'])
  })

  test('nothing comes from an ENI that is not ready, is to become empty or is a trunk, and nothing that is not free', () => {
    expect(choose(poolOf({ a: { ipv4: [warm] } }), {}, LIMITS, [])).toBeUndefined()
    expect(choose(poolOf({ a: { ipv4: [warm], phase: 'draining' } }))).toBeUndefined()
    expect(choose(poolOf({ a: { ipv4: [warm], role: 'trunk' } }))).toBeUndefined()
    expect(choose(poolOf({ a: { ipv4: [cooling(1), owned, { phase: 'unassigning' }] } }))).toBeUndefined()
  })

  test('nothing comes that is to be avoided, be it the pod’s former address or all of a prefix of IPv6', () => {
    const place = (state: PoolTables, avoid: ReadonlySet<Ip | Cidr>, limits = LIMITS) => {
      return { state, limits, ready: new Map([[key('a'), 0]]), avoid }
    }
    const single = poolOf({ a: { ipv4: [warm, warm] } })
    const [first, second] = [...single.addresses.values()]
    if (first === undefined || second === undefined) throw new Error('there are no addresses')
    const pod = 'ns/web' as PodKey
    give(single, first.ip, { pod })
    const choice = chooseAddresses(place(single, new Set([first.ip])), { pod })
    expect(choice?.map(({ ip }) => ip)).toEqual([second.ip])
    expect(chooseAddresses(place(single, new Set([first.ip, second.ip])), { pod })).toBeUndefined()
    const wide = poolOf({ a: { ipv4: [warm], ipv6Prefix: true } })
    const dual = { ...DUAL, unit: 'prefix' as const }
    expect(chooseAddresses(place(wide, new Set(wide.prefixes.keys()), dual), {})).toBeUndefined()
    expect(chooseAddresses(place(wide, new Set(), dual), {})).toHaveLength(2)
  })

  test('both families come from the same ENI', () => {
    const state = poolOf({ a: { ipv4: many(2, warm) }, b: { ipv4: [warm], ipv6: [warm] } })
    expect(choose(state, {}, DUAL)).toEqual(['10.0.0.12', 'fd00::a'])
  })

  test('of an IPv6 prefix the next address comes that nobody has had, then those that are free again', () => {
    const state = poolOf({ a: { ipv4: many(3, warm), ipv6Prefix: true } })
    const prefix = [...state.prefixes.values()][0]
    const limits = { ...DUAL, unit: 'prefix' as const }
    const [, first] = choose(state, {}, limits) ?? []
    expect(first).toBe('fd00::1:1:0:0:1')
    if (prefix === undefined || first === undefined) throw new Error('there is no prefix')
    const record = { ip: first, eni: key('a'), primary: false, since: 0, prefix: prefix.cidr }
    state.apply([{ kind: 'put-address', address: { ...record, ...owned } }])
    expect(choose(state, {}, limits)?.[1]).toBe('fd00::1:1:0:0:2')
    state.apply([{ kind: 'put-address', address: { ...record, phase: 'warm' } }])
    expect(choose(state, {}, limits)?.[1]).toBe(first)
  })
})

describe('a pod that is made again', () => {
  const pod = 'ns/web-0' as PodKey
  const state = () => poolOf({ a: { ipv4: [owned, warm] }, b: { ipv4: [warm, warm] } })

  test('gets what it had if that is free, whatever the order says', () => {
    const tables = state()
    give(tables, '10.0.0.13', { pod, podUid: 'u1' })
    expect(choose(tables, { pod })).toEqual(['10.0.0.13'])
    expect(choose(tables, { pod: 'ns/web-1' as PodKey })).toEqual(['10.0.0.11'])
    expect(choose(tables, { pod }, LIMITS, ['a'])).toEqual(['10.0.0.11'])
  })

  test('waits for no cool-down when it is the same pod or keeps its address, and otherwise gets another', () => {
    const tables = state()
    give(tables, '10.0.0.13', { pod, podUid: 'u1', phase: 'cooling', until: 9 } as Partial<AddressRecord>)
    expect(choose(tables, { pod, podUid: 'u1' })).toEqual(['10.0.0.13'])
    expect(choose(tables, { pod, podUid: 'u2' })).toEqual(['10.0.0.11'])
    expect(choose(tables, { pod, podUid: undefined })).toEqual(['10.0.0.11'])
    expect(choose(tables, { pod, podUid: 'u2', keeps: true })).toEqual(['10.0.0.13'])
  })

  test('the last one it had comes first', () => {
    const tables = state()
    give(tables, '10.0.0.12', { pod, since: 5 })
    give(tables, '10.0.0.13', { pod, since: 7 })
    expect(choose(tables, { pod })).toEqual(['10.0.0.13'])
  })

  test('a family it has lost is made up from the same ENI', () => {
    const tables = poolOf({ a: { ipv4: [warm], ipv6: [warm] }, b: { ipv4: [warm, warm], ipv6: [warm] } })
    give(tables, '10.0.0.12', { pod })
    expect(choose(tables, { pod }, DUAL)).toEqual(['10.0.0.12', 'fd00::b'])
  })
})
