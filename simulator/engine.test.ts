import { expect, test } from '@jest/globals'
import { NO_LATENCY, testRegion } from '../test/simulator/region.ts'
import { Cloud } from './cloud/cloud.ts'
import { Engine } from './engine.ts'
import type { InstanceId, SecurityGroupId, VSwitchId } from './region/ids.ts'

function testEngine(follow: (cloud: Cloud) => Promise<void>) {
  const cloud = new Cloud({ region: testRegion({ latencies: { ...NO_LATENCY, attach: 20, link: 10 } }), now: Date.now })
  const errors: unknown[] = []
  const engine = new Engine({
    cloud,
    now: Date.now,
    follow: () => follow(cloud),
    onError: (error) => errors.push(error),
  })
  const create = () =>
    cloud.createEni({
      vSwitchId: 'vsw-sim-h' as VSwitchId,
      securityGroupIds: ['sg-sim' as SecurityGroupId],
      secondary: { count: 0 },
      name: '',
      description: '',
      tags: new Map(),
      deleteOnRelease: true,
    })
  return { cloud, engine, errors, create }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('transitions happen by themselves and the outside follows each', async () => {
  const seen: string[] = []
  const { engine, cloud, create } = testEngine(async (now) => {
    seen.push(now.enis().at(-1)?.state.status ?? '')
  })
  const { id } = create()
  await engine.changed()
  cloud.attachEni(id, 'i-sim-a' as InstanceId)
  await engine.changed()
  await sleep(200)
  await engine.stop()
  expect(seen).toEqual(['Available', 'Attaching', 'InUse', 'InUse'])
})

test('the outside follows one change after the other, and only changes', async () => {
  let running = 0
  let runs = 0
  const { engine, create } = testEngine(async () => {
    expect(++running).toBe(1)
    runs += 1
    await sleep(5)
    running -= 1
  })
  create()
  const first = engine.changed()
  create()
  await Promise.all([first, engine.changed(), engine.changed()])
  await engine.changed()
  expect(runs).toBe(2)
})

test('a failure is told and shown until the outside has followed; the next change is tried all the same', async () => {
  let broken = true
  const { engine, errors, create } = testEngine(async () => {
    if (broken) throw new Error('no link')
  })
  create()
  await engine.changed()
  expect([engine.failure, ...errors]).toEqual([new Error('no link'), new Error('no link')])
  broken = false
  create()
  await engine.changed()
  expect([engine.failure, errors.length]).toEqual([undefined, 1])
})

test('after stop nothing happens any more', async () => {
  let runs = 0
  const { engine, cloud, create } = testEngine(async () => {
    runs += 1
  })
  cloud.attachEni(create().id, 'i-sim-a' as InstanceId)
  await engine.changed()
  await engine.stop()
  await sleep(60)
  expect(runs).toBe(1)
})
