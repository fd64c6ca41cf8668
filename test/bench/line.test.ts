import { expect, test } from '@jest/globals'
import { benchLine } from './line.ts'

test('percentiles are samples, by nearest rank', () => {
  const samples = Array.from({ length: 100 }, (_, i) => 100 - i)
  const line = benchLine({ name: 'x', unit: 'ms' }, samples)
  expect(line).toMatchObject({ name: 'x', unit: 'ms', value: 50, n: 100, p50: 50, p95: 95, p99: 99 })
  expect(line.env).toContain(process.version)
  expect(benchLine({ name: 'x', unit: 'ms' }, [7])).toMatchObject({ p50: 7, p95: 7, p99: 7 })
  expect(benchLine({ name: 'x', unit: 'ms' }, [3, 1.23456, 2])).toMatchObject({ p50: 2 })
})
