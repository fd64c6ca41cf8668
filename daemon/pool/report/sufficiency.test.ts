import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Shortage } from './exhaustion.ts'
import { type NodeCondition, nextLook, type SufficiencyFacts, sufficiency } from './sufficiency.ts'

const EMPTY: Shortage = {
  resource: 'vswitch',
  key: 'vswitch',
  limit: 'no free address in vsw-h',
  advice: 'add a vSwitch',
}
const QUIET: SufficiencyFacts = { waiting: 0, turnedAway: 0, free: 0, shortages: [], grown: false }

/** The conditions after each of the looks. */
function looks(...all: readonly (readonly [at: number, facts: Partial<SufficiencyFacts>])[]): NodeCondition[] {
  let condition: NodeCondition | undefined
  return all.map(([at, facts]) => {
    condition = sufficiency(condition, { ...QUIET, ...facts }, at)
    return condition
  })
}

const statuses = (conditions: readonly NodeCondition[]) => conditions.map(({ status, since }) => [status, since])

test('a pool that begins is sufficient, without a free address as well: it grows when pods come', () => {
  expect(looks([5, {}])).toEqual([
    {
      ...{ type: 'SufficientIP', status: 'True', reason: 'SufficientIP', message: 'pods can be given addresses' },
      ...{ since: 5, seen: 5 },
    },
  ])
})

test('a pod that is turned away makes it insufficient, and the message says what is missing and what to do', () => {
  expect(looks([0, {}], [7, { turnedAway: 1, shortages: [EMPTY] }])[1]).toEqual({
    ...{ type: 'SufficientIP', status: 'False', reason: 'InsufficientIP', since: 7, seen: 7 },
    message: 'no free address in vsw-h; add a vSwitch',
  })
})

test.each<[string, Partial<SufficiencyFacts>, NodeCondition['status']]>([
  ['a pod waits and nothing can grow', { waiting: 1, shortages: [EMPTY] }, 'False'],
  ['a pod waits for what is on its way', { waiting: 1 }, 'True'],
  ['a pod waits for a moment although there is one free', { waiting: 1, free: 1, shortages: [EMPTY] }, 'True'],
  ['nothing can grow and nobody asks', { shortages: [EMPTY] }, 'True'],
])('%s', (_, facts, status) => {
  expect(looks([0, facts])[0]?.status).toBe(status)
})

test('it is sufficient again with a free address, not before 30 s after the last pod without one', () => {
  const free = { free: 3, shortages: [EMPTY] }
  const short = { turnedAway: 1, shortages: [EMPTY] }
  expect(statuses(looks([1, short], [10_000, free], [20_000, short], [49_999, free], [50_000, free]))).toEqual([
    ['False', 1],
    ['False', 1],
    ['False', 1],
    ['False', 1],
    ['True', 50_000],
  ])
})

test('it is sufficient again when the pool has grown, and not because nothing is refused at the moment', () => {
  const short = { turnedAway: 1, shortages: [EMPTY] }
  const grown = { grown: true }
  expect(statuses(looks([1, short], [20_000, grown], [3_600_000, {}], [3_600_001, grown]))).toEqual([
    ['False', 1],
    ['False', 1],
    ['False', 1],
    ['True', 3_600_001],
  ])
})

test('what is told stays while nobody knows better', () => {
  const [, second] = looks([0, { turnedAway: 1, shortages: [EMPTY] }], [1, { turnedAway: 1 }])
  expect(second).toMatchObject({ status: 'False', seen: 1, message: 'no free address in vsw-h; add a vSwitch' })
  expect(looks([0, { turnedAway: 1 }])[0]?.message).toMatch(/terway-cli show/)
})

test('the next look is when the hold is over', () => {
  const [good, bad] = looks([0, {}], [7, { turnedAway: 1 }]) as [NodeCondition, NodeCondition]
  expect([nextLook(good), nextLook(bad)]).toEqual([undefined, 30_007])
})

test('a clock that was set back does not hold it for ever', () => {
  expect(statuses(looks([3_600_000, { turnedAway: 1 }], [0, { free: 1 }]))[1]).toEqual(['True', 0])
})

test('whatever happens: no two changes for the better within 30 s, and no pod turned away in a good one', () => {
  const facts = fc.record({
    ...{ waiting: fc.nat(2), turnedAway: fc.nat(1), free: fc.nat(2), grown: fc.boolean() },
    shortages: fc.constantFrom([], [EMPTY]),
  })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20_000), facts), { minLength: 1 }), (steps) => {
      let now = 0
      let better = -Infinity
      let condition: NodeCondition | undefined
      for (const [pause, found] of steps) {
        now += pause
        const next = sufficiency(condition, found, now)
        if (found.turnedAway > 0) expect(next.status).toBe('False')
        if (next.status === condition?.status) expect(next.since).toBe(condition.since)
        else expect(next.since).toBe(now)
        if (condition?.status === 'False' && next.status === 'True') {
          expect(now - better).toBeGreaterThanOrEqual(30_000)
          better = now
        }
        condition = next
      }
    }),
  )
})
