/** What each fault does to a call, to the cloud and to the audit, on a clock that moves only when it is told to. */
import { describe, expect, test } from '@jest/globals'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { signedRequest } from '../../test/simulator/sign-request.ts'
import { Cloud } from '../cloud/cloud.ts'
import { Faults } from '../faults/faults.ts'
import { parseFault } from '../faults/parse.ts'
import type { EniId, NodeName } from '../region/ids.ts'
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

  test('of a random one, it is one of those that the call would find', async () => {
    const { call, add, faults, last } = testGateway()
    for (let i = 0; i < 20; i++) await call('CreateNetworkInterface', CREATE)
    add({ answer: 'missing' }, { times: 1 })
    const count = async (query: Readonly<Record<string, string>>) =>
      (await call('DescribeNetworkInterfaces', query)).body.TotalCount
    expect(await count({ 'NetworkInterfaceId.1': 'eni-x' })).toBe(0)
    expect(last()).not.toHaveProperty('faults')
    expect(faults.list()).toMatchObject([{ matched: 0, hits: 0 }])
    expect(await count({ 'NetworkInterfaceId.1': 'eni-sim00000007' })).toBe(0)
    expect(last()).toMatchObject({ code: 'OK', faults: ['fault-1'] })
    expect(await count({ 'NetworkInterfaceId.1': 'eni-sim00000007' })).toBe(1)
    expect(faults.list()).toMatchObject([{ matched: 2, hits: 1 }])
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

describe('addresses of one ENI are changed one call at a time', () => {
  const LATENCIES = { latencies: { ...NO_LATENCY, assign: 500, unassign: 500 } }
  const ENI = { NetworkInterfaceId: NEXT }
  const ASSIGN = { ...ENI, SecondaryPrivateIpAddressCount: '1' }
  const CONFLICT = { status: 403, body: { Code: 'Operation.Conflict', Message: 'ecs task is conflicted.' } }

  /** While an address is being assigned to the ENI; `done` lets that end. */
  async function whileAssigning(query: Readonly<Record<string, string>> = ASSIGN) {
    const world = testGateway(LATENCIES)
    await world.call('CreateNetworkInterface', CREATE)
    await world.call('CreateNetworkInterface', CREATE)
    const release = world.hold()
    const first = world.call('AssignPrivateIpAddresses', query)
    await settle()
    const done = async () => {
      release()
      expect((await first).status).toBe(200)
    }
    return { ...world, done }
  }

  test.each<[string, Readonly<Record<string, string>>]>([
    ['AssignPrivateIpAddresses', { SecondaryPrivateIpAddressCount: '2' }],
    ['UnassignPrivateIpAddresses', { 'PrivateIpAddress.1': '10.0.1.3' }],
    ['AssignIpv6Addresses', { Ipv6AddressCount: '1' }],
    ['UnassignIpv6Addresses', { 'Ipv6Address.1': 'fd00::1' }],
  ])('%s has to wait', async (action, query) => {
    const { call, cloud, done, last } = await whileAssigning()
    const before = cloud.version
    expect(await call(action, { ...ENI, ...query })).toMatchObject(CONFLICT)
    expect([cloud.version, last()?.effect]).toEqual([before, false])
    await done()
    expect((await call(action, { ...ENI, ...query })).body.Code).not.toBe('Operation.Conflict')
  })

  test('also while one is given back', async () => {
    const { call, hold, done } = await whileAssigning()
    await done()
    const release = hold()
    const first = call('UnassignPrivateIpAddresses', { ...ENI, 'PrivateIpAddress.1': '10.0.1.3' })
    await settle()
    expect(await call('AssignPrivateIpAddresses', ASSIGN)).toMatchObject(CONFLICT)
    release()
    expect((await first).status).toBe(200)
  })

  test('other ENIs and other actions go on', async () => {
    const { call, done, slept } = await whileAssigning()
    const other = { NetworkInterfaceId: 'eni-sim00000004' }
    const assigned = call('AssignPrivateIpAddresses', { ...other, SecondaryPrivateIpAddressCount: '1' })
    await settle()
    expect(slept).toEqual([500, 500])
    expect((await call('AttachNetworkInterface', { ...ENI, InstanceId: 'i-sim-a' })).status).toBe(200)
    await done()
    expect((await assigned).status).toBe(200)
  })

  test('a call that was refused keeps nobody waiting', async () => {
    const { call } = testGateway(LATENCIES)
    await call('CreateNetworkInterface', CREATE)
    const tooMany = { ...ENI, SecondaryPrivateIpAddressCount: '99' }
    expect((await call('AssignPrivateIpAddresses', tooMany)).body.Code).toBe('InvalidOperation.Ipv4CountExceeded')
    expect((await call('AssignPrivateIpAddresses', ASSIGN)).status).toBe(200)
  })

  test('who repeats a call hears of its token, not of itself', async () => {
    const query = { ...ASSIGN, ClientToken: 't' }
    const { call, cloud, done } = await whileAssigning(query)
    expect((await call('AssignPrivateIpAddresses', query)).body.Code).toBe('LastTokenProcessing')
    await done()
    expect((await call('AssignPrivateIpAddresses', query)).status).toBe(200)
    expect(cloud.eni(NEXT as EniId).secondaryIps).toHaveLength(1)
  })
})

describe('a call that changes nothing has no effect', () => {
  const TAGS = { ResourceType: 'eni', 'ResourceId.1': NEXT }
  const INSTANCE = { ResourceType: 'instance', 'ResourceId.1': 'i-sim-a' }
  const ENI = { NetworkInterfaceId: NEXT }
  const TAG = { 'Tag.1.Key': 'a', 'Tag.1.Value': 'b' }
  const GROUPS = { 'SecurityGroupId.1': 'sg-a', 'SecurityGroupId.2': 'sg-b' }
  test.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    ['TagResources', { ...TAGS, ...TAG }, { ...TAGS, ...TAG }],
    ['TagResources', { ...INSTANCE, ...TAG }, { ...INSTANCE, ...TAG }],
    ['ModifyNetworkInterfaceAttribute', { ...ENI, ...GROUPS }, { ...ENI, ...GROUPS }],
    [
      'ModifyNetworkInterfaceAttribute',
      { ...ENI, ...GROUPS },
      { ...ENI, 'SecurityGroupId.1': 'sg-b', 'SecurityGroupId.2': 'sg-a' },
    ],
    [
      'ModifyNetworkInterfaceAttribute',
      { ...ENI, Description: 'one', SourceDestCheck: 'true' },
      { ...ENI, Description: 'one' },
    ],
  ])('%s %j, then %j', async (action, first, second) => {
    const { call, cloud, last } = testGateway({ securityGroups: [{ id: 'sg-a' }, { id: 'sg-b' }] })
    await call('CreateNetworkInterface', { ...CREATE, SecurityGroupId: 'sg-a' })
    await call(action, first)
    expect(last()).toMatchObject({ status: 200, effect: true })
    const { version } = cloud
    await call(action, second)
    expect(last()).toMatchObject({ status: 200, effect: false })
    expect(cloud.version).toBe(version)
  })

  test.each([TAGS, INSTANCE])('UntagResources of what is not there: %j', async (resource) => {
    const { call, last } = testGateway()
    await call('CreateNetworkInterface', CREATE)
    await call('TagResources', { ...resource, ...TAG })
    await call('UntagResources', { ...resource, 'TagKey.1': 'other' })
    expect(last()).toMatchObject({ status: 200, effect: false })
    await call('UntagResources', { ...resource, All: 'true' })
    expect(last()).toMatchObject({ status: 200, effect: true })
    await call('UntagResources', { ...resource, All: 'true' })
    expect(last()).toMatchObject({ status: 200, effect: false })
  })

  test('a group less or more is a change', async () => {
    const { call, last } = testGateway({ securityGroups: [{ id: 'sg-a' }, { id: 'sg-b' }] })
    await call('CreateNetworkInterface', { ...CREATE, SecurityGroupId: 'sg-a' })
    for (const groups of [GROUPS, { 'SecurityGroupId.1': 'sg-b' }, { 'SecurityGroupId.1': 'sg-a' }]) {
      await call('ModifyNetworkInterfaceAttribute', { ...ENI, ...groups })
      expect(last()).toMatchObject({ status: 200, effect: true })
    }
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
