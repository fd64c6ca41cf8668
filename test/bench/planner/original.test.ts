import { describe, expect, test } from '@jest/globals'
import { OriginalPool, type OriginalSettings } from './original.ts'
import { type Simulation, simulate } from './simulation.ts'
import type { Arrival, Trace } from './trace.ts'

const SMALL: OriginalSettings = { min: 0, max: 5 }

function run(settings: OriginalSettings, parts: Partial<Trace>, seed = 1): Simulation {
  const trace = { name: 'test', description: '', horizon: 100_000, arrivals: [], outages: [], ...parts }
  return simulate(trace, seed, (world) => new OriginalPool(world, settings))
}
const pods = (count: number, pod: Arrival): Arrival[] => Array.from({ length: count }, () => pod)
const batches = ({ calls }: Simulation, name: string) =>
  calls.filter((call) => call.name === name).map(({ addresses }) => addresses)

test('one pod on a cold node: batching, create, attach, metadata', () => {
  const simulation = run(SMALL, { arrivals: [{ at: 10_000, until: 70_000 }] })
  const { waits, calls, idle, enis } = simulation.observations
  // 300 + 500 + 3000 + 1000, seen by the metadata poll of that very second.
  expect(waits).toEqual([4800])
  expect(calls).toEqual({ describe: 2, create: 1, attach: 1 })
  expect(idle).toEqual([
    { at: 10_300, value: 1 },
    { at: 14_800, value: 0 },
    { at: 70_000, value: 1 },
  ])
  expect(enis).toEqual([{ at: 10_300, value: 1 }])
})

test('no call is for more than ten addresses, and a slot takes thirty', () => {
  const simulation = run(SMALL, { arrivals: pods(35, { at: 1000, until: 90_000 }) })
  expect(batches(simulation, 'create')).toEqual([10, 5])
  expect(batches(simulation, 'assign')).toEqual([10, 10])
  const { waits, unserved } = simulation.observations
  expect(unserved).toBe(0)
  expect(waits.filter((wait) => wait === 4800)).toHaveLength(15)
  // The second batch: 300 + 500 and a metadata poll of 1100 to 1320 after the first.
  const second = waits.filter((wait) => wait > 4800 && wait <= 4800 + 2120)
  expect(second).toHaveLength(10)
  expect(Math.min(...second)).toBeGreaterThanOrEqual(4800 + 1900)
})

test('a slot assigns at most twice and then every six seconds', () => {
  const arrivals = Array.from({ length: 29 }, (_, i) => ({ at: 1000 + i * 2500, until: 200_000 }))
  const { calls } = run(SMALL, { arrivals, horizon: 120_000 })
  const moments = calls.flatMap(({ name, at }) => (name === 'assign' ? [at] : []))
  expect(moments.length).toBeGreaterThan(5)
  for (const [index, moment] of moments.slice(2).entries()) {
    expect(moment - (moments[index] ?? 0)).toBeGreaterThanOrEqual(6000)
  }
})

describe('the pool', () => {
  test('is filled up to the minimum at the start, in one call', () => {
    const simulation = run({ min: 10, max: 25 }, { arrivals: [{ at: 60_000, until: 90_000 }] })
    expect(batches(simulation, 'create')).toEqual([10])
    expect(simulation.observations.waits).toEqual([0])
  })

  test('is filled up again with the next sync only, two to four minutes later', () => {
    const arrivals = pods(10, { at: 10_000, until: 900_000 })
    const simulation = run({ min: 10, max: 25 }, { arrivals, horizon: 600_000 })
    const assigns = simulation.calls.filter(({ name }) => name === 'assign')
    expect(assigns.map(({ addresses }) => addresses)).toEqual([10])
    const [at = 0] = assigns.map(({ at }) => at)
    // The first sync ends with its creation at 4,800.
    expect(at).toBeGreaterThanOrEqual(124_800 + 300)
    expect(at).toBeLessThanOrEqual(244_800 + 300)
  })

  test('gives back what is above the maximum with the next sync, ten in a call', () => {
    const arrivals = pods(28, { at: 1000, until: 30_000 })
    const simulation = run(SMALL, { arrivals, horizon: 900_000 })
    const returned = batches(simulation, 'unassign')
    expect(Math.max(...returned)).toBe(10)
    expect(returned.length).toBeGreaterThanOrEqual(3)
    // Of 28 idle ones 5 stay; while a primary one is drawn it counts as given back, so it may take further syncs.
    expect(simulation.observations.idle.at(-1)?.value).toBe(5)
  })

  test('an ENI that is not needed any more is detached and deleted', () => {
    const arrivals = pods(20, { at: 1000, until: 30_000 })
    const simulation = run({ min: 0, max: 0 }, { arrivals, horizon: 600_000 })
    expect(simulation.calls.filter(({ isFailed }) => isFailed)).toEqual([])
    expect(simulation.observations.calls).toMatchObject({ detach: 1, delete: 1 })
    expect(simulation.observations.enis.at(-1)?.value).toBe(0)
    const [detach, drop] = ['detach', 'delete'].map(
      (name) => simulation.calls.find((call) => call.name === name)?.at ?? 0,
    )
    expect((drop ?? 0) - (detach ?? 0)).toBe(5000)
  })
})

test('an address goes to the next pod in the moment in which the last one leaves it', () => {
  const arrivals = [
    { at: 10_000, until: 50_000 },
    { at: 50_000, until: 90_000 },
  ]
  const { observations, holdings } = run(SMALL, { arrivals })
  expect(observations.waits).toEqual([4800, 0])
  expect(holdings[1]?.address).toBe(holdings[0]?.address)
})

test('a pod that waits gets the address that another one leaves, and the call made for it stays in the pool', () => {
  const arrivals = [...pods(1, { at: 10_000, until: 30_500 }), { at: 30_000, until: 80_000 }]
  const { observations } = run(SMALL, { arrivals })
  // 500 instead of 1900: the assign call was made at 30,300 and is not taken back.
  expect(observations.waits).toEqual([4800, 500])
  expect(observations.idle.at(-1)).toEqual({ at: 80_000, value: 2 })
})

test('a full node fails the call, and the pod asks again as kubelet does', () => {
  const arrivals = [...pods(210, { at: 1000, until: 60_000 }), { at: 40_000, until: 200_000 }]
  const { observations } = run(SMALL, { arrivals, horizon: 200_000 })
  const wait = observations.waits.at(-1) ?? 0
  expect(wait).toBeGreaterThanOrEqual(20_000)
  expect(wait).toBeLessThanOrEqual(35_000)
})

test('an outage is waited out: the creation is tried again, and the daemon gives a call up after 118 s', () => {
  const arrivals = [{ at: 10_000, until: 500_000 }]
  const outages = [{ from: 0, until: 300_000 }]
  const { observations, calls } = run(SMALL, { arrivals, outages, horizon: 500_000 })
  expect(calls.filter(({ isFailed }) => isFailed).length).toBeGreaterThan(5)
  const [wait = 0] = observations.waits
  expect(wait).toBeGreaterThan(290_000)
  expect(wait).toBeLessThan(330_000)
  expect(observations.unserved).toBe(0)
})
