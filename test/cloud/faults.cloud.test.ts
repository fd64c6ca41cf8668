/** Every fault that the simulator knows, as the client sees it: the outcome, the number of calls, what is left. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Cloud } from '../../cloud/cloud.ts'
import type { CreateEni } from '../../cloud/ecs/eni-actions.ts'
import { CloudError } from '../../cloud/error.ts'
import { type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { testRegion } from '../simulator/region.ts'
import { type FaultRequest, RegionUnderTest } from './region-under-test.ts'

const VSWITCH = parseCloudId<VSwitchId>('vsw-sim-h')
const NODE = parseCloudId<InstanceId>('i-sim-a')
/** Milliseconds; an attempt whose answer does not come ends after it. */
const ATTEMPT = 800

let under: RegionUnderTest

beforeAll(async () => {
  under = await RegionUnderTest.start(testRegion())
})
afterAll(async () => {
  await under.stop()
})
afterEach(async () => {
  await under.clearFaults()
})

function request(): CreateEni {
  return {
    vSwitchId: VSWITCH,
    securityGroupIds: [parseCloudId<SecurityGroupId>('sg-sim')],
    secondaryIps: 1,
    tags: { creator: 'terway', test: randomUUID() },
    clientToken: randomUUID(),
  }
}

/** The code a call fails with, or `OK`. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'OK'
  } catch (error) {
    if (error instanceof CloudError) return error.code
    throw error
  }
}

const once = (effect: FaultRequest['effect'], action = 'CreateNetworkInterface'): FaultRequest => ({
  select: { action, times: 1 },
  effect,
})

describe('a creation that goes wrong once is one ENI, with one call more', () => {
  test.each<[string, FaultRequest['effect'], string]>([
    ['a fault of the service', { error: 'InternalError' }, 'InternalError'],
    ['the service is away', { error: 'ServiceUnavailable', status: 503 }, 'ServiceUnavailable'],
    ['an unknown 5xx', { error: 'Some.Gateway', status: 502 }, 'Some.Gateway'],
    ['a conflict', { error: 'Operation.Conflict', status: 403 }, 'Operation.Conflict'],
    ['the first call still runs', { error: 'LastTokenProcessing', status: 403 }, 'LastTokenProcessing'],
    ['throttled by a code nobody knows', { error: 'Throttling.Some.Day', status: 400 }, 'Throttling.Some.Day'],
    ['throttled with a time to wait', { error: 'Throttling.User', status: 429, retryAfter: 50 }, 'Throttling.User'],
    ['throttled for a window', { throttle: 100 }, 'Throttling.User'],
    ['no answer, nothing done', { timeout: 'before' }, 'Timeout'],
    ['no answer, all done', { timeout: 'after' }, 'Timeout'],
    ['cut off, nothing done', { reset: 'before' }, 'Network'],
    ['cut off, all done', { reset: 'after' }, 'Network'],
    ["a proxy's page", { answer: 'html', status: 502 }, 'BadAnswer'],
    ["a proxy's page after all was done", { answer: 'html', status: 200 + 302, when: 'after' }, 'BadAnswer'],
    ['half an answer', { answer: 'truncated' }, 'BadAnswer'],
  ])('%s', async (_, effect, code) => {
    await under.fault(once(effect))
    const { cloud, calls } = under.client({ attemptTimeout: ATTEMPT })
    const wanted = request()
    const eni = await cloud.createEni(wanted)
    expect(calls.map((call) => call.code).filter((seen) => seen !== code)).toEqual(['OK'])
    expect(calls.length).toBeGreaterThan(1)
    expect(await cloud.describeEnis({ tags: wanted.tags ?? {} })).toEqual([expect.objectContaining({ id: eni.id })])
    await cloud.deleteEni(eni.id)
  })

  test('a 200 that names no ENI: nothing was made, and the same request makes it', async () => {
    await under.fault(once({ answer: 'empty-id' }))
    const { cloud } = under.client()
    const wanted = request()
    const first = await cloud.createEni(wanted).catch((error: unknown) => error)
    // Told as a passing fault: who asked keeps the request and asks again.
    expect(first).toMatchObject({ kind: 'transient', action: 'CreateNetworkInterface' })
    const eni = await cloud.createEni(wanted)
    expect(await cloud.describeEnis({ tags: wanted.tags ?? {} })).toHaveLength(1)
    await cloud.deleteEni(eni.id)
  })

  test('a slow answer is one call', async () => {
    await under.fault(once({ delay: 100 }))
    const { cloud, calls } = under.client({ attemptTimeout: 5_000 })
    const eni = await cloud.createEni(request())
    expect(calls.map((call) => call.code)).toEqual(['OK'])
    await cloud.deleteEni(eni.id)
  })
})

describe('what cannot be helped by asking again is asked once', () => {
  test.each([
    ['Forbidden.RAM', 403, 'identity'],
    ['InvalidVSwitchId.NotFound', 404, 'not-found'],
    ['InvalidVSwitchId.IpNotEnough', 403, 'exhausted'],
    ['MaxEniCountExceeded', 403, 'exhausted'],
    ['SecurityGroupInstanceLimitExceed', 403, 'exhausted'],
    ['IdempotentFailed', 400, 'permanent'],
    ['Some.Code.Of.Tomorrow', 400, 'permanent'],
  ])('%s', async (code, status, kind) => {
    await under.fault({ select: { action: 'CreateNetworkInterface' }, effect: { error: code, status } })
    const { cloud, calls } = under.client()
    const error: unknown = await cloud.createEni(request()).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code, kind, action: 'CreateNetworkInterface', requestId: expect.any(String) })
    expect(calls).toHaveLength(1)
  })

  test('a vSwitch that reports no room is exhausted', async () => {
    await under.fault({ effect: { vSwitch: VSWITCH, availableIps: 0 } })
    const { cloud, calls } = under.client()
    expect((await cloud.describeVSwitch(VSWITCH)).availableIps).toBe(0)
    expect(await outcomeOf(cloud.createEni(request()))).toBe('InvalidVSwitchId.IpNotEnough')
    expect(calls).toHaveLength(2)
  })
})

describe('a fault that stays', () => {
  test.each<[string, FaultRequest['effect'], string]>([
    ['fails', { error: 'InternalError' }, 'InternalError'],
    ['throttles', { error: 'Throttling', status: 400 }, 'Throttling'],
    ['is silent', { timeout: 'before' }, 'Timeout'],
    ['cuts off', { reset: 'before' }, 'Network'],
  ])('%s: the call ends in time, in few attempts', async (_, effect, code) => {
    await under.fault({ select: { action: 'DeleteNetworkInterface' }, effect })
    const eni = await under.client().cloud.createEni(request())
    const { cloud, calls } = under.client({ attemptTimeout: ATTEMPT, callTimeout: 3_000 })
    expect(await outcomeOf(cloud.deleteEni(eni.id))).toBe(code)
    expect(calls.length).toBeGreaterThan(1)
    // Full jitter from 200 ms on: a loop without a pause would be hundreds.
    expect(calls.length).toBeLessThan(30)
    await under.clearFaults()
    // Another client: that one has learnt to call seldom.
    await under.client().cloud.deleteEni(eni.id)
  })
})

describe('what is done already', () => {
  const done: readonly [
    string,
    string,
    (cloud: Cloud, eni: Awaited<ReturnType<Cloud['createEni']>>) => Promise<void>,
  ][] = [
    ['delete', 'DeleteNetworkInterface', (cloud, eni) => cloud.deleteEni(eni.id)],
    [
      'unassign',
      'UnassignPrivateIpAddresses',
      (cloud, eni) =>
        cloud.unassignIps(
          eni.id,
          eni.ips.filter((ip) => ip !== eni.primaryIp),
        ),
    ],
    ['detach', 'DetachNetworkInterface', (cloud, eni) => cloud.detachEni(eni.id, NODE)],
  ]
  test.each(done)('a repeated %s whose first answer was lost is a success', async (_, action, act) => {
    const { cloud } = under.client({ attemptTimeout: ATTEMPT })
    const eni = await cloud.createEni(request())
    await under.fault(once({ timeout: 'after' }, action))
    await act(cloud, eni)
    const calls = (await under.audit(action)).filter((call) => call.parameters.NetworkInterfaceId === eni.id)
    expect(calls).toHaveLength(2)
    await cloud.deleteEni(eni.id)
  })
})

describe('a list that lies', () => {
  test('an ENI is missing from it, or as it was before', async () => {
    const { cloud } = under.client()
    const wanted = request()
    const eni = await cloud.createEni(wanted)
    const listed = async () => (await cloud.describeEnis({ ids: [eni.id] })).map((one) => one.ips.length)
    expect(await listed()).toEqual([2])
    await under.fault({ select: { eni: eni.id, times: 1 }, effect: { answer: 'missing' } })
    expect(await listed()).toEqual([])
    expect(await listed()).toEqual([2])
    await cloud.assignIps(eni.id, 3, randomUUID())
    await under.fault({ select: { times: 1 }, effect: { answer: 'stale', by: 300_000 } })
    expect(await listed()).toEqual([])
    expect(await listed()).toEqual([5])
    await cloud.deleteEni(eni.id)
  })
})

test('an address assigned by a call whose answer was lost is the same address', async () => {
  const { cloud } = under.client({ attemptTimeout: ATTEMPT })
  const eni = await cloud.createEni(request())
  await under.fault(once({ timeout: 'after' }, 'AssignPrivateIpAddresses'))
  const ips = await cloud.assignIps(eni.id, 3, randomUUID())
  const [now] = await cloud.describeEnis({ ids: [eni.id] })
  expect(ips).toHaveLength(3)
  expect(now?.ips).toHaveLength(5)
  expect(now?.ips).toEqual(expect.arrayContaining([...ips]))
  await cloud.deleteEni(eni.id)
})
