/** The transport through the real SDK core, against an HTTP server that answers as it is told. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ManualClock } from '../test/credentials/clocks.ts'
import { Budget } from './budget/budget.ts'
import { createEcs } from './ecs.ts'
import { CloudError } from './error.ts'
import { type EniId, type InstanceId, parseCloudId } from './ids.ts'
import {
  type Credential,
  createTransport,
  type FinishedCall,
  type Transport,
  type TransportOptions,
} from './transport.ts'

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}
type Reply = Answer | 'hang' | 'reset' | 'cut'

const ok = (body: object = {}): Answer => ({ status: 200, body: JSON.stringify({ RequestId: 'REQ-OK', ...body }) })
const failure = (status: number, Code: string, more: object = {}): Answer => ({
  status,
  body: JSON.stringify({ RequestId: 'REQ-1', HostId: 'h', Code, Message: `${Code} in words`, ...more }),
})
const throttled = (retryAfter: number): Answer => ({
  ...failure(400, 'Throttling.User'),
  headers: { 'x-acs-retry-after': String(retryAfter) },
})
const ENI = parseCloudId<EniId>('eni-1')
const INSTANCE = parseCloudId<InstanceId>('i-1')
const SECRET = 'very-secret'
const TOKEN = 'token-of-a-session'

let server: Server
let replies: Reply[]
let requests: URL[]
/** The security tokens that they were signed with. */
let tokens: (string | string[] | undefined)[]
let finished: FinishedCall[]
let clock: ManualClock

beforeEach(async () => {
  replies = []
  requests = []
  tokens = []
  finished = []
  clock = new ManualClock()
  server = createServer((request, response) => {
    requests.push(new URL(request.url ?? '/', 'http://sim'))
    tokens.push(request.headers['x-acs-security-token'])
    const reply = replies.length > 1 ? replies.shift() : replies[0]
    if (reply === undefined || reply === 'hang') return
    if (reply === 'reset') request.socket.destroy()
    else if (reply === 'cut')
      response.writeHead(200, { 'content-length': 100 }).write('{"RequestId":', () => response.destroy())
    else response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(reply.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const credentialOf = (securityToken: string): Credential => ({
  accessKeyId: 'id',
  accessKeySecret: SECRET,
  securityToken,
})

/** Without waits between attempts, unless an answer asks for one. */
function transport(options: Partial<TransportOptions> = {}): Transport {
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return createTransport({
    ...{ endpoints: { ecs: host, vpc: host }, scheme: 'http', regionId: 'cn-sim', random: () => 0 },
    credential: async () => credentialOf(TOKEN),
    onCall: (call) => finished.push(call),
    ...options,
  })
}

const call = { service: 'ecs', action: 'AttachNetworkInterface', query: { NetworkInterfaceId: 'eni-1' } } as const

/** Waits until the server has seen so many requests and the client has had what it sent. */
async function seen(count: number): Promise<void> {
  while (requests.length < count) await setImmediate()
}

const thrownBy = (pending: Promise<unknown>): Promise<unknown> =>
  pending.then(
    () => 'nothing',
    (error: unknown) => error,
  )

describe('a call that may work later is repeated', () => {
  test.each<[string, Reply, string]>([
    ['throttled', failure(400, 'Throttling.User'), 'Throttling.User'],
    ['a fault of the service', failure(500, 'InternalError'), 'InternalError'],
    ['a fault with a code of its own', failure(503, 'Vpc.Error'), 'Vpc.Error'],
    ['a conflict', failure(403, 'Operation.Conflict'), 'Operation.Conflict'],
    ['not JSON', { status: 502, body: '<html>bad gateway</html>' }, 'BadAnswer'],
    ['nothing', { status: 200, body: '' }, 'BadAnswer'],
    ['JSON of somebody else', { status: 403, body: '{"error":"blocked"}' }, 'BadAnswer'],
    ['a broken connection', 'reset', 'Network'],
    ['half an answer', 'cut', 'Network'],
  ])('%s', async (_, reply, code) => {
    replies = [reply, ok()]
    expect(await transport()(call)).toMatchObject({ RequestId: 'REQ-OK' })
    expect(finished).toMatchObject([
      { action: call.action, code, attempt: 1, queued: 0, priority: 'prewarm' },
      { action: call.action, code: 'OK', attempt: 2, queued: 0, priority: 'prewarm' },
    ])
  })

  test('with the same parameters, so that a client token keeps its meaning', async () => {
    replies = [failure(500, 'InternalError'), ok()]
    await transport()({ ...call, query: { ClientToken: 'token-1' } })
    expect(requests.map((url) => url.searchParams.get('ClientToken'))).toEqual(['token-1', 'token-1'])
    expect(requests.map((url) => url.searchParams.get('RegionId'))).toEqual(['cn-sim', 'cn-sim'])
  })

  test('not before the answer allows it', async () => {
    replies = [throttled(5_000), ok()]
    const pending = transport({ clock })(call)
    while (finished.length < 1) await setImmediate()
    await clock.pass(4_999)
    expect(requests).toHaveLength(1)
    await clock.pass(1)
    await pending
    expect(requests).toHaveLength(2)
  })
})

describe('the time of a call', () => {
  test('no answer: another attempt every 20 s, three in all', async () => {
    replies = ['hang']
    const error = thrownBy(transport({ clock })(call))
    for (let attempt = 1; attempt <= 3; attempt++) {
      await seen(attempt)
      await clock.pass(20_000)
    }
    expect(await error).toMatchObject({ code: 'Timeout', kind: 'transient', action: call.action })
    expect(finished.map(({ code }) => code)).toEqual(['Timeout', 'Timeout', 'Timeout'])
    expect(requests).toHaveLength(3)
    expect(clock.pending).toEqual([])
  })

  test('is not waited for when the next attempt would come after it; the error is the one of the last attempt', async () => {
    replies = [throttled(50_000)]
    const error = await thrownBy(transport({ clock, callTimeout: 40_000 })(call))
    expect(error).toMatchObject({ code: 'Throttling.User', retryAfter: 50_000, requestId: 'REQ-1', httpStatus: 400 })
    expect(clock.pending).toEqual([])
  })

  test('goes on in the line of the budget', async () => {
    const budget = new Budget({ conf: { perAction: { [call.action]: 1 } }, clock })
    await budget.acquire(call.action, { priority: 'pod' })
    const error = thrownBy(transport({ clock, budget, callTimeout: 30_000 })(call))
    await clock.pass(30_000)
    expect(await error).toMatchObject({ code: 'BudgetTimeout', kind: 'throttled' })
    expect(requests).toHaveLength(0)
    expect(finished).toEqual([
      { action: call.action, code: 'BudgetTimeout', milliseconds: 0, attempt: 1, queued: 30_000, priority: 'prewarm' },
    ])
    expect(budget.snapshot()).toMatchObject([{ waiting: { prewarm: 0 } }])
  })

  test('that ends in the line for another attempt ends with the error of the last one', async () => {
    replies = [failure(500, 'InternalError')]
    const budget = new Budget({ conf: { perAction: { [call.action]: 1 } }, clock })
    const error = thrownBy(transport({ clock, budget, callTimeout: 30_000 })(call))
    await seen(1)
    while (finished.length < 1) await setImmediate()
    await clock.pass(30_000)
    expect(await error).toMatchObject({ code: 'InternalError' })
    expect(requests).toHaveLength(1)
    expect(finished).toMatchObject([
      { code: 'InternalError', attempt: 1 },
      { code: 'BudgetTimeout', attempt: 2 },
    ])
  })
})

describe('a caller that goes', () => {
  test('is told at once; what the abandoned attempt comes to is nobody’s', async () => {
    replies = ['hang']
    const caller = new AbortController()
    const error = thrownBy(transport()(call, { signal: caller.signal }))
    await seen(1)
    caller.abort('gone')
    expect(await error).toBe('gone')
    expect(finished).toMatchObject([{ code: 'Cancelled', attempt: 1 }])
    // The attempt fails now. Were its rejection not handled, the test would fail with it.
    server.closeAllConnections()
    for (let turn = 0; turn < 50; turn++) await setImmediate()
  })

  test('between two attempts is told at once', async () => {
    replies = [throttled(5_000)]
    const caller = new AbortController()
    const error = thrownBy(transport({ clock })(call, { signal: caller.signal }))
    while (finished.length < 1) await setImmediate()
    caller.abort('gone')
    expect(await error).toBe('gone')
    expect(requests).toHaveLength(1)
    expect(clock.pending).toEqual([])
  })

  test('in the moment of its turn has nothing sent', async () => {
    replies = [ok()]
    const caller = new AbortController()
    class LastMoment extends Budget {
      override async acquire(...turn: Parameters<Budget['acquire']>) {
        const permit = await super.acquire(...turn)
        caller.abort('gone')
        return permit
      }
    }
    const send = transport({ budget: new LastMoment({ clock }) })
    expect(await thrownBy(send(call, { signal: caller.signal }))).toBe('gone')
    await transport()({ ...call, action: 'TagResources' })
    expect(requests).toHaveLength(1)
    expect(finished.map(({ action }) => action)).toEqual(['TagResources'])
  })

  test('before the call makes none', async () => {
    expect(await thrownBy(transport()(call, { signal: AbortSignal.abort('gone') }))).toBe('gone')
    expect(requests).toHaveLength(0)
  })
})

describe('the budget', () => {
  const budgetOf = (perMinute: number, burstSize: number) =>
    new Budget({ conf: { perAction: { [call.action]: perMinute }, burstSize }, clock, random: () => 0 })

  test('gives every attempt a permit of its own', async () => {
    replies = [failure(500, 'InternalError'), failure(500, 'InternalError'), ok()]
    const pending = transport({ clock, budget: budgetOf(61, 2) })(call)
    while (finished.length < 2) await setImmediate()
    await clock.pass(999)
    expect(requests).toHaveLength(2)
    await clock.pass(1)
    await pending
    expect(finished.map(({ code, queued }) => [code, queued])).toEqual([
      ['InternalError', 0],
      ['InternalError', 0],
      ['OK', 1_000],
    ])
  })

  test('hears of throttled answers and of successes', async () => {
    replies = [throttled(2_000), ok()]
    const budget = budgetOf(240, 1)
    const send = transport({ clock, budget })
    const pending = [send(call)]
    while (finished.length < 1) await setImmediate()
    expect(budget.snapshot()).toMatchObject([{ perSecond: 2, configuredPerSecond: 4 }])
    pending.push(send(call, { priority: 'pod' }))
    await clock.pass(2_499)
    expect(requests).toHaveLength(1)
    await clock.pass(10_000)
    await Promise.all(pending)
    await send(call)
    expect(budget.snapshot()[0]?.perSecond).toBeGreaterThan(2)
  })

  test('lets the call that a pod waits for go first', async () => {
    replies = [ok()]
    const send = transport({ clock, budget: budgetOf(60, 1) })
    const order = ['clean-up', 'prewarm', 'pod'] as const
    await send(call)
    const pending = order.map((priority) => send({ ...call, query: { For: priority } }, { priority }))
    for (let count = 2; count <= 4; count++) {
      await clock.pass(1_000)
      await seen(count)
    }
    await Promise.all(pending)
    expect(requests.map((url) => url.searchParams.get('For'))).toEqual([null, 'pod', 'prewarm', 'clean-up'])
  })

  test('lets a call go first that a pod has come to wait for', async () => {
    replies = [ok()]
    const send = transport({ clock, budget: budgetOf(60, 1) })
    await send(call)
    let urgent = false
    const pending = [
      send({ ...call, query: { For: 'pool' } }),
      send({ ...call, query: { For: 'pod' } }, { priority: () => (urgent ? 'pod' : 'prewarm') }),
    ]
    await setImmediate()
    urgent = true
    await clock.pass(2_000)
    await Promise.all(pending)
    expect(requests.map((url) => url.searchParams.get('For'))).toEqual([null, 'pod', 'pool'])
    expect(finished.map(({ priority }) => priority)).toEqual(['prewarm', 'pod', 'prewarm'])
  })
})

describe('an error that stays', () => {
  test.each(['Forbidden.RAM', 'InvalidVSwitchId.IpNotEnough', 'InvalidEniId.NotFound', 'IdempotentFailed'])(
    '%s fails at once, in the words of the API',
    async (code) => {
      replies = [failure(403, code)]
      const error = await thrownBy(transport()(call))
      expect(error).toBeInstanceOf(CloudError)
      expect(error).toMatchObject({ code, requestId: 'REQ-1', action: call.action, httpStatus: 403 })
      const words = `AttachNetworkInterface failed with ${code}: ${code} in words (RequestId REQ-1)`
      expect(error).toHaveProperty('message', words)
      expect(requests).toHaveLength(1)
    },
  )

  test('a denial names the permission to give', async () => {
    const AccessDeniedDetail = { AuthAction: 'ecs:AttachNetworkInterface', NoPermissionType: 'ImplicitDeny' }
    replies = [failure(403, 'Forbidden.RAM', { AccessDeniedDetail })]
    const error = await thrownBy(transport()(call))
    expect(error).toHaveProperty('advice', expect.stringContaining('allow ecs:AttachNetworkInterface'))
  })

  test('what the SDK stumbles over is not taken for the network', async () => {
    replies = [{ status: 400, body: 'null' }]
    expect(await thrownBy(transport()(call))).toMatchObject({ code: 'Client', kind: 'local' })
    expect(requests).toHaveLength(1)
  })

  test.each<[string, Reply]>([
    [
      'a gateway that quotes what it was sent',
      failure(400, 'SignatureDoesNotMatch', { Message: `${SECRET} ${TOKEN}` }),
    ],
    ['a proxy that does', { status: 502, body: `${TOKEN} ${SECRET}` }],
    ['a broken connection', 'reset'],
  ])('%s: no secret is anywhere in it', async (_, reply) => {
    replies = [reply]
    const error = await thrownBy(transport({ callTimeout: 50 })(call))
    expect(error).toBeInstanceOf(CloudError)
    const everything = inspect(error, { depth: null, showHidden: true }) + JSON.stringify(error) + String(error)
    for (const secret of [SECRET, TOKEN]) expect(everything).not.toContain(secret.slice(0, 8))
  })
})

describe('a credential that cannot be had', () => {
  test('ends the call with the error of its source, whatever its kind: no attempt, no turn, no repetition', async () => {
    for (const refused of [new Error('no key'), new CloudError('busy', { action: 'credential', code: 'Throttling' })]) {
      let asked = 0
      const budget = new Budget({ clock })
      const credential = () => {
        asked++
        return Promise.reject(refused)
      }
      expect(await thrownBy(transport({ budget, credential })(call))).toBe(refused)
      expect([asked, finished, budget.snapshot()]).toEqual([1, [], []])
    }
    expect(requests).toHaveLength(0)
  })

  test('in time ends the call; nothing is sent when it comes after all', async () => {
    replies = [ok()]
    const late = Promise.withResolvers<Credential>()
    const budget = new Budget({ clock })
    const caller = new AbortController()
    const send = transport({ clock, budget, credential: () => late.promise, callTimeout: 1_500 })
    const errors = [thrownBy(send(call)), thrownBy(send(call, { signal: caller.signal }))]
    caller.abort('gone')
    await clock.pass(1_500)
    const [error, reason] = await Promise.all(errors)
    expect(error).toMatchObject({ action: 'credential', code: 'Timeout', kind: 'transient' })
    expect(error).toHaveProperty('advice', expect.not.stringContaining('ENDPOINT'))
    expect(reason).toBe('gone')
    late.resolve(credentialOf('late'))
    await transport()(call)
    expect(tokens).toEqual([TOKEN])
    expect(budget.snapshot()).toEqual([])
    expect(clock.pending).toEqual([])
  })

  test('for the next attempt leaves the error of the last one', async () => {
    replies = [failure(500, 'InternalError')]
    const answers = [Promise.resolve(credentialOf('first'))]
    const credential = () => answers.pop() ?? new Promise<never>(() => undefined)
    const error = thrownBy(transport({ clock, credential, callTimeout: 5_000 })(call))
    while (finished.length < 1) await setImmediate()
    await clock.pass(5_000)
    expect(await error).toMatchObject({ code: 'InternalError', action: call.action })
  })
})

describe('a credential that the API refuses', () => {
  const REFUSED = failure(400, 'InvalidSecurityToken.Expired')
  let current: Credential
  let next: Credential
  let told: Credential[]
  beforeEach(() => {
    current = credentialOf('first')
    next = credentialOf('second')
    told = []
  })
  const renewing = (options: Partial<TransportOptions> = {}) =>
    transport({
      credential: async () => current,
      onRefused: async (refused) => {
        told.push(refused)
        current = next
      },
      ...options,
    })

  test.each(['InvalidSecurityToken.Expired', 'InvalidAccessKeyId.NotFound', 'SignatureDoesNotMatch'])(
    '%s: the call is made again with the next one',
    async (code) => {
      replies = [failure(400, code), ok()]
      const first = current
      expect(await renewing()(call)).toMatchObject({ RequestId: 'REQ-OK' })
      expect(told).toEqual([first])
      expect(tokens).toEqual(['first', 'second'])
      expect(finished.map((one) => [one.code, one.attempt])).toEqual([
        [code, 1],
        ['OK', 2],
      ])
    },
  )

  test('is the error when there is no other one', async () => {
    replies = [REFUSED]
    next = credentialOf('first')
    expect(await thrownBy(renewing()(call))).toMatchObject({ code: 'InvalidSecurityToken.Expired', kind: 'identity' })
    expect(await thrownBy(transport()(call))).toMatchObject({ code: 'InvalidSecurityToken.Expired' })
    expect(tokens).toEqual(['first', TOKEN])
  })

  test('is replaced once in a call, which otherwise goes on as ever', async () => {
    replies = [REFUSED]
    let number = 0
    const everNew = async () => credentialOf(`token-${++number}`)
    expect(await thrownBy(renewing({ credential: everNew })(call))).toMatchObject({ kind: 'identity' })
    expect(requests).toHaveLength(2)
    replies = [REFUSED, failure(500, 'InternalError'), ok()]
    current = credentialOf('first')
    await renewing()(call)
    expect(tokens.slice(2)).toEqual(['first', 'second', 'second'])
  })

  test('and whose source then fails: that is the error', async () => {
    replies = [REFUSED]
    const gone = new CloudError('gone', { action: 'credential', code: 'CredentialFile' })
    const credentials = [Promise.resolve(current)]
    expect(await thrownBy(renewing({ credential: () => credentials.pop() ?? Promise.reject(gone) })(call))).toBe(gone)
  })

  test('is not what a denial means', async () => {
    replies = [failure(403, 'Forbidden.RAM')]
    expect(await thrownBy(renewing()(call))).toMatchObject({ code: 'Forbidden.RAM', kind: 'identity' })
    expect(told).toEqual([])
  })
})

describe('what is gone already', () => {
  test('is success for detach and delete', async () => {
    replies = [failure(404, 'InvalidEcsId.NotFound'), failure(404, 'InvalidEniId.NotFound')]
    const ecs = createEcs(transport())
    await ecs.detachEni(ENI, INSTANCE)
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
