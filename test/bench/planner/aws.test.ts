import { expect, test } from '@jest/globals'
import { AwsPool, type AwsSettings } from './aws.ts'
import { type Simulation, simulate } from './simulation.ts'
import type { Arrival, Trace } from './trace.ts'

const ENI: AwsSettings = { kind: 'eni', warmEnis: 1 }
const IP: AwsSettings = { kind: 'ip', warmIps: 10, minimumIps: 10 }

function run(settings: AwsSettings, parts: Partial<Trace>, seed = 1): Simulation {
  const trace = { name: 'test', description: '', horizon: 3_600_000, arrivals: [], outages: [], ...parts }
  return simulate(trace, seed, (world) => new AwsPool(world, settings))
}
const pods = (count: number, pod: Arrival): Arrival[] => Array.from({ length: count }, () => pod)
const calls = (simulation: Simulation, ...names: string[]) =>
  simulation.calls.filter(({ name }) => names.includes(name)).map(({ name, addresses }) => `${name} ${addresses}`)

test('an empty node keeps a whole ENI', () => {
  const { observations } = run(ENI, {})
  expect(observations.calls).toEqual({ describe: 1, create: 1, attach: 1, modify: 1 })
  expect(observations.idle).toEqual([{ at: 0, value: 30 }])
  expect(observations.enis).toEqual([{ at: 0, value: 1 }])
})

test('the first pod makes it keep two', () => {
  const { observations } = run(ENI, { arrivals: [{ at: 60_000, until: 4_000_000 }] })
  expect(observations.waits).toEqual([0])
  expect(observations.calls).toMatchObject({ create: 2 })
  expect(observations.idle.slice(1).map(({ value }) => value)).toEqual([29, 59])
})

test('one pod too many fails and asks again after ten to fifteen seconds; ENIs come one at a time', () => {
  const arrivals = pods(60, { at: 60_000, until: 3_000_000 })
  const simulation = run(ENI, { arrivals, horizon: 2_000_000 })
  const waited = simulation.observations.waits.filter((wait) => wait > 0)
  expect(waited).toHaveLength(60 - 29)
  expect(Math.min(...waited)).toBeGreaterThanOrEqual(10_000)
  const creations = simulation.calls.filter(({ name }) => name === 'create').map(({ at }) => at)
  expect(creations).toHaveLength(4)
  for (const [index, at] of creations.slice(1).entries()) {
    // Create and attach take 4.5 s, the loop pauses for 5.
    expect(at - (creations[index] ?? 0)).toBeGreaterThanOrEqual(9500)
  }
})

test('an ENI is freed when another whole one is warm beside it: not younger than a minute, not while it cools', () => {
  const simulation = run(ENI, { arrivals: [{ at: 60_000, until: 300_000 }] })
  const detach = simulation.calls.find(({ name }) => name === 'detach')?.at ?? 0
  expect(detach).toBeGreaterThan(300_000)
  expect(detach).toBeLessThanOrEqual(300_000 + 30_000 + 5000)
  expect(simulation.observations.idle.at(-1)?.value).toBe(30)
  // Detaching takes 3 s, the first tries to delete come after 2 s and 2.5 s.
  const deletes = simulation.calls.filter(({ name }) => name === 'delete').map(({ isFailed }) => isFailed)
  expect(deletes.slice(0, 2)).toEqual([true, true])
  expect(deletes.at(-1)).toBe(false)
})

test('with address targets a pod costs an assign and an unassign', () => {
  const simulation = run(IP, { arrivals: [{ at: 60_000, until: 300_000 }] })
  expect(calls(simulation, 'create', 'assign', 'unassign')).toEqual(['create 11', 'assign 1', 'unassign 1'])
  const { idle, waits } = simulation.observations
  expect(waits).toEqual([0])
  expect(idle.map(({ value }) => value)).toEqual([11, 10, 11, 12, 11])
})

test('addresses are returned every thirty seconds at most', () => {
  const arrivals = Array.from({ length: 20 }, (_, i) => ({ at: 60_000, until: 600_000 + i * 7000 }))
  const moments = run(IP, { arrivals }).calls.flatMap(({ name, at }) => (name === 'unassign' ? [at] : []))
  const rounds = moments.filter((at, index) => at - (moments[index - 1] ?? 0) > 2000)
  expect(rounds.length).toBeGreaterThanOrEqual(3)
  for (const [index, at] of rounds.slice(1).entries()) expect(at - (rounds[index] ?? 0)).toBeGreaterThan(30_000)
})

test('an address cools for thirty seconds', () => {
  const arrivals = Array.from({ length: 300 }, (_, i) => ({ at: 60_000 + i * 1000, until: 60_000 + (i + 40) * 1000 }))
  const { holdings } = run(ENI, { arrivals, horizon: 600_000 })
  const gaps = [...Map.groupBy(holdings, ({ address }) => address).values()].flatMap((all) =>
    all.slice(1).map(({ from }, index) => from - (all[index]?.until ?? 0)),
  )
  expect(gaps.length).toBeGreaterThan(100)
  expect(Math.min(...gaps)).toBeGreaterThan(30_000)
})

test('cooling addresses count as available: the pool does not grow although nobody can be served', () => {
  const arrivals = [...pods(10, { at: 60_000, until: 80_000 }), ...pods(11, { at: 80_001, until: 400_000 })]
  const simulation = run(IP, { arrivals, horizon: 109_999 })
  // Ten of the second wave take what was made warm for the first; the eleventh finds only what cools until 110 s.
  expect(simulation.observations.waits.filter((wait) => wait === 0)).toHaveLength(20)
  expect(simulation.observations.unserved).toBe(1)
  expect(calls(simulation, 'assign')).toEqual(['assign 10'])
})

test('in an outage it tries every five seconds, and an unassign that failed is found again', () => {
  const outages = [{ from: 295_000, until: 340_000 }]
  const simulation = run(IP, { arrivals: [{ at: 60_000, until: 300_000 }], outages })
  const unassigns = simulation.calls.filter(({ name }) => name === 'unassign')
  expect(unassigns.map(({ isFailed }) => isFailed)).toEqual([true, false])
  const [first = 0, second = 0] = unassigns.map(({ at }) => at)
  expect(second - first).toBeGreaterThanOrEqual(60_000)
  expect(simulation.observations.idle.at(-1)?.value).toBe(11)
})

test('what an unassign that failed left on a full ENI is looked up', () => {
  const arrivals = [...pods(25, { at: 20_000, until: 100_000 }), ...pods(19, { at: 115_000, until: 400_000 })]
  const outages = [{ from: 100_000, until: 110_000 }]
  const simulation = run(IP, { arrivals, outages, horizon: 200_000 })
  const refused = simulation.calls.findIndex(({ name, at, isFailed }) => name === 'assign' && isFailed && at > 110_000)
  expect(refused).toBeGreaterThan(0)
  expect(simulation.calls[refused + 1]).toMatchObject({ name: 'describe', isFailed: false })
  expect(simulation.observations.unserved).toBe(0)
})

test('in an outage a failed assign is followed by one for a single address, five seconds later by the next', () => {
  const outages = [{ from: 50_000, until: 80_000 }]
  const simulation = run(IP, { arrivals: pods(4, { at: 60_000, until: 3_000_000 }), outages, horizon: 200_000 })
  const failed = calls(simulation, 'assign').slice(0, -1)
  expect(failed.length).toBeGreaterThanOrEqual(6)
  expect(failed.slice(0, 4)).toEqual(['assign 4', 'assign 1', 'assign 4', 'assign 1'])
  expect(simulation.calls.at(-1)).toMatchObject({ name: 'assign', addresses: 4, isFailed: false })
})
