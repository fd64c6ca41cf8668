import { expect, test } from '@jest/globals'
import { Stopwatch } from './stopwatch.ts'

test('phases add up to the whole, however often one comes back', () => {
  const watch = new Stopwatch()
  expect([[...watch.phases], watch.total]).toEqual([[], 0])
  for (const phase of ['parse', 'journal', 'kernel', 'journal', 'result'] as const) watch.lap(phase)
  expect([...watch.phases.keys()]).toEqual(['parse', 'journal', 'kernel', 'result'])
  const sum = [...watch.phases.values()].reduce((all, one) => all + one, 0)
  expect(sum).toBeCloseTo(watch.total, 9)
  expect([...watch.phases.values()].every((took) => took >= 0)).toBe(true)
})
