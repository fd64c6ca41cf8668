import { expect, test } from '@jest/globals'
import { parseTimeout } from './timeout.ts'

test.each([
  ['', 110_000],
  ['30', 30_000],
  ['0.5', 500],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
  ['250ms', 250],
  ['1us', 1],
])('%j is %p ms', (text, expected) => {
  expect(parseTimeout(text)).toBe(expected)
})

test.each(['0', '-1', '0s', '10x', 's', '1e3', 'Infinity', ' 10', '5 m', '1.5h'])('%j is refused: code 4', (text) => {
  expect(() => parseTimeout(text)).toThrow(expect.objectContaining({ code: 4 }))
})
