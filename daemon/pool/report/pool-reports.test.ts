/** What a whole pool tells of itself, on the simulated region in virtual time. */
import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { seededRandom } from '../../../simulator/faults/random.ts'
import { Outsider } from '../../../test/pool/outsider.ts'
import { VirtualNode } from '../../../test/pool/virtual-node.ts'
import { VirtualRegion } from '../../../test/pool/virtual-region.ts'
import { VirtualTime } from '../../../test/pool/virtual-time.ts'
import { testRegion } from '../../../test/simulator/region.ts'
import { PoolError } from '../error.ts'
import { type PoolLimits, poolLimits } from '../settings.ts'
import type { LoggedEvent } from './events.ts'
import { KeptReports } from './reports.ts'

const LATENCIES = { create: 600, attach: 2_500, link: 1_000, assign: 800 }
/** An ADD waits so long, ms. */
const PATIENCE = 30_000

interface Given extends Partial<PoolLimits> {
  readonly depletedAt?: number
}

class Stage {
  readonly time = new VirtualTime()
  readonly region: VirtualRegion
  readonly reports = new KeptReports(pino({ level: 'silent' }))
  readonly node: VirtualNode

  constructor({ depletedAt, ...limits }: Given = {}) {
    const { time, reports } = this
    this.region = new VirtualRegion({ region: testRegion({ latencies: LATENCIES }), time, seed: 1 })
    this.node = new VirtualNode({
      ...{ time, region: this.region, reports, random: seededRandom(1) },
      ...(depletedAt === undefined ? {} : { depletedAt }),
      limits: poolLimits({ maxEnis: 2, addressesPerEni: 3, minFree: 0, maxFree: 6, ...limits }),
    })
    // Ends with the daemon's life, which is the test's.
    void this.node.start()
  }

  /** Every call of the action fails from now on. */
  refuse(action: string, error: string, status = 403): void {
    this.region.fault({ select: { action }, effect: { error, status } })
  }

  /** @returns what it fails with; undefined when it gets its address */
  async add(name: string): Promise<PoolError | undefined> {
    const stop = new AbortController()
    this.time.after(PATIENCE, () => stop.abort(new DOMException('time is up', 'TimeoutError')))
    const added = this.node.add(name, { signal: stop.signal }).then(
      () => undefined,
      (error: unknown) => (error instanceof PoolError ? error : Promise.reject(error)),
    )
    return await this.time.complete(added, PATIENCE + 1_000)
  }

  get status() {
    return this.reports.current?.status
  }

  events(...reasons: readonly LoggedEvent['reason'][]): readonly LoggedEvent[] {
    return this.reports.events.latest.filter(({ reason }) => reasons.includes(reason))
  }

  async serving(): Promise<void> {
    await this.time.runUntil(() => this.node.serves, 60_000)
  }
}

async function stageOf(given: Given = {}): Promise<Stage> {
  const stage = new Stage(given)
  await stage.serving()
  return stage
}

/** All addresses of its ENI are in use, and there is no second one to be had. */
async function withOnePod(): Promise<Stage> {
  const stage = await stageOf({ maxEnis: 1 })
  expect(await stage.add('first')).toBeUndefined()
  return stage
}

test('an ADD that waits in vain while the API is away says why, is an event, and makes the node short', async () => {
  const stage = await withOnePod()
  stage.refuse('AssignPrivateIpAddresses', 'ServiceUnavailable', 503)
  const error = await stage.add('a')
  await stage.time.run(1_000)
  expect(error?.message).toMatch(/AssignPrivateIpAddresses failed with ServiceUnavailable/)
  expect(error?.advice).not.toMatch(/this machine/)
  expect(stage.status).toBe('False')
  expect(stage.reports.current?.message).toMatch(/ServiceUnavailable/)
  expect(stage.events('AllocIPFailed').some(({ pod }) => pod === 'ns/a')).toBe(true)
})

test('an ADD that nothing refuses and that is not served in time is an event all the same', async () => {
  const stage = await stageOf()
  stage.region.fault({ select: { action: 'CreateNetworkInterface' }, effect: { delay: 19_000 } })
  stage.region.fault({ select: { action: 'AttachNetworkInterface' }, effect: { delay: 19_000 } })
  const error = await stage.add('a')
  await stage.time.run(1_000)
  expect(error).toMatchObject({ reason: 'pool-timeout', message: 'no address became free in time' })
  expect(stage.status).toBe('False')
  expect(stage.events('AllocIPFailed')).toMatchObject([{ pod: 'ns/a', key: 'pool-timeout' }])
})

test('an ADD that nobody waits for any more is no event', async () => {
  const stage = await stageOf()
  const stop = new AbortController()
  const added = stage.node.add('a', { signal: stop.signal })
  stage.time.after(100, () => stop.abort(new Error('the pod is gone')))
  await expect(stage.time.complete(added, 1_000)).rejects.toThrow('the pod is gone')
  await stage.time.run(10_000)
  expect([stage.status, stage.events('AllocIPFailed')]).toEqual(['True', []])
})

test('a missing permission is told as one, not as a fault of this machine nor as a full node', async () => {
  const stage = await withOnePod()
  stage.refuse('AssignPrivateIpAddresses', 'Forbidden.RAM')
  const error = await stage.add('a')
  expect(error).toMatchObject({ reason: 'cloud-refused', key: 'Forbidden.RAM' })
  await stage.time.run(1_000)
  expect(stage.reports.current?.message).toMatch(/Forbidden\.RAM/)
  expect(stage.reports.current?.message).not.toMatch(/this machine|in use/)
  expect(stage.node.pool.blocked).toBe(true)
})

test('a full node says that it is', async () => {
  const stage = await withOnePod()
  expect([await stage.add('a'), await stage.add('b')]).toEqual([undefined, undefined])
  expect(await stage.add('c')).toMatchObject({ reason: 'pool-exhausted', key: 'full' })
  await stage.time.run(1_000)
  expect(stage.reports.current?.message).toMatch(/^all 3 pod addresses of this node are in use/)
  expect(stage.node.pool.blocked).toBe(false)
})

test('the end of a pause restores nothing; addresses do', async () => {
  const stage = await stageOf()
  stage.refuse('CreateNetworkInterface', 'QuotaExceeded')
  expect(await stage.add('a')).toMatchObject({ reason: 'cloud-refused', key: 'QuotaExceeded' })
  await stage.time.run(600_000)
  expect([stage.status, stage.node.pool.blocked]).toEqual(['False', false])
  stage.region.clearFaults()
  expect(await stage.add('a')).toBeUndefined()
  await stage.time.run(60_000)
  expect(stage.status).toBe('True')
  expect(stage.events('IPExhausted', 'IPRestored').map(({ reason, count }) => [reason, count])).toEqual([
    ['IPExhausted', 1],
    ['IPRestored', 1],
  ])
})

test('the same refusal time and again is one event, whatever its RequestId', async () => {
  const stage = await stageOf()
  stage.refuse('CreateNetworkInterface', 'QuotaExceeded')
  for (let round = 0; round < 3; round++) {
    await stage.add('a')
    await stage.time.run(90_000)
  }
  expect(stage.events('AllocIPFailed')).toMatchObject([{ count: 3, pod: 'ns/a' }])
  expect(stage.events('CreateENIFailed')).toMatchObject([{ count: 3, level: 'warning', key: 'QuotaExceeded' }])
})

test('the life of an ENI is told', async () => {
  const stage = await stageOf({ maxFree: 0 })
  await stage.add('a')
  stage.node.remove('a')
  await stage.time.runUntil(() => stage.node.enis().length === 0, 1_200_000)
  await stage.time.run(10_000)
  expect(stage.reports.events.latest.map(({ reason, eni }) => [reason, eni !== undefined])).toEqual([
    ['CreateENISucceed', true],
    ['AttachENISucceed', true],
    ['DetachENISucceed', true],
    ['DeleteENISucceed', true],
  ])
})

test('an attachment that fails is told with the ENI', async () => {
  const stage = await stageOf()
  stage.refuse('AttachNetworkInterface', 'EniPerInstanceLimitExceeded')
  expect(await stage.add('a')).toMatchObject({ reason: 'pool-exhausted', key: 'EniPerInstanceLimitExceeded' })
  expect(stage.events('AttachENIFailed')).toMatchObject([{ eni: expect.stringMatching(/^eni-/), count: 1 }])
})

test('an address that the cloud has taken from a pod is told of once', async () => {
  const stage = await withOnePod()
  await stage.add('second')
  const [eni] = stage.node.enis()
  const ip = eni?.secondaryIps[0]
  if (eni === undefined || ip === undefined) throw new Error('there is no secondary address')
  stage.node.noteTaken([ip])
  expect(new Outsider(stage.region, stage.time).unassign(eni.id, ip)).toBe(true)
  await stage.time.run(600_000)
  expect(stage.events('ResourceInvalid')).toMatchObject([{ level: 'warning', key: 'ghost', eni: eni.id, count: 1 }])
})

test('few free addresses are told of once each time they become few', async () => {
  const stage = await stageOf({ minFree: 5, depletedAt: 2 })
  await stage.time.run(60_000)
  expect(stage.events('IPDepleted')).toEqual([])
  for (const name of ['a', 'b', 'c', 'd']) await stage.add(name)
  await stage.time.run(60_000)
  expect(stage.events('IPDepleted')).toMatchObject([{ count: 1, level: 'warning' }])
})
