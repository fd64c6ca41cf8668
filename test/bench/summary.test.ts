import { expect, test } from '@jest/globals'
import { judged } from './budget.ts'
import { benchLine } from './line.ts'
import { boundsText, readable, summary, withUnit } from './summary.ts'

test('figures stand under each other, with their targets and what came of them', () => {
  const lines = [
    judged(benchLine({ name: 'cni.add.runtime', unit: 'ms' }, [30, 80])),
    benchLine({ name: 'exec.node', unit: 'ms' }, [19.26]),
    judged(benchLine({ name: 'daemon.cpu.idle', unit: '%' }, [0.25])),
  ]
  expect(summary(lines)).toBe(
    [
      'figure            p50   p95   p99      n  target',
      'cni.add.runtime    55    80    80  ms  2  ≤ 45, p99 ≤ 70  NOT MET',
      'exec.node        19.3  19.3  19.3  ms  1',
      'daemon.cpu.idle  0.25  0.25  0.25  %   1  ≤ 0.5           met',
    ].join('\n'),
  )
})

test('numbers are read by people', () => {
  expect([1_234.5, 0.026, 0, -2].map(readable)).toEqual(['1,230', '0.026', '0', '-2'])
  expect([withUnit(34.3, 'us'), withUnit(1.09, 'ratio'), withUnit(0, 'count')]).toEqual(['34.3 µs', '1.09 ×', '0'])
  expect(boundsText({ p99: 10 })).toBe('p99 ≤ 10')
})
