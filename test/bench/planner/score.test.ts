import { expect, test } from '@jest/globals'
import { score } from './score.ts'

test('four pods, two of which waited, on a stair of idle addresses', () => {
  const result = score({
    waits: [0, 400, 0, 2000],
    unserved: 1,
    idle: [
      { at: 900_000, value: 4 },
      { at: 1_800_000, value: 2 },
      { at: 7_200_000, value: 9 },
    ],
    enis: [{ at: 0, value: 1 }],
    calls: { create: 1, describe: 2 },
    horizon: 3_600_000,
  })
  // 4 addresses for a quarter of an hour and 2 for half an hour; the last step is after the horizon.
  expect(result.idleAddressHours).toBeCloseTo(2)
  expect(result.eniHours).toBe(1)
  expect(result).toMatchObject({ pods: 4, unserved: 1, callsPerPod: 0.75, waited: 0.5 })
  expect(result.wait).toEqual({ mean: 600, p50: 0, p95: 2000, p99: 2000, max: 2000 })
})

test('percentiles are by nearest rank', () => {
  const waits = Array.from({ length: 200 }, (_, i) => 200 - i)
  const { wait } = score({ waits, unserved: 0, idle: [], enis: [], calls: {}, horizon: 1 })
  expect(wait).toEqual({ mean: 100.5, p50: 100, p95: 190, p99: 198, max: 200 })
})

test('no pods, no numbers', () => {
  const result = score({ waits: [], unserved: 0, idle: [], enis: [], calls: { create: 1 }, horizon: 1 })
  expect(result).toMatchObject({ pods: 0, callsPerPod: 0, waited: 0, wait: { mean: 0, max: 0 } })
})
