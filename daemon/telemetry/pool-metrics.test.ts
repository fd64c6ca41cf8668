import { beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { cooling, ghost, key, many, owned, poolOf, unassigning, warm } from '../../test/pool/state-builder.ts'
import { KeptReports } from '../pool/report/reports.ts'
import type { NodeCondition } from '../pool/report/sufficiency.ts'
import { type PoolLimits, poolLimits } from '../pool/settings.ts'
import type { PoolTables } from '../pool/tables.ts'
import { createPoolMetrics, type PoolMetrics, type PoolView } from './pool-metrics.ts'

const SHORT: NodeCondition = {
  ...{ type: 'SufficientIP', status: 'False', reason: 'InsufficientIP', message: 'no free address in vsw-h' },
  ...{ since: 1, seen: 1 },
}
/** 20 pods in all. */
const LIMITS = poolLimits({ maxEnis: 2, addressesPerEni: 10, minFree: 0, maxFree: 5 })

let registry: Registry
let reports: KeptReports
let forgotten: number
let view: PoolView | undefined
let metrics: PoolMetrics

beforeEach(() => {
  registry = new Registry()
  reports = new KeptReports(pino({ level: 'silent' }))
  forgotten = 0
  view = undefined
  metrics = createPoolMetrics(registry, { node: 'node-a', pool: () => view, reports, forgotten: () => forgotten })
})

function hold(state: PoolTables, limits: Partial<PoolLimits> = {}, waiting = 0): void {
  view = { state, limits: { ...LIMITS, ...limits }, waiting, blocked: false }
}

/** The lines of the metric, without its name. */
async function lines(name: string): Promise<string[]> {
  const text = await registry.metrics()
  const own = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return own.map((line) => line.slice(name.length).trim())
}

async function places(): Promise<number[]> {
  const names = ['total', 'allocated', 'available', 'utilization']
  const found = await Promise.all(names.map((name) => lines(`terway_ip_pool_${name}`)))
  return found.map((series) => Number(series.join().replace('{node="node-a"} ', '')))
}

describe('the places of a node', () => {
  test('are what it may have in all, and available is what it can still have', async () => {
    hold(poolOf({ a: { ipv4: [...many(5, owned), warm, cooling(9), cooling(9)] } }))
    expect(await places()).toEqual([20, 5, 13, 25])
  })

  test('are available only as far as they are free while nothing can be had', async () => {
    hold(poolOf({ a: { ipv4: [owned, warm, warm, cooling(9)] }, b: { phase: 'attaching', ipv4: [warm] } }))
    reports.condition(SHORT)
    expect(await places()).toEqual([20, 1, 2, 5])
  })

  test('are no more than are free while something keeps the pool from growing, also when nobody waits yet', async () => {
    const pool = poolOf({ a: { ipv4: [owned, warm, warm] } })
    hold(pool)
    expect(await places()).toEqual([20, 1, 19, 5])
    view = { state: pool, limits: LIMITS, waiting: 0, blocked: true }
    expect(await places()).toEqual([20, 1, 2, 5])
    expect(await lines('terway_ip_allocated_total')).toEqual(['1'])
  })

  test('are counted in pods where each has an address of both families', async () => {
    hold(poolOf({ a: { ipv4: [owned, warm, warm], ipv6: [owned, warm] } }), { families: ['ipv4', 'ipv6'] })
    reports.condition(SHORT)
    expect(await places()).toEqual([20, 1, 1, 5])
  })

  test('are those of prefixes, of which one of IPv6 has enough', async () => {
    const content = { ipv4: [warm], prefixes: [many(6, owned)], ipv6Prefix: true, ipv6: many(6, owned) }
    hold(poolOf({ a: content }), { families: ['ipv4', 'ipv6'], unit: 'prefix' })
    reports.condition(SHORT)
    // One primary address and nine prefixes on each of two ENIs.
    expect(await places()).toEqual([290, 6, 11, expect.closeTo(600 / 290)])
  })

  test('are ENIs where each is for one pod', async () => {
    const enis = {
      t: { role: 'trunk', ipv4: [warm] },
      a: { role: 'member', ipv4: [owned] },
      b: { role: 'member', ipv4: [warm] },
    } as const
    hold(poolOf(enis), { kind: 'member', maxEnis: 4 })
    expect(await places()).toEqual([4, 1, 3, 25])
    reports.condition(SHORT)
    expect(await places()).toEqual([4, 1, 1, 25])
  })

  test('are no fewer than are taken when the limits shrink, and none is a share of nothing', async () => {
    hold(poolOf({ a: { ipv4: many(5, owned) } }), { maxEnis: 0 })
    expect(await places()).toEqual([5, 5, 0, 100])
    hold(poolOf({}), { maxEnis: 0 })
    expect(await places()).toEqual([0, 0, 0, 0])
  })
})

test('addresses are shown by phase and family, what cools down by itself', async () => {
  const a = { ipv4: [owned, ghost, warm, cooling(9), cooling(9), unassigning], ipv6: [warm] }
  hold(poolOf({ a, b: { phase: 'lost', ipv4: [ghost] }, t: { role: 'trunk', ipv4: [warm] } }), {
    families: ['ipv4', 'ipv6'],
  })
  expect(await lines('terway_ip_pool_addresses')).toEqual([
    ...['{phase="warm",family="ipv4"} 1', '{phase="owned",family="ipv4"} 1', '{phase="cooling",family="ipv4"} 2'],
    ...['{phase="unassigning",family="ipv4"} 1', '{phase="lost",family="ipv4"} 2'],
    ...['{phase="warm",family="ipv6"} 1', '{phase="owned",family="ipv6"} 0', '{phase="cooling",family="ipv6"} 0'],
    ...['{phase="unassigning",family="ipv6"} 0', '{phase="lost",family="ipv6"} 0'],
  ])
  expect(await lines('terway_resource_pool_total_count')).toEqual([
    '{type="LocalIP",ipStack="ipv4"} 5',
    '{type="LocalIP",ipStack="ipv6"} 1',
  ])
  expect(await lines('terway_resource_pool_idle_count')).toEqual([
    '{type="LocalIP",ipStack="ipv4"} 1',
    '{type="LocalIP",ipStack="ipv6"} 1',
  ])
})

test('what is gone is not shown as it was', async () => {
  const state = poolOf({ a: { ipv4: [warm, warm] } })
  hold(state)
  expect(await lines('terway_eni_ip_count')).toEqual(['{eni="eni-a"} 1'])
  state.apply([{ kind: 'drop-eni', key: key('a') }])
  expect(await lines('terway_eni_ip_count')).toEqual([])
  expect(await lines('terway_eni_count')).toEqual([])
  expect(await lines('terway_ip_pool_addresses')).toContain('{phase="warm",family="ipv4"} 0')
})

test('ENIs are shown by role and phase, and against what the node may have', async () => {
  const enis = {
    a: {},
    b: {},
    c: { phase: 'draining' },
    d: { phase: 'creating' },
    e: { phase: 'lost' },
    t: { role: 'trunk' },
  } as const
  hold(poolOf(enis), { maxEnis: 7 })
  expect(await lines('terway_eni_count')).toEqual([
    '{role="shared",phase="in-use"} 2',
    '{role="shared",phase="draining"} 1',
    '{role="shared",phase="creating"} 1',
    '{role="shared",phase="lost"} 1',
    '{role="trunk",phase="in-use"} 1',
  ])
  const totals = ['terway_eni_total', 'terway_eni_allocated_total', 'terway_eni_attached'].map(lines)
  expect(await Promise.all(totals)).toEqual([['7'], ['4'], ['3']])
})

test('who waits, and that there is nothing to wait for', async () => {
  hold(poolOf({}), {}, 3)
  expect(await lines('terway_ip_pool_waiting')).toEqual(['3'])
  expect(await lines('terway_pool_exhausted')).toEqual(['0'])
  reports.condition(SHORT)
  expect(await lines('terway_pool_exhausted')).toEqual(['1'])
  expect(await lines('terway_pool_events_total')).toEqual(['{reason="IPExhausted"} 1'])
})

test('before there is a pool nothing is said of it', async () => {
  for (const name of ['terway_ip_pool_waiting', 'terway_ip_pool_total', 'terway_eni_total', 'terway_pool_exhausted']) {
    expect(await lines(name)).toEqual([])
  }
})

test('what could not be allocated is counted, from none on', async () => {
  const errors = async () => [
    ...(await lines('terway_ip_allocation_errors_total')),
    ...(await lines('terway_eni_allocation_errors_total')),
  ]
  expect(await errors()).toEqual(['0', '0'])
  for (const reason of ['AllocIPFailed', 'CreateENIFailed', 'AttachENIFailed', 'DetachENIFailed'] as const) {
    reports.event({ time: 1, level: 'warning', reason, message: 'refused' })
  }
  expect(await errors()).toEqual(['1', '2'])
})

test('what has happened is counted once, however often it is asked for', async () => {
  const state = poolOf({ a: { ipv4: [warm, unassigning] }, m: { role: 'member', ipv4: [warm] } })
  const [first, leaving, member] = [...state.addresses.values()]
  if (first === undefined || leaving === undefined || member === undefined) throw new Error('no such addresses')
  metrics.observeChanges(
    [
      ...[first, member].map((address) => ({ kind: 'put-address', address: { ...address, ...owned } }) as const),
      { kind: 'drop-address', ip: leaving.ip },
    ],
    state,
  )
  metrics.observeAcquire(40)
  metrics.observeGarbage('eni', 2)
  forgotten = 7
  for (let time = 0; time < 2; time++) {
    expect(await lines('terway_resource_pool_allocated_count')).toEqual(['{type="LocalIP"} 1', '{type="RemoteIP"} 1'])
    expect(await lines('terway_resource_pool_disposed_count')).toEqual(['{type="LocalIP",ipStack="ipv4"} 1'])
    expect(await lines('terway_pool_acquire_wait_ms_sum')).toEqual(['40'])
    expect(await lines('terway_pool_gc_released_total')).toContain('{what="eni"} 2')
    expect(await lines('terway_conntrack_forgotten_total')).toEqual(['7'])
  }
})

describe('the users’ alert rules', () => {
  /** An ENI that takes so long, ms. */
  function create(milliseconds: number): void {
    const [begun, over] = [poolOf({ a: { phase: 'creating' } }), poolOf({ a: { since: milliseconds } })]
    for (const state of [begun, over]) {
      metrics.observeChanges(
        [...state.enis.values()].map((eni) => ({ kind: 'put-eni', eni })),
        state,
      )
    }
  }

  test('divide series of equal labels, with the node among them', async () => {
    hold(poolOf({ a: { ipv4: many(10, owned) }, b: { ipv4: many(9, owned) } }))
    // (terway_ip_pool_available / terway_ip_pool_total) < 0.1, and terway_ip_pool_utilization > 80
    expect(await lines('terway_ip_pool_available')).toEqual(['{node="node-a"} 1'])
    expect(await lines('terway_ip_pool_total')).toEqual(['{node="node-a"} 20'])
    expect(await lines('terway_ip_pool_utilization')).toEqual(['{node="node-a"} 95'])
    // terway_eni_allocated_total / terway_eni_total * 100 > 90
    expect([await lines('terway_eni_allocated_total'), await lines('terway_eni_total')]).toEqual([['2'], ['2']])
  })

  test('are silent for a pool that keeps few addresses and can grow, and speak when it cannot', async () => {
    hold(poolOf({ a: { ipv4: [...many(9, owned), warm] } }))
    const share = async () => {
      const [total = 0, , available = 0] = await places()
      return available / total
    }
    expect(await share()).toBeGreaterThan(0.1)
    reports.condition(SHORT)
    expect(await share()).toBeLessThan(0.1)
  })

  test('find a bound at the 5 s that the creation of an ENI may take', async () => {
    create(4_500)
    create(6_000)
    expect(await lines('terway_eni_create_latency_bucket')).toEqual(
      expect.arrayContaining(['{le="4000"} 0', '{le="5000"} 1', '{le="7500"} 2']),
    )
  })
})
