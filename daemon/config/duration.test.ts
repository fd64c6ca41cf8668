import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { DurationError, duration, parseDuration, seconds } from './duration.ts'

test.each([
  ['300s', 300_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['100ms', 100],
  ['1.5s', 1500],
  ['1.1s', 1100],
  ['.5h', 1_800_000],
  ['1.m', 60_000],
  ['1m0s', 60_000],
  ['2000us', 2],
  ['2000\u00b5s', 2],
  ['2000\u03bcs', 2],
  ['3000000ns', 3],
  ['1ns', 1],
  ['0', 0],
  ['0s', 0],
  ['596h', 2_145_600_000],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', '300', '-5m', '+5m', '5', '5 m', '5M', 'm', '.s', '1h30', '1..5s', '5m\n', '597h', '1e3s'])(
  '%j is none',
  (text) => {
    expect(() => parseDuration(text)).toThrow(DurationError)
  },
)

test('every whole number of ms, written in hours, minutes, seconds and ms, is read as itself', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), (ms) => {
      const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1000) % 60]
      expect(parseDuration(`${h}h${m}m${s}s${ms % 1000}ms`)).toBe(ms)
      expect(duration.parse(ms / 1000)).toBe(ms)
    }),
  )
})

test('a number is one of seconds', () => {
  expect(duration.parse(60)).toBe(60_000)
  expect(duration.parse('60s')).toBe(60_000)
  expect(seconds.parse(0.5)).toBe(500)
})

test.each([
  [duration, '60', /must be a number of seconds or a duration like "300s"/],
  [duration, true, /must be a number of seconds or a duration like "300s"/],
  [duration, -1, /must be a number of seconds or a duration like "300s"/],
  [seconds, '60s', /must be a number of seconds/],
  [seconds, -1, /must be from 0 to 24 days/],
  [seconds, 2_147_484, /must be from 0 to 24 days/],
])('the schema names what is wrong (case %#)', (schema, value, message) => {
  expect(schema.safeParse(value).error?.issues).toEqual([
    expect.objectContaining({ message: expect.stringMatching(message) }),
  ])
})
