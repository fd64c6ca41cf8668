import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Throttle } from './throttle.ts'

const MINUTE = 60_000

/** Milliseconds until it is worth trying again; 0: admitted. */
function ask(throttle: Throttle, action: string, now: number): number {
  try {
    throttle.admit(action, now)
    return 0
  } catch (error) {
    return error instanceof Error && 'retryAfter' in error ? Number(error.retryAfter) : Number.NaN
  }
}

test('what one minute refuses, the next admits', () => {
  const throttle = new Throttle(new Map([['Create', 2]]))
  const start = 7 * MINUTE
  const asked = [0, 1, 2, MINUTE - 1, MINUTE, MINUTE + 1, MINUTE + 2].map((at) => ask(throttle, 'Create', start + at))
  expect(asked).toEqual([0, 0, MINUTE - 2, 1, 0, 0, MINUTE - 2])
})

test('each action has its own count; * holds for those without a limit of their own', () => {
  const throttle = new Throttle(
    new Map([
      ['Create', 2],
      ['*', 1],
    ]),
  )
  const admitted = (action: string) => ask(throttle, action, 0) === 0
  expect(['Create', 'Create', 'Create', 'Attach', 'Attach', 'Delete'].map(admitted)).toEqual([
    ...[true, true, false],
    ...[true, false],
    true,
  ])
})

test('without a limit nothing is throttled', () => {
  const throttle = new Throttle(new Map([['Create', 1]]))
  for (let i = 0; i < 1000; i++) throttle.admit('Attach', 0)
})

test('no minute of the clock admits more than the limit, and each that is asked often enough admits that many', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), gaps, (limit, waits) => {
      const throttle = new Throttle(new Map([['*', limit]]))
      const minutes = new Map<number, { asked: number; admitted: number }>()
      let now = 0
      for (const wait of waits) {
        now += wait
        const minute = Math.floor(now / MINUTE)
        const count = minutes.get(minute) ?? { asked: 0, admitted: 0 }
        minutes.set(minute, count)
        count.asked += 1
        if (ask(throttle, 'A', now) === 0) count.admitted += 1
      }
      for (const { asked, admitted } of minutes.values()) expect(admitted).toBe(Math.min(asked, limit))
    }),
  )
})
