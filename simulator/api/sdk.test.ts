/** The official SDK's core talks to the simulator over HTTP, as it would to the cloud. */
import openapi from '@alicloud/openapi-core'
import { RuntimeOptions } from '@darabonba/typescript'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { type Simulator, startSimulator } from '../simulator.ts'
import { ECS, VPC } from './action.ts'

const { $OpenApiUtil, OpenApiUtil } = openapi
let simulator: Simulator

beforeAll(async () => {
  simulator = await startSimulator({
    region: testRegion({ latencies: NO_LATENCY }),
    fabricPrefix: undefined,
    listen: { host: '127.0.0.1', port: 0 },
    log: pino({ enabled: false }),
  })
})

afterAll(async () => {
  await simulator.stop()
})

async function callSdk(action: string, query: Record<string, unknown>, { version = ECS, secret = 'sim-secret' } = {}) {
  const client = new openapi.default(
    new $OpenApiUtil.Config({
      endpoint: new URL(simulator.ready.api).host,
      protocol: 'http',
      accessKeyId: 'LTAIsim',
      accessKeySecret: secret,
      readTimeout: 3000,
      connectTimeout: 3000,
    }),
  )
  const params = new $OpenApiUtil.Params({
    ...{ action, version, protocol: 'HTTP', pathname: '/', method: 'POST', authType: 'AK', style: 'RPC' },
    ...{ reqBodyType: 'formData', bodyType: 'json' },
  })
  const request = new $OpenApiUtil.OpenApiRequest({ query: OpenApiUtil.query({ RegionId: 'cn-sim', ...query }) })
  const { body } = await client.callApi(params, request, new RuntimeOptions({}))
  return body
}

const CREATE = { VSwitchId: 'vsw-sim-h', SecurityGroupIds: ['sg-sim'] }

test('creates an ENI; characters that the SDK escapes in two ways do not break its signature', async () => {
  const description = "a b+c*d~e!'() äß/?&=%"
  const request = { ...CREATE, Description: description, Tag: [{ Key: 'creator', Value: "it's *" }] }
  const created = await callSdk('CreateNetworkInterface', request)
  expect(created).toMatchObject({ Status: 'Available', Description: description })
  const filter = { Tag: [{ Key: 'creator', Value: "it's *" }], MaxResults: 500 }
  expect(await callSdk('DescribeNetworkInterfaces', filter)).toMatchObject({ TotalCount: 1 })
})

test('an error of ours is an error of the SDK', async () => {
  await expect(callSdk('DeleteNetworkInterface', { NetworkInterfaceId: 'eni-gone' })).rejects.toMatchObject({
    name: 'ClientError',
    code: 'InvalidEniId.NotFound',
    statusCode: 404,
    requestId: expect.any(String),
  })
  await expect(callSdk('DescribeInstances', {}, { secret: 'wrong' })).rejects.toMatchObject({
    code: 'SignatureDoesNotMatch',
  })
})

test('ECS and VPC are served on one port', async () => {
  const answer = await callSdk('DescribeVSwitches', { VSwitchId: 'vsw-sim-i' }, { version: VPC })
  expect(answer).toMatchObject({ VSwitches: { VSwitch: [{ ZoneId: 'cn-sim-i' }] } })
})

test('a hundred ids in one query are not too many', async () => {
  const ids = Array.from({ length: 100 }, (_, i) => `eni-${String(i).padStart(40, '0')}`)
  expect(await callSdk('DescribeNetworkInterfaces', { NetworkInterfaceId: ids })).toMatchObject({ TotalCount: 0 })
})

test('without a fabric nothing is said of namespaces', async () => {
  expect(simulator.ready).toEqual({
    ready: true,
    api: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    nodes: [
      { name: 'node-a', instanceId: 'i-sim-a', primaryIp: '10.0.1.10' },
      { name: 'node-b', instanceId: 'i-sim-b', primaryIp: '10.0.2.10' },
    ],
  })
})

test('the endpoints of the simulator itself show the cloud, the calls and the changes', async () => {
  const read = async (path: string) => {
    const answer = await fetch(`${simulator.ready.api}${path}`)
    return { status: answer.status, body: await answer.json() }
  }
  expect(await read('/healthz')).toEqual({ status: 200, body: { ok: true } })
  const state = await read('/state')
  expect(state.body).toMatchObject({
    vSwitches: [{ id: 'vsw-sim-h', cidr: '10.0.1.0/24' }, { id: 'vsw-sim-i' }],
    instances: [{ name: 'node-a', enis: ['eni-sim00000001'] }, { name: 'node-b' }],
    enis: expect.arrayContaining([
      expect.objectContaining({ id: 'eni-sim00000001', status: 'InUse', instanceId: 'i-sim-a', ips: ['10.0.1.10'] }),
    ]),
  })
  const audit = await read('/audit')
  expect(audit.body).toMatchObject({ calls: expect.arrayContaining([expect.objectContaining({ code: 'OK' })]) })
  expect((await read('/changes')).body).toMatchObject({ changes: expect.any(Array) })
  expect((await read('/elsewhere')).status).toBe(404)
})

test('a long body is refused before it is read', async () => {
  const answer = await fetch(simulator.ready.api, { method: 'POST', body: 'x'.repeat(100_000) })
  expect(answer.status).toBe(413)
})
