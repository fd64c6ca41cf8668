import { expect, test } from '@jest/globals'
import { Registry } from 'prom-client'
import type { Difference } from '../../netlink/plan.ts'
import { createDriftMetrics } from './drift-metrics.ts'

const rule: Difference = { netns: 'host', object: 'rule', subject: '512: from all lookup 1000', problem: 'missing' }
const route: Difference = { netns: 'pod', object: 'route', subject: 'default (ipv4)', problem: 'different', found: 'x' }

async function lines(registry: Registry, start: string): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line.startsWith(start))
}

test('objects are counted by outcome, each report has one duration, and what failed has none', async () => {
  const registry = new Registry()
  const { observeRepair } = createDriftMetrics(registry)
  observeRepair({ owner: 'node', differences: [rule, rule, route], outcome: 'repaired', milliseconds: 90 })
  observeRepair({ owner: 'node', differences: [rule], outcome: 'failed', milliseconds: 4_000 })
  const counts = (await lines(registry, 'terway_drift_repairs_total{')).filter((line) => !line.endsWith(' 0'))
  expect(counts.toSorted()).toEqual([
    'terway_drift_repairs_total{object="route",outcome="repaired"} 1',
    'terway_drift_repairs_total{object="rule",outcome="failed"} 1',
    'terway_drift_repairs_total{object="rule",outcome="repaired"} 2',
  ])
  expect(await lines(registry, 'terway_drift_repair_seconds_')).toEqual(
    expect.arrayContaining([
      'terway_drift_repair_seconds_bucket{le="0.05"} 0',
      'terway_drift_repair_seconds_bucket{le="0.1"} 1',
      'terway_drift_repair_seconds_sum 0.09',
      'terway_drift_repair_seconds_count 1',
    ]),
  )
})

test('every series of repairs exists from the start', async () => {
  const registry = new Registry()
  createDriftMetrics(registry)
  const series = await lines(registry, 'terway_drift_repairs_total{')
  expect(series).toHaveLength(20)
  expect(series).toContain('terway_drift_repairs_total{object="mark",outcome="failed"} 0')
})

test('a comparison of everything is observed in seconds', async () => {
  const registry = new Registry()
  createDriftMetrics(registry).observeComparison(250)
  expect(await lines(registry, 'terway_drift_verify_seconds_sum')).toEqual(['terway_drift_verify_seconds_sum 0.25'])
})
