import { expect, test } from '@jest/globals'
import { Budget } from '../../cloud/budget/budget.ts'
import { createCloud } from '../../cloud/cloud.ts'
import { type InstanceId, parseCloudId } from '../../cloud/ids.ts'
import { testRegion } from '../simulator/region.ts'
import { budgeted } from './budgeted.ts'
import { VirtualRegion } from './virtual-region.ts'
import { VirtualTime } from './virtual-time.ts'

const INSTANCE = parseCloudId<InstanceId>('i-sim-a')

/** Looks at the ENIs through a budget of ten a minute, of which two may come at once. */
function started(throttle: Readonly<Record<string, number>> = {}) {
  const time = new VirtualTime()
  const region = new VirtualRegion({ region: testRegion({ throttle }), time })
  const process = time.process()
  const conf = { perAction: { DescribeNetworkInterfaces: 10 }, burstSize: 2 }
  const budget = new Budget({ conf, clock: process, random: () => 0.5 })
  const cloud = createCloud(budgeted(region.transport(process), budget), { clock: process })
  const begin = time.steady()
  const look = async () => {
    await cloud.describeEnis({ instanceId: INSTANCE })
    return time.steady() - begin
  }
  return { time, region, process, budget, look }
}

test('calls come at the pace of the budget', async () => {
  const { time, look } = started()
  const looks = Array.from({ length: 5 }, look)
  // Two at once, and the rest of the ten in a minute: (10 - 2 + 1) / 60 a second.
  const pause = 60_000 / 9
  const times = await time.complete(Promise.all(looks), 60_000)
  expect(times.map((at) => Math.floor(at / pause))).toEqual([0, 0, 1, 2, 3])
})

test('a throttled answer slows the budget down, later successes bring it back', async () => {
  const { time, budget, look } = started({ DescribeNetworkInterfaces: 1 })
  const share = () => budget.snapshot().map(({ perSecond, configuredPerSecond }) => perSecond / configuredPerSecond)
  await time.complete(look(), 60_000)
  await expect(time.complete(look(), 60_000)).rejects.toMatchObject({ code: 'Throttling.User', kind: 'throttled' })
  expect(share()).toEqual([0.5])
  await time.run(60_000)
  await time.complete(look(), 60_000)
  const [risen = 0] = share()
  expect(risen).toBeGreaterThan(0.5)
})

test('who dies in line calls nobody', async () => {
  const { time, region, process, look } = started()
  const looks = Promise.all(Array.from({ length: 5 }, look))
  await time.run(1_000)
  process.kill()
  await expect(time.complete(looks, 600_000)).rejects.toThrow('not done')
  expect(region.counts.get('DescribeNetworkInterfaces')).toBe(2)
})
