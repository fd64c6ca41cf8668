import { expect, test } from '@jest/globals'
import { closure, FULL_PACE, halved, type Pace, paced, recovered } from './pace.ts'

const LIMIT = { perSecond: 8, burst: 10 }
const times = (count: number, pace: Pace): Pace => (count === 0 ? pace : times(count - 1, halved(pace, LIMIT, 0)))

test('the rate is halved down to a 64th, the burst with it down to one', () => {
  const rates = [0, 1, 2, 3, 6, 7, 40].map((count) => paced(LIMIT, times(count, FULL_PACE)))
  expect(rates.map(({ perSecond }) => perSecond)).toEqual([8, 4, 2, 1, 1 / 8, 1 / 8, 1 / 8])
  expect(rates.map(({ burst }) => burst)).toEqual([10, 5, 2.5, 1.25, 1, 1, 1])
})

test.each([
  ['60 calls a minute', 60, [30, 15, 7.5, 3.75, 1.875, 1]],
  ['30 calls a minute', 30, [15, 7.5, 3.75, 1.875, 1, 1]],
  ['a call a minute', 1, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]],
])('%s are halved too, down to one that tries', (_, perMinute, then) => {
  const slow = { perSecond: perMinute / 60, burst: 1 }
  let pace = FULL_PACE
  const rates = then.map(() => {
    pace = halved(pace, slow, 0)
    return 60 * paced(slow, pace).perSecond
  })
  rates.forEach((rate, index) => {
    expect(rate).toBeCloseTo(then[index] ?? 0)
  })
})

test('a success gives back 5 % of the configured rate for every 10 s since, and no more than all', () => {
  const half = times(1, FULL_PACE)
  expect(recovered(half, 0).share).toBe(0.5)
  expect(recovered(half, 10_000).share).toBeCloseTo(0.55)
  expect(recovered(recovered(half, 10_000), 20_000).share).toBeCloseTo(0.6)
  expect(recovered(half, 3_600_000).share).toBe(1)
  expect(recovered(half, -3_600_000).share).toBe(0.5)
})

test('an action is closed for a random time that doubles, at most a minute, after what the answer asked for', () => {
  const longest = (count: number) => closure(times(count, FULL_PACE), () => 1, 0)
  expect([1, 2, 3, 6, 7, 40].map(longest)).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000])
  expect(closure(times(3, FULL_PACE), () => 0.25, 7_000)).toBe(8_000)
  expect(closure(times(1, FULL_PACE), () => 0, 3_600_000)).toBe(60_000)
  expect(closure(halved(recovered(times(5, FULL_PACE), 0), LIMIT, 0), () => 1, 0)).toBe(1_000)
})
