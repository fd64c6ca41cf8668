import { describe, expect, test } from '@jest/globals'
import { BurstClock } from './burst-clock.ts'

const MINUTE = 60_000
const START = 1_000 * MINUTE

/** Bursts of so many pods at so many minutes, each within two seconds. */
function after(...bursts: readonly (readonly [minute: number, pods: number])[]): BurstClock {
  const clock = new BurstClock()
  for (const [minute, pods] of bursts) {
    for (let i = 0; i < pods; i++) clock.arrived(START + minute * MINUTE + (i * 2_000) / pods)
  }
  return clock
}

const at = (clock: BurstClock, minute: number) => clock.expected(START + minute * MINUTE)

test('nothing seen, nothing expected; three pods are no burst', () => {
  expect(new BurstClock().expected(START)).toMatchObject({ size: 0, soon: 0, largest: 0, isKnown: false })
  expect(at(after([0, 3], [10, 3]), 11)).toMatchObject({ size: 0, largest: 0 })
})

describe('bursts with a period', () => {
  const clock = after([0, 20], [30, 12], [60, 20])

  test('are not expected right after one, and are from three quarters of the shortest pause on', () => {
    expect(at(clock, 61).size).toBe(0)
    expect(at(clock, 82).size).toBe(0)
    expect(at(clock, 83).size).toBe(20)
    expect(at(clock, 90).size).toBe(20)
  })

  test('nor when one and a half times the longest pause has passed', () => {
    expect(at(clock, 104).size).toBe(20)
    expect(at(clock, 106)).toMatchObject({ size: 0, soon: 0, largest: 20 })
  })

  test('what is there for the next one stays ten minutes before', () => {
    expect(at(clock, 72).soon).toBe(0)
    expect(at(clock, 73).soon).toBe(20)
  })

  test('the answer says when it will be another one', () => {
    expect(at(clock, 61).changesAt).toBe(START + 82.5 * MINUTE)
    expect(at(clock, 90).changesAt).toBe(START + 105 * MINUTE + 1)
    expect(at(clock, 110).changesAt).toBeUndefined()
  })
})

test('of a burst under way what has come already does not come again', () => {
  const clock = after([0, 20], [30, 20])
  for (let i = 0; i < 5; i++) clock.arrived(START + 53 * MINUTE)
  expect(at(clock, 53)).toMatchObject({ size: 15, soon: 20 })
  for (let i = 0; i < 15; i++) clock.arrived(START + 53 * MINUTE)
  expect(at(clock, 53).size).toBe(0)
  // Larger than all before: half as many again.
  for (let i = 0; i < 20; i++) clock.arrived(START + 53 * MINUTE)
  expect(at(clock, 53)).toMatchObject({ size: 20, isDense: true })
})

test('those within minutes of each other are dense, and for an hour another one is possible; a flow is none', () => {
  const clock = after([0, 20], [5, 20], [10, 20])
  expect(at(clock, 11)).toMatchObject({ isDense: true, soon: 20 })
  expect(at(clock, 69).soon).toBe(20)
  expect(at(clock, 71).soon).toBe(0)
  const flow = new BurstClock()
  for (let second = 0; second < 60; second++) flow.arrived(START + second * 1_000)
  expect(at(flow, 1).isDense).toBe(false)
})

test('after the only one another is possible for half an hour', () => {
  const clock = after([0, 20])
  expect(at(clock, 20).size).toBe(20)
  expect(at(clock, 31).size).toBe(0)
})

test('the last eight count, for a day and some hours', () => {
  const clock = after([0, 50], ...Array.from({ length: 9 }, (_, i) => [10 * (i + 1), 6] as const))
  expect(at(clock, 95).largest).toBe(6)
  expect(at(clock, 95 + 27 * 60).largest).toBe(0)
})

test('a clock that is set back forgets what is to come', () => {
  expect(at(after([60, 20]), 0).size).toBe(0)
})
