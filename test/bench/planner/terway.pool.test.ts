/** The pool on the planner's traces: the real one, so what the documentation says of it is looked at here. */
import { describe, expect, test } from '@jest/globals'
import { ORIGINALS } from './original.ts'
import type { Score } from './score.ts'
import type { Strategy } from './strategy.ts'
import { OURS } from './terway.ts'
import { churn1000, traces } from './trace.ts'

/** The first is one of those that the strategy was made with; the second it had not seen. */
const [KNOWN, UNSEEN] = [1, 6]
/** What a mean may be longer by on a day that was not seen before, ms: a fraction of one pod in a hundred. */
const A_MOMENT = 1

const [fixed, adaptive] = OURS
const [original] = ORIGINALS
const WAITS = 240_000

/** Of every trace, in their order. */
async function scores(strategy: Strategy | undefined, seed: number): Promise<Score[]> {
  if (strategy === undefined) throw new Error('there is no such strategy')
  const all: Score[] = []
  for (const trace of traces(seed)) all.push(await strategy.run(trace, seed))
  return all
}

const waited = (all: readonly Score[]) => all.reduce((sum, { pods, wait }) => sum + pods * wait.mean, 0)

describe.each([
  ['a day it was made with', KNOWN, 0],
  ['a day it had not seen', UNSEEN, A_MOMENT],
])('the adaptive strategy on %s, against fixed watermarks', (_, seed, moment) => {
  test(
    'on every trace fewer addresses lie idle and pods wait no longer; in all they wait less than half as long',
    async () => {
      const [watermarks, ours] = [await scores(fixed, seed), await scores(adaptive, seed)]
      for (const [index, score] of ours.entries()) {
        const other = watermarks[index]
        expect(score.idleAddressHours).toBeLessThan(other?.idleAddressHours ?? 0)
        expect(score.wait.mean).toBeLessThanOrEqual((other?.wait.mean ?? 0) + moment)
        expect(score.unserved).toBe(0)
      }
      expect(waited(ours)).toBeLessThan(waited(watermarks) / 2)
    },
    WAITS,
  )

  test(
    'and less than with the original’s pool of the same watermarks, with fewer addresses',
    async () => {
      const [theirs, ours] = [await scores(original, seed), await scores(adaptive, seed)]
      const idle = (all: readonly Score[]) => all.reduce((sum, { idleAddressHours }) => sum + idleAddressHours, 0)
      expect(waited(ours)).toBeLessThan(waited(theirs))
      expect(idle(ours)).toBeLessThan(idle(theirs))
    },
    WAITS,
  )
})

test(
  'a thousand pods one after the other cost less than one call for ten, every kind of call counted',
  async () => {
    for (const strategy of OURS) {
      const score = await strategy.run(churn1000(), KNOWN)
      expect(score.callsPerPod).toBeLessThanOrEqual(0.1)
      expect(score.waited).toBe(0)
    }
  },
  WAITS,
)

test(
  'the same trace and seed give the same score',
  async () => {
    const [first] = OURS.map((strategy) => () => strategy.run(churn1000(), 3))
    const score = await first?.()
    expect(score?.pods).toBe(1_000)
    expect(await first?.()).toEqual(score)
  },
  WAITS,
)
