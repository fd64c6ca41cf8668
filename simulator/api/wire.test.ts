/** What faults do to real connections, and what the official SDK's core makes of it. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import openapi from '@alicloud/openapi-core'
import { RuntimeOptions } from '@darabonba/typescript'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { cidrOf, parseIpv4 } from '../../inet/address.ts'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { send } from '../../test/simulator/send.ts'
import { signedRequest } from '../../test/simulator/sign-request.ts'
import { Cloud } from '../cloud/cloud.ts'
import { Faults } from '../faults/faults.ts'
import { parseFault } from '../faults/parse.ts'
import { close } from '../listen.ts'
import { createMetadataServer, MetadataService } from '../metadata/metadata-service.ts'
import type { Region } from '../region/region.ts'
import { type Simulator, startSimulator } from '../simulator.ts'
import { ECS } from './action.ts'

const { $OpenApiUtil, OpenApiUtil } = openapi
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

async function addFault(effect: object, select: object = {}): Promise<void> {
  const answer = await fetch(`${simulator.ready.api}/faults`, {
    method: 'POST',
    body: JSON.stringify({ effect, select }),
  })
  expect(answer.status).toBe(201)
}

async function read<T>(path: string): Promise<T> {
  return (await (await fetch(`${simulator.ready.api}${path}`)).json()) as T
}

async function enis(): Promise<number> {
  return (await read<{ enis: unknown[] }>('/state')).enis.length
}

const create = async (signal?: AbortSignal) =>
  await send(
    simulator.ready.api,
    signedRequest({ action: 'CreateNetworkInterface', query: { RegionId: 'cn-sim', ...CREATE } }),
    signal,
  )

async function callSdk(action: string, query: Record<string, unknown>, timeout = 3000) {
  const client = new openapi.default(
    new $OpenApiUtil.Config({
      ...{ endpoint: new URL(simulator.ready.api).host, protocol: 'http' },
      ...{ accessKeyId: 'LTAIsim', accessKeySecret: 'sim-secret', readTimeout: timeout, connectTimeout: timeout },
    }),
  )
  const params = new $OpenApiUtil.Params({
    ...{ action, version: ECS, protocol: 'HTTP', pathname: '/', method: 'POST', authType: 'AK', style: 'RPC' },
    ...{ reqBodyType: 'formData', bodyType: 'json' },
  })
  const request = new $OpenApiUtil.OpenApiRequest({ query: OpenApiUtil.query({ RegionId: 'cn-sim', ...query }) })
  return (await client.callApi(params, request, new RuntimeOptions({}))).body
}

describe('silence', () => {
  /** Returns when the call has been given up by the simulator, and asserts that nothing was sent. */
  async function unanswered(effect: object): Promise<void> {
    await addFault(effect)
    const giveUp = new AbortController()
    const outcome = create(giveUp.signal).then(
      () => 'answered',
      (error: NodeJS.ErrnoException) => error.code,
    )
    for (let calls: unknown[] = []; calls.length === 0; ) {
      const audit = await read<{ calls: { delivery: string }[] }>('/audit')
      calls = audit.calls.filter(({ delivery }) => delivery === 'silence')
    }
    expect(await Promise.race([outcome, new Promise((resolve) => setImmediate(resolve, 'open'))])).toBe('open')
    giveUp.abort()
    expect(await outcome).toBe('ABORT_ERR')
  }

  test('before the effect', async () => {
    await unanswered({ timeout: 'before' })
    expect(await enis()).toBe(2)
  })

  test('after the effect', async () => {
    await unanswered({ timeout: 'after' })
    expect(await enis()).toBe(3)
  })

  test('is a timeout of the SDK', async () => {
    await addFault({ timeout: 'after' })
    await expect(callSdk('CreateNetworkInterface', CREATE, 500)).rejects.toMatchObject({ name: 'RequestTimeoutError' })
    while ((await enis()) === 2);
    expect(await enis()).toBe(3)
  })

  test('ends with the simulator', async () => {
    await addFault({ timeout: 'after' })
    const outcome = create().catch((error: NodeJS.ErrnoException) => error.code)
    while ((await enis()) === 2);
    await simulator.stop()
    expect(await outcome).toBe('ECONNRESET')
  })
})

describe('other interruptions', () => {
  test.each([
    ['before', 2],
    ['after', 3],
  ])('a reset %s the effect', async (reset, expected) => {
    await addFault({ reset }, { times: 1 })
    await expect(create()).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await enis()).toBe(expected)
    await addFault({ reset }, { times: 1 })
    await expect(callSdk('CreateNetworkInterface', CREATE)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  test('the page of a proxy', async () => {
    await addFault({ answer: 'html', status: 504 })
    const { status, headers, text } = await create()
    expect([status, headers['content-type']]).toEqual([504, 'text/html;charset=utf-8'])
    expect(text).toContain('<h1>504</h1>')
    await expect(callSdk('CreateNetworkInterface', CREATE)).rejects.toMatchObject({ name: 'SyntaxError' })
    expect(await enis()).toBe(2)
  })

  test('an answer that ends too early', async () => {
    await addFault({ answer: 'truncated' })
    const { status, text } = await create()
    expect(status).toBe(200)
    expect(() => JSON.parse(text)).toThrow()
    await expect(callSdk('CreateNetworkInterface', CREATE)).rejects.toMatchObject({ name: 'SyntaxError' })
    expect(await enis()).toBe(4)
  })
})

describe('errors as the SDK sees them', () => {
  test('a throttled call, with the time to wait', async () => {
    await addFault({ throttle: 60_000 })
    await expect(callSdk('CreateNetworkInterface', CREATE)).rejects.toMatchObject({
      ...{ name: 'ThrottlingError', code: 'Throttling.User', statusCode: 400 },
      retryAfter: expect.any(Number),
    })
  })

  test('an error of the service', async () => {
    await addFault({ error: 'InternalError' })
    await expect(callSdk('DescribeInstances', {})).rejects.toMatchObject({
      ...{ name: 'ServerError', code: 'InternalError', statusCode: 500 },
    })
  })
})

describe('the metadata service', () => {
  const here = parseIpv4('127.0.0.1')
  const described = testRegion()
  /** In this VPC, which no region file can have, who calls from this machine is a node. */
  const region: Region = {
    ...described,
    vSwitches: new Map(
      [...described.vSwitches].map(([id, vSwitch]) => [id, { ...vSwitch, cidr: cidrOf(here, 24) }] as const),
    ),
    nodes: described.nodes.slice(0, 1).map((node) => ({ ...node, primaryIp: here })),
  }

  async function withMetadata(effect: object, run: (base: string, faults: Faults) => Promise<void>): Promise<void> {
    const faults = new Faults({ region, now: Date.now })
    faults.add(parseFault({ effect, select: { path: 'meta-data/mac*' } }, { region, actions: [] }))
    const cloud = new Cloud({ region, now: Date.now })
    const server = createMetadataServer(new MetadataService({ cloud, now: Date.now, faults }))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}/latest/meta-data`, faults)
    } finally {
      await close(server)
    }
  }

  test('fails as it is told to, where it is told to', async () => {
    await withMetadata({ metadata: { status: 429 } }, async (base) => {
      expect((await fetch(`${base}/mac`)).status).toBe(429)
      expect(await (await fetch(`${base}/instance-id`)).text()).toBe('i-sim-a')
    })
  })

  test('can be silent', async () => {
    await withMetadata({ metadata: { status: 'timeout' } }, async (base, faults) => {
      const giveUp = new AbortController()
      const outcome = fetch(`${base}/mac`, { signal: giveUp.signal }).then(
        () => 'answered',
        () => 'given up',
      )
      while (faults.list()[0]?.hits === 0) await new Promise((resolve) => setImmediate(resolve))
      expect(await Promise.race([outcome, new Promise((resolve) => setImmediate(resolve, 'open'))])).toBe('open')
      giveUp.abort()
      expect(await outcome).toBe('given up')
    })
  })
})
