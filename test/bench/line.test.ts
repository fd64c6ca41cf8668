import { expect, test } from '@jest/globals'
import { BENCH_LINE, benchLine } from './line.ts'

test('the median is in the middle, other percentiles are samples by nearest rank, and nothing is rounded', () => {
  const samples = Array.from({ length: 100 }, (_, i) => 100 - i)
  const line = benchLine({ name: 'x', unit: 'ms' }, samples)
  expect(line).toMatchObject({ name: 'x', unit: 'ms', value: 50.5, n: 100, p50: 50.5, p95: 95, p99: 99 })
  expect(line.env).toContain(process.version)
  expect(benchLine({ name: 'x', unit: 'ms' }, [7])).toMatchObject({ p50: 7, p95: 7, p99: 7 })
  expect(benchLine({ name: 'x', unit: 'ms' }, [3, 1, 2.34567])).toMatchObject({ p50: 2.34567 })
})

test('a line that is read and written again is the same text, and nothing measured is no line', () => {
  const line = benchLine({ name: 'x', unit: '%' }, [0.1234])
  const text = JSON.stringify(line)
  expect(JSON.stringify(BENCH_LINE.parse(JSON.parse(text)))).toBe(text)
  expect(() => benchLine({ name: 'x', unit: 'ms' }, [])).toThrow(RangeError)
})
