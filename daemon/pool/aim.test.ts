import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { aimAt } from './aim.ts'
import { type Forecast, NO_PAST } from './history.ts'
import { type PoolLimits, poolLimits } from './settings.ts'

const LIMITS = poolLimits({ maxEnis: 7, addressesPerEni: 30, minFree: 10, maxFree: 25 })
const ADAPTIVE = { ...LIMITS, strategy: 'adaptive' } as const
const QUIET: Forecast = { perSecond: 0, burst: 0, soon: 0, peak: 0, isDense: false, lead: 0 }

interface Situation {
  readonly forecast?: Partial<Forecast>
  readonly recent?: number
  readonly owned?: number
}

const aim = (limits: PoolLimits, { forecast, recent = 0, owned = 0 }: Situation = {}) =>
  aimAt(limits, { ...NO_PAST, recent, forecast: { ...QUIET, ...forecast } }, owned)

describe('fixed', () => {
  test('on a quiet node: the lower watermark, and down to it what is idle', () => {
    expect(aim(LIMITS)).toEqual({ floor: 10, fill: 10, rest: 10, ceiling: 25, enis: 0, headroom: 0 })
  })

  test('where pods come and go: more at once, and what is likely to be needed is not idle', () => {
    // 0.1 a second for 300 seconds, 40 pods: 1.3 · √(2 · 30) = 10.07
    expect(aim(LIMITS, { forecast: { perSecond: 0.1 }, owned: 40 })).toMatchObject({ floor: 10, fill: 16, rest: 21 })
    // No more can come than go when there are few: 1.3 · √(2 · 2) = 2.6
    expect(aim(LIMITS, { forecast: { perSecond: 0.1 }, owned: 2 })).toMatchObject({ fill: 12, rest: 13 })
    expect(aim(LIMITS, { recent: 9 })).toMatchObject({ floor: 10, fill: 19, rest: 10 })
  })

  test('a reserve raises the floor, up to the upper watermark', () => {
    expect(aim({ ...LIMITS, reserve: 0.2 }, { owned: 100 }).floor).toBe(20)
    expect(aim({ ...LIMITS, reserve: 0.2 }, { owned: 200 }).floor).toBe(25)
  })
})

describe('adaptive', () => {
  test('on a quiet node it keeps nothing ready', () => {
    expect(aim(ADAPTIVE)).toEqual({ floor: 0, fill: 1, rest: 2, ceiling: 3, enis: 0, headroom: 0 })
  })

  test('what may be needed while the cloud is away', () => {
    expect(aim(ADAPTIVE, { forecast: { perSecond: 0.1 }, owned: 40 })).toMatchObject({
      floor: 10,
      fill: 14,
      ceiling: 22,
    })
  })

  test('the slower the cloud, the more', () => {
    // 0.5 · 20 come meanwhile; of four pods 1.3 · √(2 · 4) more may come than go.
    expect(aim(ADAPTIVE, { forecast: { perSecond: 0.5, lead: 20 }, owned: 4 }).floor).toBe(10)
    expect(aim(ADAPTIVE, { forecast: { perSecond: 0.5, lead: 0.5 }, owned: 4 }).floor).toBe(4)
  })

  test('a burst that is due, and places for one that is not', () => {
    const due = { burst: 20, soon: 20, peak: 100 }
    expect(aim(ADAPTIVE, { forecast: due })).toMatchObject({
      floor: 20,
      fill: 20,
      rest: 20,
      ceiling: 20,
      headroom: 100,
    })
    expect(aim(ADAPTIVE, { forecast: { soon: 20, peak: 20 } })).toMatchObject({ floor: 0, rest: 20, headroom: 20 })
    expect(aim(ADAPTIVE, { forecast: { burst: 4, soon: 4, peak: 4 } }).floor).toBe(10)
  })

  test('bursts within minutes of each other: as the watermarks say, for their addresses come back', () => {
    const forecast = { burst: 24, soon: 24, peak: 24, isDense: true }
    expect(aim(ADAPTIVE, { forecast, recent: 8 })).toMatchObject({ floor: 10, fill: 18, rest: 24, ceiling: 24 })
  })

  test('where each pod has an ENI of its own, places are not kept besides', () => {
    expect(aim({ ...ADAPTIVE, kind: 'exclusive' }, { forecast: { peak: 20 } }).headroom).toBe(0)
  })
})

test('whatever the situation, the figures are in order and within the upper watermark', () => {
  const any = { min: 0, max: 1_000, noNaN: true }
  fc.assert(
    fc.property(
      fc.record({
        perSecond: fc.double({ ...any, max: 50 }),
        burst: fc.nat(500),
        soon: fc.nat(500),
        peak: fc.nat(500),
      }),
      fc.constantFrom('fixed', 'adaptive'),
      fc.record({ recent: fc.nat(500), owned: fc.nat(500), reserve: fc.double({ ...any, max: 1 }) }),
      (forecast, strategy, { recent, owned, reserve }) => {
        const soon = Math.max(forecast.soon, forecast.burst)
        const limits: PoolLimits = { ...LIMITS, strategy, reserve }
        const { floor, fill, rest, ceiling } = aim(limits, { forecast: { ...forecast, soon }, recent, owned })
        expect(0 <= floor && floor <= fill && floor <= rest && fill <= ceiling && rest <= ceiling).toBe(true)
        expect(ceiling).toBeLessThanOrEqual(LIMITS.maxFree)
      },
    ),
  )
})
