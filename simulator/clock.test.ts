import { expect, jest, test } from '@jest/globals'
import { RegionClock } from './clock.ts'

test('time passes as many times as fast as it is told to', () => {
  let real = 5000
  const clock = new RegionClock(20, () => real)
  const start = clock.now()
  expect(Math.abs(start - Date.now())).toBeLessThan(1000)
  real += 3000
  expect(clock.now() - start).toBe(60_000)
})

test('stop ends every sleep and lets none begin', async () => {
  const clock = new RegionClock()
  const sleeps = [clock.sleep(600_000), clock.sleep(600_000)]
  clock.stop()
  await Promise.all([...sleeps, clock.sleep(600_000)])
})

test('a sleep is as long in the region as it is told to be: the real one is divided', async () => {
  jest.useFakeTimers()
  try {
    const clock = new RegionClock(20)
    let woken = false
    const sleep = clock.sleep(60_000).then(() => {
      woken = true
    })
    await jest.advanceTimersByTimeAsync(2999)
    expect(woken).toBe(false)
    await jest.advanceTimersByTimeAsync(1)
    expect(woken).toBe(true)
    await sleep
  } finally {
    jest.useRealTimers()
  }
})

test('a sleep longer than any timer takes its time', async () => {
  jest.useFakeTimers()
  try {
    const clock = new RegionClock(0.02)
    let woken = false
    const sleep = clock.sleep(86_400_000).then(() => {
      woken = true
    })
    await jest.advanceTimersByTimeAsync(86_400_000 / 0.02 - 1)
    expect(woken).toBe(false)
    await jest.advanceTimersByTimeAsync(1)
    expect(woken).toBe(true)
    await sleep
  } finally {
    jest.useRealTimers()
  }
})

test('stop ends a sleep that is longer than any timer', async () => {
  const clock = new RegionClock(0.001)
  const sleep = clock.sleep(86_400_000)
  clock.stop()
  await sleep
})
