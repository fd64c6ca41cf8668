import { expect, test } from '@jest/globals'
import { ImpossibleError, ModelCloud, type ModelEni } from './model-cloud.ts'
import type { Outage } from './trace.ts'
import { type Process, VirtualTime } from './virtual-time.ts'

/** Runs the process to its end on a cloud of its own. */
function on(run: (cloud: ModelCloud, time: VirtualTime) => Process, outages: readonly Outage[] = []): ModelCloud {
  const time = new VirtualTime()
  const cloud = new ModelCloud(time, outages)
  let isDone = false
  time.start(
    (function* () {
      yield* run(cloud, time)
      isDone = true
    })(),
  )
  time.run(1_000_000)
  expect(isDone).toBe(true)
  return cloud
}

function* attached(cloud: ModelCloud, addresses: number): Process<ModelEni> {
  const eni = yield* cloud.create(addresses)
  if (eni === undefined) throw new Error('not created')
  yield* cloud.attach(eni)
  yield 4000
  return eni
}

// Given back and unassigned in one moment: the third address is never idle again.
test('an ENI with three addresses, one of them used for ten seconds', () => {
  const cloud = on(function* (cloud) {
    const eni = yield* attached(cloud, 2)
    const [address] = (yield* cloud.assign(eni, 1)) ?? []
    if (address === undefined) throw new Error('not assigned')
    cloud.hold(address)
    yield 10_000
    cloud.release(address)
    yield* cloud.unassign([address])
    yield* cloud.detach(eni)
    expect(yield* cloud.delete(eni)).toBe(false)
    yield 3000
    expect(yield* cloud.delete(eni)).toBe(true)
  })
  expect(cloud.idle).toEqual([
    { at: 0, value: 2 },
    { at: 4500, value: 3 },
    { at: 5000, value: 2 },
    { at: 20_000, value: 0 },
  ])
  expect(cloud.enis).toEqual([
    { at: 0, value: 1 },
    { at: 20_000, value: 0 },
  ])
  expect(cloud.calls.map(({ name, at, isFailed }) => [name, at, isFailed])).toEqual([
    ['create', 0, false],
    ['attach', 500, false],
    ['assign', 4500, false],
    ['unassign', 15_000, false],
    ['detach', 15_500, false],
    ['delete', 15_500, true],
    ['delete', 18_500, false],
  ])
})

test('while the API is away calls fail after half a second and change nothing', () => {
  const cloud = on(
    function* (cloud, time) {
      expect(yield* cloud.create(5)).toBeUndefined()
      expect(time.now).toBe(500)
      yield 500
      expect(yield* cloud.create(5)).toBeDefined()
    },
    [{ from: 0, until: 1000 }],
  )
  expect(cloud.calls.map(({ isFailed }) => isFailed)).toEqual([true, false])
  expect(cloud.idle).toEqual([{ at: 1000, value: 5 }])
})

test('what cannot be is refused', () => {
  on(function* (cloud) {
    const unattached = yield* cloud.create(2)
    const [early] = unattached?.addresses ?? []
    const eni = yield* attached(cloud, 2)
    const [primary, secondary] = [...eni.addresses]
    if (early === undefined || primary === undefined || secondary === undefined) throw new Error('not created')
    expect(() => cloud.hold(early)).toThrow(ImpossibleError)
    cloud.hold(secondary)
    expect(() => cloud.hold(secondary)).toThrow('one address for two pods')
    expect(() => cloud.release(primary)).toThrow('nobody holds')
    expect(() => cloud.unassign([secondary]).next()).toThrow('cannot be unassigned')
    expect(() => cloud.unassign([primary]).next()).toThrow('cannot be unassigned')
    expect(() => cloud.assign(eni, 29).next()).toThrow('full')
    for (let i = 0; i < 6; i++) yield* attached(cloud, 1)
    expect(unattached && (yield* cloud.attach(unattached))).toBe(false)
  })
})
