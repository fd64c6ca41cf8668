import { expect, test } from '@jest/globals'
import { Backoff } from './backoff.ts'

const PASSING = { error: new Error('the service failed'), problem: 'the service failed', passing: true }

function started(random = 1) {
  const clock = { time: 1_000_000 }
  return { clock, backoff: new Backoff<string>({ now: () => clock.time, random: () => random }) }
}

test.each([
  { random: 0, share: 0.5 },
  { random: 1, share: 1 },
])('pauses double up to a minute; by chance $random they last $share of it', ({ random, share }) => {
  const { clock, backoff } = started(random)
  const pauses = Array.from({ length: 9 }, () => {
    backoff.failed('a', PASSING)
    const [end = 0] = backoff.ends
    const pause = end - clock.time
    clock.time = end
    return pause
  })
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000 * share))
})

test('it blocks one key until its pause is over, and success forgets the failures', () => {
  const { clock, backoff } = started()
  backoff.failed('a', PASSING)
  expect([backoff.blocked, backoff.blocks('b')]).toEqual([['a'], false])
  clock.time += 1_000
  expect([backoff.blocked, backoff.failures('a')]).toEqual([[], 1])
  expect(backoff.current).toEqual([['a', expect.objectContaining(PASSING)]])
  backoff.succeeded('a')
  expect([backoff.failures('a'), backoff.current]).toEqual([0, []])
})

test('a clock that is set back by an hour blocks nothing for an hour', () => {
  const { clock, backoff } = started()
  backoff.failed('a', PASSING)
  clock.time -= 3_600_000
  expect([backoff.blocked, backoff.ends]).toEqual([[], []])
})

test('the first failures of what may pass are stumbles', () => {
  const { backoff } = started()
  backoff.failed('final', { ...PASSING, passing: false })
  const stumbles = [1, 2, 3].map(() => {
    backoff.failed('a', PASSING)
    return backoff.isStumbling('a', 2)
  })
  expect([...stumbles, backoff.isStumbling('final', 2), backoff.isStumbling('b', 2)]).toEqual([
    ...[true, true, false],
    ...[false, false],
  ])
})
