import { describe, expect, test } from '@jest/globals'
import { parseCidr, parseIp, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { cooling, ghost, key, many, owned, poolOf, unassigning, VSWITCH, warm } from '../../test/pool/state-builder.ts'
import type { ReadyEni } from '../pool/effects.ts'
import type { PodKey } from '../pool/model.ts'
import { type PoolLimits, poolLimits } from '../pool/settings.ts'
import type { PoolTables } from '../pool/tables.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { type PoolView, showCondition, showEnis, showEvent, showPool } from './show-pool.ts'

const LIMITS = poolLimits({ maxEnis: 2, addressesPerEni: 10, minFree: 1, maxFree: 5 })
/** Of whom the state builder's owned addresses are. */
const ENDPOINT: Endpoint = {
  ...{ containerId: 'c', ifname: parseLinkName('eth0'), phase: 'ready', network: 'terway', netns: '/run/netns/c' },
  ...{ namespace: 'shop', pod: 'web-0', netnsId: '4:1', since: 1 },
}
const READY: ReadyEni = {
  ...{ key: key('a'), id: 'eni-a' as ReadyEni['id'], mac: parseMac('00:16:3e:00:00:01'), role: 'shared' },
  ...{ link: parseLinkName('eth1'), ifindex: 3, gateway: parseIp('10.0.255.253') },
  cidr: parseCidr('10.0.0.0/16'),
}

function viewOf(state: PoolTables, limits: Partial<PoolLimits> = {}): PoolView {
  const readyEni: PoolView['readyEni'] = (name) => (name === READY.key ? READY : undefined)
  return { state, limits: { ...LIMITS, ...limits }, waiting: 2, aim: { fill: 4 }, readyEni }
}

describe('the pool', () => {
  test('is counted where addresses can be given, and what it aims at', () => {
    const a = { ipv4: [owned, warm, warm, cooling(9), unassigning] }
    const state = poolOf({ a, b: { ipv4: [warm] }, c: { phase: 'attaching', ipv4: [warm] }, t: { role: 'trunk' } })
    expect(showPool(viewOf(state))).toEqual({
      ...{ total: 5, allocated: 1, available: 3, cooling: 1, capacity: 20, min: 1, max: 5, waiting: 2 },
      ...{ families: ['ipv4'], kind: 'shared', strategy: 'fixed', target: 4, warmEnis: 1 },
    })
  })

  test('gives a pod one address of each family', () => {
    const state = poolOf({ a: { ipv4: [owned, warm, warm], ipv6: [owned, warm] } })
    const shown = showPool(viewOf(state, { families: ['ipv4', 'ipv6'] }))
    expect(shown).toMatchObject({ total: 3, allocated: 1, available: 1, families: ['ipv4', 'ipv6'], warmEnis: 0 })
  })

  test('aims at nothing before it has decided', () => {
    expect(showPool({ ...viewOf(poolOf({})), aim: undefined }).target).toBe(0)
  })
})

describe('an ENI', () => {
  test('is shown with its link and what it has', () => {
    const [shown] = showEnis(viewOf(poolOf({ a: { ipv4: [warm], ipv6: [warm] } })), [])
    expect(shown).toEqual({
      ...{
        id: 'eni-a',
        mac: '00:16:3e:00:00:01',
        primaryIp: '10.0.0.1',
        vswitchId: VSWITCH,
        vswitchCidr: '10.0.0.0/16',
      },
      ...{ role: 'shared', phase: 'in-use', vlanId: 0, failure: '', capacity: 10, prefixes: [] },
      ...{ link: 'eth1', ifindex: 3, gateway: '10.0.255.253' },
      addresses: [
        { ip: '10.0.0.10', primary: true, phase: 'warm', family: 'ipv4' },
        { ip: 'fd00::a', primary: false, phase: 'warm', family: 'ipv6' },
      ],
    })
  })

  test('that is being made has no id', () => {
    const [shown] = showEnis(viewOf(poolOf({ b: { phase: 'creating' } })), [])
    expect(shown).toMatchObject({ phase: 'creating', link: '', addresses: [] })
    expect(shown).not.toHaveProperty('id')
  })

  test('that is a member has its VLAN, and one that goes says why', () => {
    const state = poolOf({ m: { role: 'member' } })
    const eni = state.enis.get(key('m'))
    if (eni === undefined || eni.phase === 'creating') throw new Error('no such ENI')
    state.apply([{ kind: 'put-eni', eni: { ...eni, vlanId: 7, phase: 'draining', failure: 'no link' } }])
    expect(showEnis(viewOf(state), [])).toMatchObject([{ role: 'member', vlanId: 7, failure: 'no link' }])
  })

  test('counts the addresses of a prefix', () => {
    const prefixes = [[...many(3, owned), cooling(9)], many(16, warm)]
    const [shown] = showEnis(viewOf(poolOf({ a: { ipv4: [warm], prefixes } }), { unit: 'prefix' }), [])
    expect(shown?.prefixes).toEqual([
      { cidr: '10.1.0.0/28', phase: 'active', used: 3, free: 12 },
      { cidr: '10.1.0.16/28', phase: 'active', used: 0, free: 16 },
    ])
  })
})

describe('an address', () => {
  const shownOf = (state: PoolTables, endpoints: readonly Endpoint[] = []) =>
    showEnis(viewOf(state), endpoints).flatMap(({ addresses = [] }) => addresses)

  test('is shown with the pod that has it, found by its container', () => {
    expect(shownOf(poolOf({ a: { ipv4: [owned] } }), [ENDPOINT])).toMatchObject([
      { phase: 'owned', pod: 'shop/web-0', containerId: 'c', lost: false },
    ])
  })

  test('of a pod that is not on record is shown with what is known of it', () => {
    const state = poolOf({ a: { ipv4: [owned] } })
    expect(shownOf(state)).toMatchObject([{ pod: 'ns/10.0.0.10' }])
    const [address] = [...state.addresses.values()]
    if (address?.phase !== 'owned') throw new Error('nobody has it')
    const { pod: _, ...unknown } = address
    state.apply([{ kind: 'put-address', address: unknown }])
    expect(shownOf(state)).toMatchObject([{ pod: 'c/eth0' }])
  })

  test('that cools down is shown with the pod that had it, and a lost one as lost', () => {
    expect(shownOf(poolOf({ a: { ipv4: [cooling(9), ghost] } }))).toMatchObject([
      { phase: 'cooling', pod: 'ns/10.0.0.10', coolingUntil: 9 },
      { phase: 'owned', lost: true },
    ])
  })
})

test('an event says what it is about', () => {
  const event = {
    time: 2,
    first: 1,
    count: 3,
    level: 'warning',
    reason: 'AllocIPFailed',
    message: 'no address',
  } as const
  const shown = { time: 2, count: 3, level: 'warning', reason: 'AllocIPFailed' }
  expect(showEvent({ ...event, pod: 'ns/web' as PodKey })).toEqual({ ...shown, message: 'ns/web: no address' })
  expect(showEvent(event)).toEqual({ ...shown, message: 'no address' })
})

test('a condition is shown as it is', () => {
  const condition = { type: 'SufficientIP', status: 'True', reason: 'SufficientIP', message: 'yes', since: 1 } as const
  expect(showCondition({ ...condition, seen: 2 })).toEqual(condition)
})
