/** What must hold for the rivals' models on any trace. */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { AwsPool } from './aws.ts'
import type { Holding } from './model-cloud.ts'
import { OriginalPool } from './original.ts'
import { type PoolModel, simulate, type World } from './simulation.ts'
import type { Trace } from './trace.ts'

const HORIZON = 1_200_000
const MODELS: readonly { name: string; coolDown: number; build: (world: World) => PoolModel }[] = [
  { name: 'original 10/25', coolDown: 0, build: (world) => new OriginalPool(world, { min: 10, max: 25 }) },
  { name: 'original 0/0', coolDown: 0, build: (world) => new OriginalPool(world, { min: 0, max: 0 }) },
  { name: 'aws eni', coolDown: 30_001, build: (world) => new AwsPool(world, { kind: 'eni', warmEnis: 1 }) },
  { name: 'aws ip', coolDown: 30_001, build: (world) => new AwsPool(world, { kind: 'ip', warmIps: 3, minimumIps: 5 }) },
]

const burst = fc.record({
  at: fc.nat(HORIZON - 1),
  count: fc.integer({ min: 1, max: 90 }),
  life: fc.integer({ min: 1, max: 400_000 }),
})
const span = fc.record({ from: fc.nat(HORIZON), length: fc.nat(300_000) })
const histories: fc.Arbitrary<Trace> = fc
  .record({ bursts: fc.array(burst, { maxLength: 12 }), outages: fc.array(span, { maxLength: 3 }) })
  .map(({ bursts, outages }) => ({
    name: 'random',
    description: '',
    horizon: HORIZON,
    arrivals: bursts
      .flatMap(({ at, count, life }) => Array.from({ length: count }, () => ({ at, until: at + life })))
      .sort((a, b) => a.at - b.at),
    outages: outages.map(({ from, length }) => ({ from, until: from + length })),
  }))

/** The shortest time between two pods on one address, ms. */
function shortestGap(holdings: readonly Holding[]): number {
  const byAddress = Map.groupBy(holdings, ({ address }) => address)
  const gaps = [...byAddress.values()].flatMap((all) =>
    all.slice(1).map(({ from }, index) => from - (all[index]?.until ?? Number.POSITIVE_INFINITY)),
  )
  return Math.min(Number.POSITIVE_INFINITY, ...gaps)
}

test.each(MODELS)('$name: no address for two pods, none before it has cooled, none missing in the books', (model) => {
  fc.assert(
    fc.property(histories, fc.nat(), (trace, seed) => {
      const { observations, holdings } = simulate(trace, seed, model.build)
      expect(shortestGap(holdings)).toBeGreaterThanOrEqual(model.coolDown)
      expect(holdings).toHaveLength(trace.arrivals.length - observations.unserved)
      for (const [index, wait] of observations.waits.entries()) {
        const { at = 0, until = 0 } = trace.arrivals[index] ?? {}
        expect(wait >= 0 && wait <= Math.min(until, HORIZON) - at).toBe(true)
      }
      expect(observations.idle.every(({ value }) => value >= 0 && value <= 7 * 30 + 30)).toBe(true)
      expect(observations.enis.every(({ value }) => value >= 0 && value <= 8)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test.each(MODELS)('$name: the same seed gives the same run', ({ build }) => {
  const arrivals = Array.from({ length: 80 }, (_, i) => ({ at: i * 3000, until: i * 3000 + 100_000 }))
  const trace = { name: 'x', description: '', horizon: HORIZON, arrivals, outages: [] }
  expect(simulate(trace, 9, build).observations).toEqual(simulate(trace, 9, build).observations)
})
