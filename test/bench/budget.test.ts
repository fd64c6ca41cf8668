import { expect, test } from '@jest/globals'
import { BENCHES, gives } from './benches.ts'
import { BUDGETS, judged } from './budget.ts'
import { benchLine } from './line.ts'

test('every figure that has a budget has exactly one bench', () => {
  const benchesOf = (name: string) => BENCHES.filter((bench) => gives(bench, name)).map((bench) => bench.name)
  expect(BUDGETS.map(({ name }) => [name, benchesOf(name)]).filter(([, benches]) => benches?.length !== 1)).toEqual([])
})

test('no line is promised twice', () => {
  const lines = BENCHES.flatMap((bench) => bench.lines)
  expect(lines.filter((line, i) => lines.indexOf(line) !== i)).toEqual([])
})

test('a bench gives the names it lists, and all that begin like one that is open', () => {
  const bench = { lines: ['a.b', 'c.*'] }
  expect(['a.b', 'c.d', 'c.d.e'].map((name) => gives(bench, name))).toEqual([true, true, true])
  expect(['a', 'a.b.c', 'c', 'cd'].map((name) => gives(bench, name))).toEqual([false, false, false, false])
})

test.each([
  [45, 1, true],
  [45.001, 0, false],
  [44, 5, false],
])(
  'a figure meets its budget when median and 99th percentile do: p50 %d, %d of 100 above the p99',
  (p50, above, met) => {
    const samples = Array.from({ length: 100 }, (_, i) => (i < above ? 71 : p50))
    const line = judged(benchLine({ name: 'cni.add.runtime', unit: 'ms' }, samples))
    expect(line).toMatchObject({ met, target: { p50: 45, p99: 70 } })
  },
)

test('a budget may speak of the 99th percentile alone, and a figure without one is not judged', () => {
  expect(judged(benchLine({ name: 'cni.add.burst100.loop', unit: 'ms' }, [9, 11])).met).toBe(false)
  expect(judged(benchLine({ name: 'exec.node', unit: 'ms' }, [20]))).not.toHaveProperty('met')
})
