import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { linearScale, logScale } from './scale.ts'

test.each([
  [44, [0, 10, 20, 30, 40, 50]],
  [100, [0, 20, 40, 60, 80, 100]],
  [0.9, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [0, [0, 1]],
])('a scale to %d has round ticks', (most, ticks) => {
  expect(linearScale(most, [0, 100]).ticks).toEqual(ticks)
})

test('every value has its place between the ends, in order, and nobody is beyond the last tick', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (most, share) => {
        const { ticks, position } = linearScale(most, [300, 20])
        expect(ticks.length).toBeLessThanOrEqual(7)
        expect(position(0)).toBe(300)
        expect(position(most)).toBeGreaterThanOrEqual(20 - 1e-6)
        expect(position(most * share)).toBeGreaterThanOrEqual(position(most))
      },
    ),
  )
})

test('equal factors are equal distances', () => {
  const { position } = logScale([1, 10, 100], [0, 200])
  expect([position(1), position(10), position(100)]).toEqual([0, 100, 200])
})
