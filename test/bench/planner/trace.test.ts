import { describe, expect, test } from '@jest/globals'
import { churn1000, ci, diurnal, outage, rollout, scaleToZero, steady, type Trace, traces } from './trace.ts'

const HOUR = 3_600_000

const live = ({ arrivals }: Trace, moment: number) =>
  arrivals.filter(({ at, until }) => at <= moment && moment < until).length
const meanLive = ({ arrivals }: Trace, from: number, until: number) =>
  arrivals.reduce((sum, pod) => sum + Math.max(0, Math.min(pod.until, until) - Math.max(pod.at, from)), 0) /
  (until - from)

describe.each(traces(1).map((trace) => [trace.name, trace] as const))('%s', (_name, trace) => {
  test('is in whole ms, in order, within the horizon and within the node', () => {
    const { arrivals, horizon } = trace
    expect(arrivals.length).toBeGreaterThan(100)
    for (const { at, until } of arrivals) {
      expect([at, until].every(Number.isSafeInteger)).toBe(true)
      expect(at >= 0 && at < until && at < horizon).toBe(true)
    }
    expect(arrivals.map(({ at }) => at)).toEqual(arrivals.map(({ at }) => at).sort((a, b) => a - b))
    const most = Math.max(...arrivals.map(({ at }) => live(trace, at)))
    expect(most).toBeLessThanOrEqual(7 * 29)
    expect(trace.description).not.toContain('\n')
  })
})

test('a seed is a trace', () => {
  expect(traces(5)).toEqual(traces(5))
  expect(steady(5).arrivals).not.toEqual(steady(6).arrivals)
})

test('steady has about 40 live pods once it has filled up', () => {
  const mean = meanLive(steady(3), HOUR, 8 * HOUR)
  expect(mean).toBeGreaterThan(35)
  expect(mean).toBeLessThan(45)
})

test('outage is the steady load with two outages of five minutes', () => {
  expect(outage(3).arrivals).toEqual(steady(3).arrivals)
  expect(outage(3).outages.map(({ from, until }) => until - from)).toEqual([300_000, 300_000])
})

test('diurnal is calm at midnight and busy at noon', () => {
  const trace = diurnal(3)
  expect(meanLive(trace, 0, 2 * HOUR)).toBeLessThan(12)
  const noon = meanLive(trace, 11 * HOUR, 13 * HOUR)
  expect(noon).toBeGreaterThan(65)
  expect(noon).toBeLessThan(95)
  expect(meanLive(trace, 23.5 * HOUR, 24 * HOUR)).toBeLessThan(15)
})

test('a roll-out replaces a hundred pods by a hundred, which it has all for a minute', () => {
  const trace = rollout()
  const second = 130 * 60_000
  expect([second - 1, second, second + 59_999, second + 60_000].map((moment) => live(trace, moment))).toEqual([
    100, 200, 200, 100,
  ])
  expect(trace.arrivals).toHaveLength(400)
})

test('ci works from nine to seven', () => {
  const { arrivals } = ci(3)
  const day = arrivals.filter(({ at }) => at >= 9 * HOUR && at < 19 * HOUR + 5000)
  expect(arrivals.length - day.length).toBeLessThan(20)
  expect(day.length).toBeGreaterThan(1500)
  expect(Math.min(...day.map(({ at }) => at))).toBeLessThan(9 * HOUR + 60_000)
  const lives = arrivals.map(({ at, until }) => until - at)
  expect(Math.min(...lives)).toBeGreaterThanOrEqual(60_000)
  expect(Math.max(...lives)).toBeLessThanOrEqual(360_000)
})

test('between two bursts of scale-to-zero there is nothing for 30 to 60 minutes', () => {
  const { arrivals } = scaleToZero(3)
  const bursts = [...Map.groupBy(arrivals, ({ at }) => at).values()]
  expect(bursts.every((burst) => burst.length === 20)).toBe(true)
  const pauses = bursts.slice(1).map((burst, index) => (burst[0]?.at ?? 0) - (bursts[index]?.[0]?.until ?? 0))
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(30 * 60_000)
  expect(Math.max(...pauses)).toBeLessThanOrEqual(60 * 60_000)
})

test('churn1000 has a thousand pods, thirty at a time', () => {
  const trace = churn1000()
  expect(trace.arrivals).toHaveLength(1000)
  expect(live(trace, 500_000)).toBe(30)
})
