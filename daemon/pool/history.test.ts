import { describe, expect, test } from '@jest/globals'
import { DemandHistory } from './history.ts'
import { DEFAULT_IDLE, type IdleReclaim } from './settings.ts'

const MINUTE = 60_000
const START = 1_000 * MINUTE
const NONE = { idle: DEFAULT_IDLE, warmUp: undefined }

describe('idle addresses', () => {
  test('are those that were free all through the time-out', () => {
    const history = new DemandHistory()
    history.watch(START, 12, DEFAULT_IDLE)
    history.watch(START + MINUTE, 7, DEFAULT_IDLE)
    history.watch(START + 2 * MINUTE, 15, DEFAULT_IDLE)
    expect(history.view(START + 4 * MINUTE, NONE).spare).toBeUndefined()
    history.watch(START + 5 * MINUTE, 15, DEFAULT_IDLE)
    expect(history.view(START + 5 * MINUTE, NONE).spare).toBe(7)
    // The low of the second minute is forgotten five minutes after it.
    history.watch(START + 7.5 * MINUTE, 15, DEFAULT_IDLE)
    expect(history.view(START + 7.5 * MINUTE, NONE).spare).toBe(15)
  })

  test('a low between two looks lasts as long as nothing else is said', () => {
    const history = new DemandHistory()
    history.watch(START, 3, DEFAULT_IDLE)
    history.watch(START + 10 * MINUTE, 9, DEFAULT_IDLE)
    expect(history.view(START + 10 * MINUTE, NONE).spare).toBe(3)
  })

  test('what is given back is no longer spare, and the next batch waits', () => {
    const idle: IdleReclaim = { after: 5 * MINUTE, interval: 10 * MINUTE, batch: 5, jitter: 0.1 }
    const history = new DemandHistory(undefined, () => 0.5)
    history.watch(START, 12, idle)
    history.watch(START + 5 * MINUTE, 12, idle)
    history.reclaimed(START + 5 * MINUTE, 5, idle)
    const { spare, nextReclaim } = history.view(START + 5 * MINUTE, { idle, warmUp: undefined })
    expect({ spare, wait: nextReclaim - START }).toEqual({ spare: 7, wait: 15.5 * MINUTE })
  })

  test('a clock that is set back begins a new watch', () => {
    const history = new DemandHistory()
    history.watch(START, 12, DEFAULT_IDLE)
    history.watch(START - 60 * MINUTE, 12, DEFAULT_IDLE)
    expect(history.view(START - 56 * MINUTE, NONE).spare).toBeUndefined()
    history.watch(START - 55 * MINUTE, 12, DEFAULT_IDLE)
    expect(history.view(START - 55 * MINUTE, NONE).spare).toBe(12)
  })
})

test('recent are the addresses given in the last minute', () => {
  const history = new DemandHistory()
  for (const second of [0, 10, 50]) history.given(START + second * 1_000)
  expect(history.view(START + 55_000, NONE).recent).toBe(3)
  expect(history.view(START + 65_000, NONE).recent).toBe(2)
  expect(history.view(START + 115_000, NONE).recent).toBe(0)
})

test('a portion is spent and comes again', () => {
  const warmUp = { batch: 10, interval: MINUTE }
  const sizing = { idle: undefined, warmUp }
  const history = new DemandHistory()
  expect(history.view(START, sizing)).toMatchObject({ warmUpLeft: 10, nextWarmUp: undefined })
  history.warmed(START, 7, warmUp)
  expect(history.view(START + 1, sizing)).toMatchObject({ warmUpLeft: 3, nextWarmUp: START + MINUTE })
  history.warmed(START + 1, 3, warmUp)
  expect(history.view(START + 2, sizing).warmUpLeft).toBe(0)
  expect(history.view(START + MINUTE, sizing)).toMatchObject({ warmUpLeft: 10, nextWarmUp: undefined })
})

test('the rate follows the arrivals and is forgotten', () => {
  const history = new DemandHistory()
  for (let second = 0; second < 3_600; second += 10) history.arrived(START + second * 1_000)
  expect(history.view(START + 3_600_000, NONE).forecast.perSecond).toBeCloseTo(0.1, 2)
  expect(history.view(START + 3 * 3_600_000, NONE).forecast.perSecond).toBeLessThan(0.001)
})

test('before anything was seen a burst of the size given is expected, for a day', () => {
  const history = new DemandHistory(7)
  expect(history.view(START, NONE).forecast).toMatchObject({ burst: 7, soon: 7, peak: 7 })
  expect(history.view(START + 23 * 60 * MINUTE, NONE).forecast.burst).toBe(7)
  expect(history.view(START + 25 * 60 * MINUTE, NONE).forecast).toMatchObject({ burst: 0, soon: 0, peak: 0 })
})

test('what goes back goes together: not again for two minutes', () => {
  const history = new DemandHistory()
  expect(history.view(START, NONE).nextShrink).toBe(0)
  history.shrunk(START)
  expect(history.view(START, NONE).nextShrink).toBe(START + 2 * MINUTE)
})

test('the longest the cloud has taken of late, forgotten by half in ten minutes; an outage counts as a minute', () => {
  const history = new DemandHistory()
  const lead = (at: number) => history.view(at, NONE).forecast.lead
  expect(lead(START)).toBe(0)
  history.led(START, 4_500)
  history.led(START, 500)
  expect(lead(START)).toBe(4.5)
  expect(lead(START + 10 * MINUTE)).toBeCloseTo(2.25)
  history.led(START + 10 * MINUTE, 900_000)
  expect(lead(START + 10 * MINUTE)).toBe(60)
  expect(lead(START + 110 * MINUTE)).toBeLessThan(0.1)
})
