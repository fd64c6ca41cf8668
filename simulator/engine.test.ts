import { expect, test } from '@jest/globals'
import { NEW_ENI } from '../test/simulator/new-eni.ts'
import { NO_LATENCY, testRegion } from '../test/simulator/region.ts'
import { RegionClock } from './clock.ts'
import { Cloud } from './cloud/cloud.ts'
import { Engine } from './engine.ts'
import type { InstanceId } from './region/ids.ts'

function testEngine(follow: (cloud: Cloud) => Promise<void>) {
  const cloud = new Cloud({ region: testRegion({ latencies: { ...NO_LATENCY, attach: 20, link: 10 } }), now: Date.now })
  const errors: unknown[] = []
  const engine = new Engine({
    cloud,
    now: Date.now,
    follow: () => follow(cloud),
    onError: (error) => errors.push(error),
  })
  const create = () => cloud.createEni(NEW_ENI)
  return { cloud, engine, errors, create }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('transitions happen by themselves and the outside follows each', async () => {
  let time = Date.now()
  const latencies = { ...NO_LATENCY, attach: 20, link: 10 }
  const cloud = new Cloud({ region: testRegion({ latencies }), now: () => time })
  const seen: unknown[] = []
  const { promise: linked, resolve } = Promise.withResolvers<void>()
  const engine = new Engine({
    cloud,
    now: () => time,
    // Each step is due when the one before has been followed: however slow the machine is, no two happen at once.
    follow: async () => {
      const { state } = cloud.eni(id)
      seen.push(state)
      time += 20
      if (state.status === 'InUse' && state.linked) resolve()
    },
    onError: () => resolve(),
  })
  const { id } = cloud.createEni(NEW_ENI)
  await engine.changed()
  cloud.attachEni(id, 'i-sim-a' as InstanceId)
  await engine.changed()
  await linked
  await engine.stop()
  expect(seen).toMatchObject([
    { status: 'Available' },
    { status: 'Attaching' },
    { status: 'InUse', linked: false },
    { status: 'InUse', linked: true },
  ])
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

test('on a faster clock, transitions happen as much earlier', async () => {
  const { now } = new RegionClock(1000)
  const cloud = new Cloud({ region: testRegion({ latencies: { ...NO_LATENCY, attach: 60_000 } }), now })
  const { promise: inUse, resolve } = Promise.withResolvers<void>()
  const follow = async () => {
    if (cloud.enis().at(-1)?.state.status === 'InUse') resolve()
  }
  const engine = new Engine({ cloud, now, speed: 1000, follow, onError: () => resolve() })
  cloud.attachEni(cloud.createEni(NEW_ENI).id, 'i-sim-a' as InstanceId)
  await engine.changed()
  expect(cloud.enis().at(-1)?.state.status).toBe('Attaching')
  await inUse
  await engine.stop()
})
