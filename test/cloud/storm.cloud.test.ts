/** What a bad hour of the cloud leaves behind: exactly what was asked for. */
import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from '@jest/globals'
import { limitOf } from '../../cloud/budget/limits.ts'
import type { CloudEni } from '../../cloud/ecs/eni.ts'
import type { CreateEni } from '../../cloud/ecs/eni-actions.ts'
import { isCloudError } from '../../cloud/error.ts'
import { parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { testRegion } from '../simulator/region.ts'
import { type AuditEntry, type Client, RegionUnderTest } from './region-under-test.ts'

let under: RegionUnderTest

afterEach(async () => {
  await under.stop()
})

/** Room for hundreds of ENIs. */
const WIDE = {
  vSwitches: [
    { id: 'vsw-sim-h', zone: 'cn-sim-h', cidr: '10.0.16.0/20' },
    { id: 'vsw-sim-i', zone: 'cn-sim-i', cidr: '10.0.2.0/24' },
  ],
  nodes: [],
}

function request(): CreateEni {
  return {
    vSwitchId: parseCloudId<VSwitchId>('vsw-sim-h'),
    securityGroupIds: [parseCloudId<SecurityGroupId>('sg-sim')],
    name: 'storm',
    tags: { creator: 'terway' },
    clientToken: randomUUID(),
  }
}

/** As the pool does it: the same request, token and all, until it has an answer that counts. */
async function createUntilDone({ cloud }: Client, wanted: CreateEni): Promise<CloudEni> {
  for (;;) {
    try {
      return await cloud.createEni(wanted, { priority: 'prewarm' })
    } catch (error) {
      if (!isCloudError(error, 'throttled', 'transient')) throw error
    }
  }
}

/** The most calls of any time that long, ms of the region's clock. */
function most(calls: readonly AuditEntry[], window: number): number {
  const times = calls.map((call) => Date.parse(call.time))
  return Math.max(...times.map((from) => times.filter((time) => time >= from && time < from + window).length))
}

test('half of all calls throttled for a minute: every ENI is made once, and no call is above the budget', async () => {
  const enis = 40
  /** Without a budget, the calls for all of them would come in a few seconds. */
  const perMinute = 60
  under = await RegionUnderTest.start(testRegion(WIDE), 40)
  await under.fault({ select: { probability: 0.5, for: 60_000 }, effect: { error: 'Throttling.User', status: 400 } })
  const client = under.client({ callTimeout: 600_000, rateLimit: { perAction: { CreateNetworkInterface: perMinute } } })
  const made = await Promise.all(Array.from({ length: enis }, () => createUntilDone(client, request())))

  expect(new Set(made.map((eni) => eni.id)).size).toBe(enis)
  expect((await under.enis()).map((eni) => eni.id).sort()).toEqual(made.map((eni) => String(eni.id)).sort())
  const calls = await under.audit('CreateNetworkInterface')
  const throttled = calls.filter((call) => call.code === 'Throttling.User')
  const perSuccess = (calls.length / enis).toFixed(2)
  console.log(`calls per success: ${perSuccess} (${calls.length} calls, ${throttled.length} throttled)`)
  // Every answer that was not throttled was an ENI: nothing was asked for twice.
  expect(calls.filter((call) => call.code === 'OK')).toHaveLength(enis)
  expect(throttled.length).toBeGreaterThan(0)
  const sent = client.calls.filter((call) => call.action === 'CreateNetworkInterface' && call.code !== 'BudgetTimeout')
  expect(calls).toHaveLength(sent.length)
  const { burst, perSecond } = limitOf(perMinute)
  // One more: a call comes to the audit some time after its turn.
  expect(most(calls, 60_000)).toBeLessThanOrEqual(perMinute + 1)
  for (const seconds of [10, 20])
    expect(most(calls, seconds * 1000)).toBeLessThanOrEqual(burst + perSecond * seconds + 1)
}, 120_000)

test('a time-out after the effect, a hundred times: nothing leaks', async () => {
  const enis = 100
  under = await RegionUnderTest.start(testRegion(WIDE))
  await under.fault({ select: { action: 'CreateNetworkInterface', times: enis }, effect: { timeout: 'after' } })
  const client = under.client({ attemptTimeout: 1_000, rateLimit: { perAction: { CreateNetworkInterface: 60_000 } } })
  const made = await Promise.all(Array.from({ length: enis }, () => createUntilDone(client, request())))

  // More when the machine is busy.
  expect(client.calls.filter((call) => call.code === 'Timeout').length).toBeGreaterThanOrEqual(enis)
  expect(new Set(made.map((eni) => eni.id)).size).toBe(enis)
  expect(await under.enis()).toHaveLength(enis)
  await Promise.all(made.map((eni) => client.cloud.deleteEni(eni.id)))
  const left = async () => (await client.cloud.describeEnis({ tags: { creator: 'terway' } })).length
  while ((await left()) > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await under.enis()).toEqual([])
}, 120_000)

test('a region that throttles for itself is left in peace by a client that has its rate', async () => {
  under = await RegionUnderTest.start(testRegion({ ...WIDE, throttle: { CreateNetworkInterface: 20 } }), 100)
  const client = under.client({ callTimeout: 600_000, rateLimit: { perAction: { CreateNetworkInterface: 15 } } })
  await Promise.all(Array.from({ length: 45 }, () => createUntilDone(client, request())))
  expect((await under.audit('CreateNetworkInterface')).map((call) => call.code)).toEqual(Array(45).fill('OK'))
}, 120_000)
