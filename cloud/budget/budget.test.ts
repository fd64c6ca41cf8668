/** The budget on a clock that the tests move. */
import { beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ManualClock } from '../../test/credentials/clocks.ts'
import type { Permit } from './action-queue.ts'
import { Budget, type BudgetOptions } from './budget.ts'
import { limitOf, type RateLimitConf } from './limits.ts'
import { PRIORITIES, type Priority } from './priority.ts'

const ACTION = 'CreateNetworkInterface'

let clock: ManualClock
/** Names of those admitted, in order, and their permits. */
let admitted: string[]
let permits: Permit[]

beforeEach(() => {
  clock = new ManualClock()
  admitted = []
  permits = []
})

const budgetOf = (conf: RateLimitConf, random: BudgetOptions['random'] = () => 0): Budget =>
  new Budget({ conf, clock, random })
/** Sixty calls a minute, one at once: exactly one a second. */
const ONE_A_SECOND: RateLimitConf = { perAction: { [ACTION]: 60 }, burstSize: 1 }

function call(budget: Budget, name: string, priority: Priority = 'pod', signal?: AbortSignal): Promise<void> {
  const turn = budget.acquire(ACTION, { priority, ...(signal === undefined ? {} : { signal }) })
  return turn.then((permit) => {
    admitted.push(name)
    permits.push(permit)
  })
}

const calls = (budget: Budget, count: number): Promise<void>[] =>
  Array.from({ length: count }, (_, index) => call(budget, String(index)))

describe('turns', () => {
  test('a burst starts at once, the rest as tokens come back; each is told how long it waited', async () => {
    const budget = budgetOf({ perAction: { [ACTION]: 122 }, burstSize: 3 })
    const all = calls(budget, 5)
    await clock.pass(0)
    expect(admitted).toHaveLength(3)
    await clock.pass(499)
    expect(admitted).toHaveLength(3)
    await clock.pass(1)
    expect(admitted).toHaveLength(4)
    await clock.pass(500)
    await Promise.all(all)
    expect(permits.map(({ waited }) => waited)).toEqual([0, 0, 0, 500, 1_000])
    expect(clock.pending).toEqual([])
  })

  test('every action has a line of its own', async () => {
    const budget = budgetOf({ perAction: { [ACTION]: 1 } })
    await call(budget, 'first')
    const second = call(budget, 'second')
    expect((await budget.acquire('DeleteNetworkInterface', { priority: 'clean-up' })).waited).toBe(0)
    expect(admitted).toEqual(['first'])
    await clock.pass(60_000)
    await second
  })

  test('a pod goes before who was there first', async () => {
    const budget = budgetOf(ONE_A_SECOND)
    await call(budget, 'first')
    const rest = [call(budget, 'clean', 'clean-up'), call(budget, 'warm', 'prewarm'), call(budget, 'pod', 'pod')]
    expect(budget.snapshot()).toMatchObject([{ action: ACTION, waiting: { pod: 1, prewarm: 1, 'clean-up': 1 } }])
    await clock.pass(3_000)
    await Promise.all(rest)
    expect(admitted).toEqual(['first', 'pod', 'warm', 'clean'])
  })

  test('who becomes urgent in line goes first from then on', async () => {
    const budget = budgetOf(ONE_A_SECOND)
    await call(budget, 'first')
    let urgent = false
    const turn = budget.acquire(ACTION, { priority: () => (urgent ? 'pod' : 'prewarm') })
    const rest = [call(budget, 'pod'), turn.then(() => admitted.push('warm')), call(budget, 'late pod')]
    expect(budget.snapshot()).toMatchObject([{ waiting: { pod: 2, prewarm: 1, 'clean-up': 0 } }])
    await clock.pass(1_000)
    urgent = true
    expect(budget.snapshot()).toMatchObject([{ waiting: { pod: 2, prewarm: 0, 'clean-up': 0 } }])
    await clock.pass(2_000)
    await Promise.all(rest)
    expect(admitted).toEqual(['first', 'pod', 'warm', 'late pod'])
    expect((await turn).priority).toBe('pod')
  })

  test('who gives up leaves the line at once, takes no token and leaves no timer', async () => {
    const budget = budgetOf(ONE_A_SECOND)
    await call(budget, 'first')
    const caller = new AbortController()
    const turn = call(budget, 'gone', 'pod', caller.signal)
    caller.abort('too late')
    await expect(turn).rejects.toBe('too late')
    expect(clock.pending).toEqual([])
    await clock.pass(1_000)
    await call(budget, 'next')
    expect(admitted).toEqual(['first', 'next'])
    await expect(call(budget, 'never in line', 'pod', caller.signal)).rejects.toBe('too late')
    expect(budget.snapshot()).toMatchObject([{ waiting: { pod: 0 } }])
  })

  test('a clock that is set gives nothing back and takes nothing away but the time it jumped over', async () => {
    const budget = budgetOf(ONE_A_SECOND)
    await call(budget, 'first')
    const rest = [call(budget, 'second'), call(budget, 'third')]
    clock.jump(-3_600_000)
    await clock.pass(3_000)
    await Promise.all(rest)
    expect(admitted).toEqual(['first', 'second', 'third'])
  })
})

describe('a throttled answer', () => {
  const rate = (budget: Budget) => budget.snapshot()[0]?.perSecond

  test('halves the rate once for all calls that were under way', async () => {
    const budget = budgetOf({ perAction: { [ACTION]: 480 + 4 }, burstSize: 5 })
    await Promise.all(calls(budget, 5))
    expect(rate(budget)).toBe(8)
    for (const permit of permits) permit.throttled()
    expect(rate(budget)).toBe(4)
    const next = call(budget, 'next')
    await clock.pass(250)
    await next
    permits[0]?.succeeded()
    permits.at(-1)?.throttled()
    expect(rate(budget)).toBe(2)
  })

  test('closes the action for as long as it asks, and some more', async () => {
    const budget = budgetOf(ONE_A_SECOND, () => 0.5)
    await call(budget, 'first')
    permits[0]?.throttled(7_000)
    const next = call(budget, 'next')
    // The random half second, and two seconds for a token at half the rate.
    await clock.pass(9_499)
    expect(admitted).toEqual(['first'])
    await clock.pass(1)
    await next
  })

  test('makes those wait longer who wait already', async () => {
    const budget = budgetOf(ONE_A_SECOND)
    await call(budget, 'first')
    const next = call(budget, 'next')
    permits[0]?.throttled(5_000)
    await clock.pass(6_999)
    expect(admitted).toEqual(['first'])
    await clock.pass(1)
    await next
  })

  test('is forgotten slowly, by successes of later calls', async () => {
    const budget = budgetOf({ perAction: { [ACTION]: 480 }, burstSize: 1 })
    await call(budget, 'first')
    permits[0]?.throttled()
    const configured = budget.snapshot()[0]?.configuredPerSecond
    await clock.pass(10_000)
    expect(rate(budget)).toBe(4)
    await call(budget, 'second')
    permits[0]?.succeeded()
    expect(rate(budget)).toBe(4)
    permits[1]?.succeeded()
    expect(rate(budget)).toBeCloseTo(4.4)
    await clock.pass(600_000)
    await call(budget, 'third')
    permits[2]?.succeeded()
    expect(rate(budget)).toBe(configured)
  })
})

interface Arrival {
  /** After the one before, ms. */
  readonly gap: number
  readonly priority: Priority
  /** Ms until the caller gives up; undefined when it never does. */
  readonly patience: number | undefined
  readonly answer: 'succeeded' | 'throttled' | 'none'
}

const ARRIVAL: fc.Arbitrary<Arrival> = fc.record({
  gap: fc.oneof(fc.constant(0), fc.nat(3_000)),
  priority: fc.constantFrom(...PRIORITIES),
  patience: fc.option(fc.nat(5_000), { nil: undefined }),
  answer: fc.constantFrom('succeeded', 'throttled', 'none'),
})

/** Plays the arrivals; resolves to the moments of admission and the outcomes, when everybody has left. */
async function play(budget: Budget, arrivals: readonly Arrival[]) {
  const moments: number[] = []
  const outcomes: Promise<string>[] = []
  for (const { gap, priority, patience, answer } of arrivals) {
    await clock.pass(gap)
    const leaver = new AbortController()
    if (patience !== undefined) void clock.sleep(patience).then(() => leaver.abort())
    const turn = budget.acquire(ACTION, { priority, signal: leaver.signal }).then((permit) => {
      moments.push(clock.now())
      if (answer !== 'none') permit[answer]()
      return 'admitted'
    })
    outcomes.push(turn.catch(() => (patience === undefined ? 'lost' : 'left')))
  }
  while (clock.pending.length > 0) await clock.pass(600_000)
  return { moments, outcomes: await Promise.all(outcomes) }
}

test('whatever comes, no minute sees more than the limit, and everybody who stays has a turn', async () => {
  const conf = { calls: fc.integer({ min: 1, max: 90 }), burst: fc.integer({ min: 1, max: 100 }) }
  await fc.assert(
    fc.asyncProperty(fc.record(conf), fc.array(ARRIVAL, { maxLength: 150 }), async ({ calls, burst }, arrivals) => {
      clock = new ManualClock()
      const budget = budgetOf({ perAction: { [ACTION]: calls }, burstSize: burst }, () => 0.5)
      const { moments, outcomes } = await play(budget, arrivals)
      moments.forEach((moment, index) => {
        expect((moments[index + calls] ?? Number.POSITIVE_INFINITY) - moment).toBeGreaterThanOrEqual(60_000)
      })
      expect(outcomes).not.toContain('lost')
      expect(moments).toHaveLength(outcomes.filter((outcome) => outcome === 'admitted').length)
    }),
    { numRuns: 60 },
  )
})

const EAGER: Arrival = { gap: 0, priority: 'pod', patience: undefined, answer: 'none' }

test('no token is lost: a line is served at the configured rate, and a rest fills the bucket again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 200 }), async (perMinute, count) => {
      clock = new ManualClock()
      const { perSecond, burst } = limitOf(perMinute)
      const budget = budgetOf({ perAction: { [ACTION]: perMinute } })
      const start = clock.now()
      const { moments } = await play(budget, Array<Arrival>(count).fill(EAGER))
      // A turn comes on a whole millisecond, and a bucket of one token cannot keep the rest of it.
      const inLine = Math.max(0, count - burst)
      expect((moments.at(-1) ?? 0) - start - inLine * (1000 / perSecond)).toBeLessThanOrEqual(inLine)
      await clock.pass(60_000 * burst)
      const again = await Promise.all(Array.from({ length: burst }, () => budget.acquire(ACTION, { priority: 'pod' })))
      expect(again.map(({ waited }) => waited)).toEqual(Array(burst).fill(0))
    }),
    { numRuns: 30 },
  )
})
