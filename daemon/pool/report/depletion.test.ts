import { expect, test } from '@jest/globals'
import { depletion, NEW_STOCK } from './depletion.ts'

/** When it was told that five or fewer are free. */
function told(...levels: readonly (readonly [now: number, free: number])[]): number[] {
  let before = NEW_STOCK
  return levels.flatMap(([now, free]) => {
    const { stock, crossed } = depletion(before, { free, few: 5, now })
    before = stock
    return crossed ? [now] : []
  })
}

test('it is told once when few are free, and not of a pool that has not had more yet', () => {
  expect(told([0, 0], [1, 5])).toEqual([])
  expect(told([0, 0], [1, 6], [2, 5], [3, 0], [3_600_000, 4])).toEqual([2])
})

test('it is told again when there were more for half a minute', () => {
  expect(told([0, 6], [1, 5], [2, 6], [20_000, 7], [30_002, 5])).toEqual([1, 30_002])
})

test('one that goes up and down is not told of each time', () => {
  const levels = Array.from({ length: 100 }, (_, i) => [i * 1_000, i % 2 === 0 ? 6 : 5] as const)
  expect(told(...levels)).toEqual([1_000])
})

test('a clock that was set back keeps nothing quiet', () => {
  expect(told([0, 6], [1, 5], [3_600_000, 6], [10, 5])).toEqual([1, 10])
})
