/** What each fault does to a call, to the cloud and to the audit, on a clock that moves only when it is told to. */
import { describe, expect, test } from '@jest/globals'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { signedRequest } from '../../test/simulator/sign-request.ts'
import { Cloud } from '../cloud/cloud.ts'
import { Faults } from '../faults/faults.ts'
import { parseFault } from '../faults/parse.ts'
import type { NodeName } from '../region/ids.ts'
import { Audit } from './audit.ts'
import { Gateway } from './gateway.ts'

const CREATE = { VSwitchId: 'vsw-sim-h', SecurityGroupId: 'sg-sim' }
const NEXT = 'eni-sim00000003'

function testGateway(changes: Readonly<Record<string, unknown>> = {}) {
  let time = Date.parse('2026-11-21T05:39:00Z')
  const region = testRegion({ latencies: NO_LATENCY, ...changes })
  const now = () => time
  const faults = new Faults({ region, now })
  const cloud = new Cloud({ region, now, faults })
  const audit = new Audit()
  /** Sleeping passes the time, unless a test holds it. */
  const slept: number[] = []
  let held: Promise<void> | undefined
  const sleep = async (milliseconds: number) => {
    if (milliseconds === 0) return
    slept.push(milliseconds)
    await held
    time += milliseconds
  }
  const onInternalError = (error: unknown) => {
    throw error
  }
  const gateway = new Gateway({ cloud, audit, now, faults, sleep, changed: async () => undefined, onInternalError })
  const call = async (action: string, query: Readonly<Record<string, string>> = {}) =>
    await gateway.answer(
      signedRequest({ action, query: { RegionId: 'cn-sim', ...query }, now: time }),
      'node-a' as NodeName,
      '10.0.1.10',
    )
  const add = (effect: object, select: object = {}) =>
    faults.add(parseFault({ select, effect }, { region, actions: gateway.actions }))
  const pass = (milliseconds: number) => {
    time += milliseconds
    cloud.advance()
  }
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    held = promise
    return () => {
      held = undefined
      resolve()
    }
  }
  const last = () => audit.entries.at(-1)
  return { cloud, audit, faults, call, add, pass, slept, hold, last }
}

/** Lets everything run that waits for nothing. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('delays', () => {
  test('of the answer: the effect comes at once', async () => {
    const { cloud, call, add, hold, slept, last } = testGateway()
    add({ delay: 7000 })
    const release = hold()
    const answer = call('CreateNetworkInterface', CREATE)
    await settle()
    expect([cloud.enis().length, slept]).toEqual([3, [7000]])
    release()
    expect((await answer).status).toBe(200)
    expect(last()).toMatchObject({ code: 'OK', effect: true, milliseconds: 7000, faults: ['fault-1'] })
  })

  test('of the call: the effect comes late', async () => {
    const { cloud, call, add, hold } = testGateway()
    add({ delayBefore: 7000 })
    const release = hold()
    const answer = call('CreateNetworkInterface', CREATE)
    await settle()
    expect(cloud.enis()).toHaveLength(2)
    release()
    expect((await answer).status).toBe(200)
    expect(cloud.enis()).toHaveLength(3)
  })

  test('who repeats a call that is still running hears so, and gets its answer afterwards', async () => {
    const { cloud, call, add, hold, slept } = testGateway()
    add({ delay: 7000 }, { times: 1 })
    const release = hold()
    const first = call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })
    await settle()
    expect((await call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })).body.Code).toBe(
      'LastTokenProcessing',
    )
    release()
    const { body } = await first
    const again = await call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })
    expect(again.body.NetworkInterfaceId).toBe(body.NetworkInterfaceId)
    expect([cloud.enis().length, slept]).toEqual([3, [7000]])
  })

  test('the latency of an action keeps its token, and a replay does not wait for it', async () => {
    const { call, hold, slept } = testGateway({ latencies: { ...NO_LATENCY, create: 500 } })
    const release = hold()
    const first = call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })
    await settle()
    const second = await call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })
    expect([second.status, second.body.Code]).toEqual([403, 'LastTokenProcessing'])
    release()
    await first
    expect((await call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })).status).toBe(200)
    expect(slept).toEqual([500])
  })
})

describe('outcomes', () => {
  const cases: [object, object, { code: string; status: number; enis: number; delivery?: string }][] = [
    [{ error: 'InternalError' }, {}, { code: 'InternalError', status: 500, enis: 2 }],
    [{ error: 'Odd.Code', status: 418 }, {}, { code: 'Odd.Code', status: 418, enis: 2 }],
    [{ throttle: 1000 }, {}, { code: 'Throttling.User', status: 400, enis: 2 }],
    [{ timeout: 'before' }, { kind: 'silence' }, { code: 'None', status: 0, enis: 2, delivery: 'silence' }],
    [{ timeout: 'after' }, { kind: 'silence' }, { code: 'OK', status: 200, enis: 3, delivery: 'silence' }],
    [{ reset: 'before' }, { kind: 'reset' }, { code: 'None', status: 0, enis: 2, delivery: 'reset' }],
    [{ reset: 'after' }, { kind: 'reset' }, { code: 'OK', status: 200, enis: 3, delivery: 'reset' }],
    [{ answer: 'html' }, { kind: 'page', status: 502 }, { code: 'None', status: 0, enis: 2, delivery: 'page' }],
    [{ answer: 'html', when: 'after' }, { kind: 'page' }, { code: 'OK', status: 200, enis: 3, delivery: 'page' }],
    [{ answer: 'truncated' }, { kind: 'truncated' }, { code: 'OK', status: 200, enis: 3, delivery: 'truncated' }],
    [{ answer: 'empty-id' }, { kind: 'whole' }, { code: 'OK', status: 200, enis: 2 }],
  ]
  test.each(cases)('%j', async (effect, delivery, { enis, ...entry }) => {
    const { cloud, call, add, pass, last } = testGateway()
    add(effect, { action: 'CreateNetworkInterface', times: 1 })
    const answer = await call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })
    expect(answer.delivery).toMatchObject(delivery)
    expect(cloud.enis()).toHaveLength(enis)
    expect(last()).toMatchObject({ ...entry, effect: enis === 3, faults: ['fault-1'] })
    // Whatever happened, the same token makes it one ENI.
    pass(1000)
    const again = await call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })
    expect(again.body.NetworkInterfaceId).toBe(NEXT)
    expect(cloud.enis()).toHaveLength(3)
    expect(last()).toMatchObject({ code: 'OK', effect: enis === 2 })
  })

  test('an error says when to try again, in the header the SDKs read', async () => {
    const { call, add } = testGateway()
    add({ error: 'ServiceUnavailable', retryAfter: 1500 }, { times: 1 })
    add({ throttle: 9000 })
    expect((await call('DescribeInstances')).headers).toEqual({ 'x-acs-retry-after': '1500' })
    expect((await call('DescribeInstances')).headers).toEqual({ 'x-acs-retry-after': '9000' })
  })

  test('an empty id has nothing else in it', async () => {
    const { call, add } = testGateway()
    add({ answer: 'empty-id' })
    const { status, body } = await call('CreateNetworkInterface', CREATE)
    expect([status, body]).toEqual([200, { RequestId: expect.any(String), NetworkInterfaceId: '' }])
  })

  test('a call that is refused before it is one of anybody does not count', async () => {
    const { call, add, faults, last } = testGateway()
    add({ error: 'InternalError' })
    expect((await call('RunInstances')).body.Code).toBe('InvalidAction.NotFound')
    expect(faults.list()).toMatchObject([{ matched: 0 }])
    expect(last()).not.toHaveProperty('faults')
  })
})

describe('wrong lists', () => {
  const shown = async (call: ReturnType<typeof testGateway>['call']) => {
    const { body } = await call('DescribeNetworkInterfaces', { MaxResults: '100' })
    return [...JSON.stringify(body).matchAll(/"NetworkInterfaceId":"eni-sim0*(\d+)"/g)].map(([, number]) => number)
  }

  test('a stale one is as it was, also of one ENI', async () => {
    const { call, add, pass } = testGateway()
    pass(1000)
    await call('CreateNetworkInterface', CREATE)
    await call('CreateNetworkInterface', CREATE)
    pass(1000)
    add({ answer: 'stale', by: 1500 }, { times: 1 })
    add({ answer: 'stale', by: 1500 }, { eni: 'eni-sim00000004', times: 2 })
    expect(await shown(call)).toEqual(['1', '2'])
    expect(await shown(call)).toEqual(['1', '2', '3'])
    expect(await shown(call)).toEqual(['1', '2', '3', '4'])
  })

  test('a missing ENI is not found by its id either', async () => {
    const { call, add } = testGateway()
    await call('CreateNetworkInterface', CREATE)
    add({ answer: 'missing' }, { eni: NEXT })
    expect(await shown(call)).toEqual(['1', '2'])
    const { body } = await call('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId: NEXT })
    expect(body.Code).toBe('InvalidEniId.NotFound')
    expect((await call('DeleteNetworkInterface', { NetworkInterfaceId: NEXT })).status).toBe(200)
  })

  test('of a random one every list lacks one', async () => {
    const { call, add } = testGateway()
    add({ answer: 'missing' })
    const lists = [await shown(call), await shown(call), await shown(call), await shown(call), await shown(call)]
    expect(lists.map((list) => list.length)).toEqual([1, 1, 1, 1, 1])
    expect(new Set(lists.flat()).size).toBe(2)
  })

  test('answers are late without any fault when the region says so', async () => {
    const { call, pass } = testGateway({ latencies: { ...NO_LATENCY, describe: 1000 } })
    await call('CreateNetworkInterface', CREATE)
    pass(999)
    expect(await shown(call)).toEqual(['1', '2'])
    pass(1)
    expect(await shown(call)).toEqual(['1', '2', '3'])
  })
})

describe('in the cloud', () => {
  const statusOf = (cloud: Cloud) => cloud.enis().at(-1)?.state.status

  test('an attach hangs, or ends where it began', async () => {
    const { cloud, call, add, faults, pass } = testGateway()
    const attach = { NetworkInterfaceId: NEXT, InstanceId: 'i-sim-a' }
    await call('CreateNetworkInterface', CREATE)
    add({ attach: 'hang' }, { times: 1 })
    await call('AttachNetworkInterface', attach)
    pass(600_000)
    expect(statusOf(cloud)).toBe('Attaching')
    await call('AttachNetworkInterface', attach)
    pass(600_000)
    expect(statusOf(cloud)).toBe('InUse')
    expect(faults.changes.at(-1)).toMatchObject({ fault: 'fault-1', change: 'acted', on: `attach of ${NEXT}` })
  })

  test('an attach can fail, a detach and a delete can hang', async () => {
    const { cloud, call, add, pass } = testGateway()
    const attach = { NetworkInterfaceId: NEXT, InstanceId: 'i-sim-a' }
    await call('CreateNetworkInterface', CREATE)
    add({ attach: 'fail' }, { eni: NEXT, times: 1 })
    add({ detach: 'hang' }, { node: 'node-a', times: 1 })
    add({ delete: 'hang' }, { vSwitch: 'vsw-sim-h', times: 1 })
    const statusAfter = async (action: string) => {
      await call(action, attach)
      pass(600_000)
      return statusOf(cloud)
    }
    expect([await statusAfter('AttachNetworkInterface'), await statusAfter('AttachNetworkInterface')]).toEqual([
      'Available',
      'InUse',
    ])
    expect([await statusAfter('DetachNetworkInterface'), await statusAfter('DetachNetworkInterface')]).toEqual([
      ...['Detaching', 'Available'],
    ])
    const remove = async () => {
      await call('DeleteNetworkInterface', { NetworkInterfaceId: NEXT })
      pass(600_000)
      return cloud.enis().length
    }
    expect([await remove(), await remove()]).toEqual([3, 2])
  })

  test('a vSwitch without addresses refuses', async () => {
    const { call, add, faults } = testGateway()
    const { id } = add({ vSwitch: 'vsw-sim-h', availableIps: 0 })
    const create = async () => (await call('CreateNetworkInterface', CREATE)).body.Code
    expect(await create()).toBe('InvalidVSwitchId.IpNotEnough')
    faults.remove(id)
    expect(await create()).toBeUndefined()
  })
})

test('the same faults, calls and seed give the same audit; another seed another one', async () => {
  const story = async (seed: number) => {
    const { audit, call, add } = testGateway({ seed })
    add({ error: 'Throttling', retryAfter: 10 }, { probability: 0.4, for: 3_600_000 })
    add({ delay: 900 }, { probability: 0.5, action: 'Create*' })
    add({ answer: 'missing' }, { probability: 0.5 })
    for (let i = 0; i < 20; i++) {
      await call('CreateNetworkInterface', CREATE)
      await call('DescribeNetworkInterfaces', { MaxResults: '100' })
    }
    return audit.entries.map(({ requestId, ...entry }) => entry)
  }
  const first = await story(5)
  expect(await story(5)).toEqual(first)
  expect(await story(6)).not.toEqual(first)
})
