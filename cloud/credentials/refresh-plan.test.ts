import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { afterRefusal, type Refusal, refreshDelay, retryDelay } from './refresh-plan.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const plan = (fields: Partial<Parameters<typeof refreshDelay>[0]>) =>
  refreshDelay({ now: 0, expiration: undefined, margin: undefined, interval: undefined, random: 0, ...fields })

test.each<[string, Parameters<typeof plan>[0], number | undefined]>([
  ['a key that stays', {}, undefined],
  ['a quarter of an hour before the end', { expiration: HOUR }, 45 * MINUTE],
  ['at half of a short life', { expiration: 20 * MINUTE }, 10 * MINUTE],
  ['at the margin of the provider', { expiration: HOUR, margin: 5 * MINUTE }, 55 * MINUTE],
  ['at the interval of the provider', { expiration: HOUR, interval: 30 * MINUTE }, 30 * MINUTE],
  ['at the interval without an end', { interval: MINUTE }, MINUTE],
  ['a tenth earlier at most', { expiration: HOUR, random: 1 }, 40.5 * MINUTE],
  ['not at once when the end is near', { expiration: 1 }, 5_000],
  ['after six hours at the latest', { expiration: 1e15 }, 6 * HOUR],
])('%s', (_, fields, delay) => {
  expect(plan(fields)).toBe(delay)
})

test('an issuer that repeats what it gave is asked seldom until the end', () => {
  const expiration = 15 * MINUTE
  let now = 0
  let fetches = 0
  while (now < expiration) {
    now += plan({ now, expiration }) ?? 0
    fetches++
  }
  expect(fetches).toBe(9)
})

test('a refresh never waits past the end, but for the shortest pause', () => {
  const life = fc.integer({ min: 1, max: 12 * HOUR })
  fc.assert(
    fc.property(life, fc.double({ min: 0, max: 1, noNaN: true }), (expiration, random) => {
      const delay = plan({ expiration, random }) ?? 0
      expect(delay).toBeGreaterThanOrEqual(5_000)
      if (expiration > 10_000) expect(delay).toBeLessThan(expiration)
    }),
  )
})

test('failures are met with longer and longer pauses, in the upper half of them at random', () => {
  const pauses = (random: number) =>
    [0, 1, 2, 5, 6, 1000].map((before) => retryDelay({ before, permanent: false, random }))
  expect(pauses(1)).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000])
  expect(pauses(0)).toEqual([500, 1_000, 2_000, 16_000, 30_000, 30_000])
  expect(retryDelay({ before: 0, permanent: true, random: 1 })).toBe(60_000)
})

describe('fetches because of refusals', () => {
  test('are allowed ever more seldom, up to one a minute', () => {
    let last: Refusal | undefined
    const at: number[] = []
    for (let now = 0; now < 5 * MINUTE; now += 1_000) {
      const next = afterRefusal(last, now, 1)
      if (next !== undefined) at.push(now / 1_000)
      last = next ?? last
    }
    expect(at).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243])
  })

  test('begin anew after a time without', () => {
    const last = { at: 0, count: 9, pause: MINUTE }
    expect(afterRefusal(last, MINUTE, 1)).toEqual({ at: MINUTE, count: 10, pause: MINUTE })
    expect(afterRefusal(last, 11 * MINUTE, 1)).toEqual({ at: 11 * MINUTE, count: 1, pause: 1_000 })
  })

  test('are not put off by a clock that is set back', () => {
    const last = { at: 100 * HOUR, count: 3, pause: MINUTE }
    expect(afterRefusal(last, 0, 1)).toBeDefined()
    expect(afterRefusal(last, 100 * HOUR - MINUTE / 2, 1)).toBeUndefined()
  })
})
