/** What the pool asks of the cloud while a thousand pods come and go, in virtual time: the same in every run. */
import { expect, test } from '@jest/globals'
import { terway } from '../bench/planner/terway.ts'
import { churn1000 } from '../bench/planner/trace.ts'
import { unlikeRecord } from './recorded.ts'

const SEED = 1
/** Calls per pod: `pool.calls.churn` of the performance budget. */
const BUDGET = 0.1

test.each(['fixed', 'adaptive'] as const)('calls for each pod of a churn, strategy %s', async (strategy) => {
  const { callsPerPod } = await terway(strategy, { strategy }, '').run(churn1000(), SEED)
  expect(callsPerPod).toBeLessThanOrEqual(BUDGET)
  expect(unlikeRecord(`churn.${strategy}`, { 'calls-per-pod': callsPerPod })).toEqual([])
})
