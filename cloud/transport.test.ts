/** The transport through the real SDK core, against an HTTP server that answers as it is told. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createEcs } from './ecs.ts'
import { CloudError, kindOf } from './error.ts'
import { type EniId, type InstanceId, parseCloudId } from './ids.ts'
import { createTransport, type FinishedCall, type Transport } from './transport.ts'

type Reply = { readonly status: number; readonly body: string } | 'hang' | 'reset'

const ok = (body: object = {}): Reply => ({ status: 200, body: JSON.stringify({ RequestId: 'REQ-OK', ...body }) })
const failure = (status: number, Code: string): Reply => ({
  status,
  body: JSON.stringify({ RequestId: 'REQ-1', HostId: 'h', Code, Message: `${Code} in words` }),
})
const ENI = parseCloudId<EniId>('eni-1')
const INSTANCE = parseCloudId<InstanceId>('i-1')
const ATTEMPT_TIMEOUT = 400

let server: Server
let replies: Reply[]
let requests: URL[]
let finished: FinishedCall[]

beforeEach(async () => {
  replies = []
  requests = []
  finished = []
  server = createServer((request, response) => {
    requests.push(new URL(request.url ?? '/', 'http://sim'))
    const reply = replies.length > 1 ? replies.shift() : replies[0]
    if (reply === 'reset') request.socket.destroy()
    else if (reply !== 'hang' && reply !== undefined) {
      response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function transport(callTimeout = 5_000): Transport {
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return createTransport({
    ...{ endpoints: { ecs: host, vpc: host }, scheme: 'http', regionId: 'cn-sim', callTimeout },
    credential: async () => ({ accessKeyId: 'id', accessKeySecret: 'very-secret' }),
    attemptTimeout: ATTEMPT_TIMEOUT,
    onCall: (call) => finished.push(call),
  })
}

const call = { service: 'ecs', action: 'AttachNetworkInterface', query: { NetworkInterfaceId: 'eni-1' } } as const

describe('a call that may work later is repeated', () => {
  test.each<[string, Reply, string]>([
    ['throttled', failure(400, 'Throttling.User'), 'Throttling.User'],
    ['a fault of the service', failure(500, 'InternalError'), 'InternalError'],
    ['a conflict', failure(403, 'Operation.Conflict'), 'Operation.Conflict'],
    ['not JSON', { status: 502, body: '<html>bad gateway</html>' }, 'BadAnswer'],
    ['a broken connection', 'reset', 'Network'],
    ['no answer', 'hang', 'Timeout'],
  ])('%s', async (_, reply, code) => {
    replies = [reply, ok()]
    expect(await transport()(call)).toMatchObject({ RequestId: 'REQ-OK' })
    expect(finished.map((one) => one.code)).toEqual([code, 'OK'])
  })

  test('with the same parameters, so that a client token keeps its meaning', async () => {
    replies = [failure(500, 'InternalError'), ok()]
    await transport()({ ...call, query: { ClientToken: 'token-1' } })
    expect(requests.map((url) => url.searchParams.get('ClientToken'))).toEqual(['token-1', 'token-1'])
    expect(requests.map((url) => url.searchParams.get('RegionId'))).toEqual(['cn-sim', 'cn-sim'])
  })

  test('until its time is over, and not beyond', async () => {
    replies = ['hang']
    await expect(transport(900)(call)).rejects.toMatchObject({ code: 'Timeout', kind: 'transient' })
    expect(requests.length).toBeGreaterThan(1)
    expect(requests.length).toBeLessThan(6)
  })

  test('not when the caller has gone', async () => {
    replies = [failure(400, 'Throttling')]
    const gone = new AbortController()
    const pending = transport()(call, gone.signal)
    setTimeout(() => gone.abort(new Error('gone')), 50)
    await expect(pending).rejects.toThrow('gone')
  })
})

test.each(['Forbidden.RAM', 'InvalidVSwitchId.IpNotEnough', 'InvalidEniId.NotFound'])(
  '%s fails at once, with code and RequestId, without the secret',
  async (code) => {
    replies = [failure(403, code)]
    const error = await transport()(call).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CloudError)
    expect(error).toMatchObject({ code, requestId: 'REQ-1', action: call.action })
    expect(String(error)).toContain('REQ-1')
    expect(String(error)).not.toContain('very-secret')
    expect(requests).toHaveLength(1)
  },
)

describe('what is gone already', () => {
  test.each(['InvalidEniId.NotFound', 'InvalidEcsId.NotFound'])('%s is success for detach and delete', async (code) => {
    replies = [failure(404, code)]
    const ecs = createEcs(transport())
    await ecs.detachEni(ENI, INSTANCE)
    await ecs.deleteEni(ENI)
  })

  test('is an error for attach', async () => {
    replies = [failure(404, 'InvalidEniId.NotFound')]
    await expect(createEcs(transport()).attachEni(ENI, INSTANCE)).rejects.toMatchObject({ kind: 'not-found' })
  })
})

test('an answer of another shape is an error that names the field', async () => {
  replies = [ok({ NetworkInterfaceSets: { NetworkInterfaceSet: [{ NetworkInterfaceId: 7 }] } })]
  await expect(createEcs(transport()).describeEnis({ ids: [ENI] })).rejects.toThrow(/NetworkInterfaceId/)
})

test('every page is read', async () => {
  const page = (NextToken: string): Reply => ok({ NetworkInterfaceSets: { NetworkInterfaceSet: [] }, NextToken })
  replies = [page('next'), page('')]
  await createEcs(transport()).describeEnis({ ids: [ENI] })
  expect(requests.map((url) => url.searchParams.get('NextToken'))).toEqual([null, 'next'])
})

test.each([
  ['Throttling', 'throttled'],
  ['Throttling.Api', 'throttled'],
  ['ServiceUnavailable.RegionMaintaining', 'transient'],
  ['LastTokenProcessing', 'transient'],
  ['QuotaExceeded.PrivateIpAddress', 'exhausted'],
  ['EniPerInstanceLimitExceeded', 'exhausted'],
  ['InvalidVSwitchId.NotFound', 'not-found'],
  ['SignatureDoesNotMatch', 'permanent'],
] as const)('%s is %s', (code, kind) => {
  expect(kindOf(code)).toBe(kind)
})
