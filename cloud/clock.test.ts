import { describe, expect, test } from '@jest/globals'
import { fastClock, REAL_CLOCK } from './clock.ts'

const HOUR = 3_600_000

describe('a sleep', () => {
  test('ends with the signal’s reason as soon as it aborts', async () => {
    const caller = new AbortController()
    const pending = REAL_CLOCK.sleep(HOUR, caller.signal)
    caller.abort('gone')
    await expect(pending).rejects.toBe('gone')
    await expect(REAL_CLOCK.sleep(HOUR, caller.signal)).rejects.toBe('gone')
  })

  test('that is longer than a timer can be does not end at once', async () => {
    const caller = new AbortController()
    const pending = REAL_CLOCK.sleep(Number.POSITIVE_INFINITY, caller.signal)
    await REAL_CLOCK.sleep(5)
    caller.abort('still asleep')
    await expect(pending).rejects.toBe('still asleep')
  })
})

test('a fast clock sleeps an hour while the machine’s goes on by a moment', async () => {
  const clock = fastClock(HOUR / 10)
  const [before, real] = [clock.now(), Date.now()]
  await clock.sleep(HOUR)
  // A timer may be a millisecond early, which is 6 minutes here.
  expect(clock.now() - before).toBeGreaterThan(HOUR / 2)
  expect(Date.now() - real).toBeLessThan(HOUR / 2)
})
