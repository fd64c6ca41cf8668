import { expect, test } from '@jest/globals'
import { compare } from './compare.ts'

const complaints = (now: number, then: number, tolerance = {}) =>
  compare({ measured: { 'daemon.ADD.open': now }, recorded: { 'daemon.ADD.open': then }, tolerance })

test.each([
  [9, 9, {}],
  [-2, -2, {}],
  [105, 100, { open: 5 }],
  [95, 100, { open: 5 }],
  [105, 100, { 'ADD.open': 5 }],
])('%d with %d on record is as it should be, %j', (now, then, tolerance) => {
  expect(complaints(now, then, tolerance)).toEqual([])
})

test.each([
  [10, 9, {}, 'grew by 1: 10, recorded 9'],
  [-1, -2, {}, 'grew by 1: -1, recorded -2'],
  [106, 100, { open: 5 }, 'grew by 6: 106, recorded 100'],
  [105, 100, { write: 5, pen: 5 }, 'grew by 5: 105, recorded 100'],
  [99, 100, {}, 'fell by 1: 99, recorded 100'],
  [1, 2, {}, 'fell by 1: 1, recorded 2'],
  [-3, -2, {}, 'fell by 1: -3, recorded -2'],
  [94, 100, { open: 5 }, 'fell by 6: 94, recorded 100'],
])('%d with %d on record is not, %j', (now, then, tolerance, complaint) => {
  const [line, ...others] = complaints(now, then, tolerance)
  expect(others).toEqual([])
  expect(line).toMatch(`daemon.ADD.open ${complaint}`)
  expect(line).toContain('RECORD=1 make test-guard')
})

test('a figure that is new has grown, and one that is there no more has fallen', () => {
  const lines = compare({ measured: { 'a.open': 1 }, recorded: { 'a.close': 2 }, tolerance: {} })
  expect(lines).toEqual([expect.stringContaining('a.close fell by 2'), expect.stringContaining('a.open grew by 1')])
})
