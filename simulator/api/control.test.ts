/** The simulator's own endpoints, over HTTP. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { send } from '../../test/simulator/send.ts'
import { signedRequest } from '../../test/simulator/sign-request.ts'
import { type Simulator, startSimulator } from '../simulator.ts'
import { VPC } from './action.ts'

const CREATE = { VSwitchId: 'vsw-sim-h', SecurityGroupId: 'sg-sim' }
let simulator: Simulator

beforeEach(async () => {
  simulator = await startSimulator({
    region: testRegion({ latencies: NO_LATENCY }),
    fabricPrefix: undefined,
    listen: { host: '127.0.0.1', port: 0 },
    log: pino({ enabled: false }),
  })
})

afterEach(async () => {
  await simulator.stop()
})

async function http(method: string, path: string, body?: string) {
  const answer = await fetch(`${simulator.ready.api}${path}`, { method, ...(body === undefined ? {} : { body }) })
  return { status: answer.status, body: (await answer.json()) as unknown, allow: answer.headers.get('allow') }
}
const read = async (path: string) => await http('GET', path)
const call = async (action: string, query: Readonly<Record<string, string>> = {}) =>
  await send(simulator.ready.api, signedRequest({ action, query: { RegionId: 'cn-sim', ...query } }))

describe('/faults', () => {
  const fault = { name: 'slow', select: { action: 'Create*', times: 1 }, effect: { delay: 5 } }

  test('takes a fault, shows it with its hits, and gives it up', async () => {
    const added = await http('POST', '/faults', JSON.stringify(fault))
    expect(added).toMatchObject({ status: 201, body: { id: 'fault-1', ...fault, matched: 0, hits: 0 } })
    await call('CreateNetworkInterface', CREATE)
    await call('CreateNetworkInterface', CREATE)
    const state = { id: 'fault-1', ...fault, matched: 2, hits: 1 }
    expect((await read('/faults')).body).toMatchObject({ faults: [state] })
    expect((await read('/faults/fault-1')).body).toMatchObject(state)
    expect(await http('DELETE', '/faults/fault-1')).toMatchObject({ status: 200, body: { removed: 1 } })
    expect(await http('DELETE', '/faults/fault-1')).toMatchObject({ status: 404 })
    expect((await read('/faults/fault-1')).status).toBe(404)
    await http('POST', '/faults', JSON.stringify(fault))
    expect((await http('DELETE', '/faults')).body).toEqual({ removed: 1 })
  })

  test.each([
    ['', 'The body must be JSON: '],
    ['{"effect"', 'The body must be JSON: '],
    ['{"effect":{"timeout":"never"}}', 'effect.timeout: Invalid option: expected one of "before"|"after"'],
    ['{"select":{"action":"CreateEni"},"effect":{"delay":1}}', 'select.action: must match one of CreateNetworkInterf'],
  ])('refuses %j', async (body, message) => {
    expect(await http('POST', '/faults', body)).toMatchObject({
      status: 400,
      body: { Message: expect.stringContaining(message) },
    })
    expect((await read('/faults')).body).toEqual({ faults: [] })
  })
})

describe('/audit', () => {
  test('shows who called what, with which result and effect', async () => {
    await call('CreateNetworkInterface', { ...CREATE, ClientToken: 't' })
    await call('DeleteNetworkInterface', { NetworkInterfaceId: 'eni-x' })
    expect((await read('/audit')).body).toEqual({
      calls: [
        {
          n: 1,
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          milliseconds: expect.any(Number),
          action: 'CreateNetworkInterface',
          region: 'cn-sim',
          key: 'LTAIsim',
          address: '127.0.0.1',
          code: 'OK',
          status: 200,
          effect: true,
          requestId: expect.any(String),
          clientToken: 't',
          parameters: { RegionId: 'cn-sim', ...CREATE, ClientToken: 't' },
        },
        expect.objectContaining({ n: 2, code: 'InvalidEniId.NotFound', status: 404, effect: false }),
      ],
    })
  })

  test.each([
    ['', [1, 2, 3, 4]],
    ['?action=DescribeInstances', [1, 2, 4]],
    ['?action=Describe*&code=OK', [1, 4]],
    ['?code=InvalidParameter', [2]],
    ['?code=Invalid*', [2, 3]],
    ['?since=2', [3, 4]],
    ['?since=0&limit=2', [3, 4]],
    ['?limit=0', []],
    ['?since=9', []],
    ['?node=node-a', []],
  ])('can be asked for a part: %s', async (query, numbers) => {
    await call('DescribeInstances')
    await call('DescribeInstances', { MaxResults: '1' })
    await call('DeleteNetworkInterface', { NetworkInterfaceId: 'eni-x' })
    await call('DescribeInstances')
    const { calls } = (await read(`/audit${query}`)).body as { calls: { n: number }[] }
    expect(calls.map(({ n }) => n)).toEqual(numbers)
  })

  test.each([
    ['?since=x', 'since: must be a number, not "x"'],
    ['?nod=a', 'nod: must be one of action, node, code, since, limit'],
  ])('%s is refused', async (query, message) => {
    expect(await read(`/audit${query}`)).toMatchObject({ status: 400, body: { Message: message } })
    expect((await read(`/audit/summary${query}`)).status).toBe(400)
  })

  test('sums up, and shows what is called again and again', async () => {
    await call('CreateNetworkInterface', CREATE)
    for (let i = 0; i < 3; i++) await call('DeleteNetworkInterface', { NetworkInterfaceId: 'eni-x' })
    await call('DeleteNetworkInterface', { NetworkInterfaceId: 'eni-y' })
    expect((await read('/audit/summary')).body).toEqual({
      sums: [
        { action: 'CreateNetworkInterface', code: 'OK', calls: 1, effects: 1, repeats: 0 },
        {
          ...{ action: 'DeleteNetworkInterface', code: 'InvalidEniId.NotFound', calls: 4, effects: 0, repeats: 2 },
          shortestGap: expect.any(Number),
        },
      ],
    })
  })
})

test('a new ClientToken each time hides no loop', async () => {
  for (const ClientToken of ['a', 'b', 'b']) {
    await call('CreateNetworkInterface', { VSwitchId: 'vsw-x', SecurityGroupId: 'sg-sim', ClientToken })
  }
  expect((await read('/audit/summary')).body).toMatchObject({
    sums: [{ action: 'CreateNetworkInterface', code: 'InvalidVSwitchId.NotFound', calls: 3, tokens: 2, repeats: 2 }],
  })
})

test('only calls make a vSwitch lie: looking at the state does not count', async () => {
  await http('POST', '/faults', '{"effect":{"vSwitch":"vsw-sim-h","availableIps":0}}')
  const hits = async () => ((await read('/faults')).body as { faults: { hits: number }[] }).faults[0]?.hits
  expect((await read('/state')).body).toMatchObject({ vSwitches: [{ id: 'vsw-sim-h', availableIps: 0 }, {}] })
  await fetch(simulator.ready.api, { headers: { accept: 'text/html' } })
  expect(await hits()).toBe(0)
  await call('CreateNetworkInterface', CREATE)
  expect(await hits()).toBe(1)
  const query = { RegionId: 'cn-sim', VSwitchId: 'vsw-sim-h' }
  await send(simulator.ready.api, signedRequest({ action: 'DescribeVSwitches', version: VPC, query }))
  expect(await hits()).toBe(2)
})

test('/changes has what became of ENIs, tags, routes and faults, in the order of time', async () => {
  await http('POST', '/faults', '{"effect":{"delay":1},"select":{"action":"CreateNetworkInterface"}}')
  await call('CreateNetworkInterface', CREATE)
  await call('TagResources', {
    ...{ ResourceType: 'eni', 'ResourceId.1': 'eni-sim00000003', 'Tag.1.Key': 'a', 'Tag.1.Value': 'b' },
  })
  await call('TagResources', {
    ...{ ResourceType: 'instance', 'ResourceId.1': 'i-sim-a', 'Tag.1.Key': 'a', 'Tag.1.Value': 'b' },
  })
  const { changes } = (await read('/changes')).body as { changes: { at: number; change: string }[] }
  const told = changes.slice(2).map(({ at, ...change }) => change)
  expect(told).toMatchObject([
    { fault: 'fault-1', change: 'added' },
    { fault: 'fault-1', change: 'acted', on: 'CreateNetworkInterface' },
    { eni: 'eni-sim00000003', change: 'created' },
    { eni: 'eni-sim00000003', change: 'tagged' },
    { resource: 'i-sim-a', change: 'tagged' },
  ])
  expect(changes.map(({ at }) => at)).toEqual(changes.map(({ at }) => at).toSorted((a, b) => a - b))
})

test('/state shows the clock and the cloud', async () => {
  expect((await read('/state')).body).toMatchObject({
    region: 'cn-sim',
    clock: { speed: 1, now: expect.stringMatching(/Z$/) },
    vSwitches: [{ id: 'vsw-sim-h', availableIps: 251 }, { id: 'vsw-sim-i' }],
    instances: [{ name: 'node-a', enis: ['eni-sim00000001'] }, { name: 'node-b' }],
    enis: [{ id: 'eni-sim00000001', status: 'InUse', instanceId: 'i-sim-a', ips: ['10.0.1.10'] }, {}],
    routes: [],
  })
})

test.each([
  ['POST', '/state', 'GET'],
  ['PUT', '/faults', 'GET, POST, DELETE'],
  ['DELETE', '/audit', 'GET'],
])('%s %s is not there', async (method, path, allow) => {
  expect(await http(method, path)).toMatchObject({ status: 405, allow })
})
