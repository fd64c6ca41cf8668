import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { HastyClock, ManualClock } from '../../test/credentials/clocks.ts'
import { HttpService } from '../../test/credentials/http-service.ts'
import { rejection, visibleText } from '../../test/credentials/reveal.ts'
import { CloudError } from '../error.ts'
import { Metadata } from '../metadata.ts'
import { createTransport } from '../transport.ts'
import { CredentialCache } from './cache.ts'
import type { CredentialProvider, TimedCredential } from './credential.ts'
import { keyFilesProvider } from './key-files.ts'
import { ramRoleProvider } from './ram-role.ts'
import { staticKeyProvider } from './static-key.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Numbers its credentials: `STS.1`, `STS.2`, … */
class ScriptedProvider implements CredentialProvider {
  readonly name = 'scripted provider'
  fetches = 0
  /** What a fetch ends with; undefined: a credential. */
  fault: Error | undefined
  /** Of each credential, ms; undefined: it does not expire. */
  life: number | undefined = HOUR
  /** Fetches wait for it. */
  gate: Promise<void> = Promise.resolve()
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  async fetch(): Promise<TimedCredential> {
    const number = ++this.fetches
    await this.gate
    if (this.fault !== undefined) throw this.fault
    const key = { accessKeyId: `STS.${number}`, accessKeySecret: 'geheim' }
    return this.life === undefined ? key : { ...key, expiration: this.#clock.now() + this.life }
  }
}

const AWAY = new CloudError('it is away; look after it', { action: 'metadata', code: 'Network' })
const WRONG = new CloudError('it is wrong; correct it', { action: 'metadata', code: 'CredentialFile' })

const opened: CredentialCache[] = []
afterEach(() => {
  for (const cache of opened.splice(0)) cache.close()
})

function openCache() {
  const clock = new ManualClock()
  const provider = new ScriptedProvider(clock)
  const failures: unknown[] = []
  const onRefreshFailed = (error: unknown) => failures.push(error)
  const cache = CredentialCache.open({ provider, clock, random: () => 0, onRefreshFailed })
  opened.push(cache)
  const keyId = async () => (await cache.credential()).accessKeyId
  return { clock, provider, failures, cache, keyId }
}

describe('fetching', () => {
  test('begins with the first call, and a hundred of them share it', async () => {
    const { provider, keyId } = openCache()
    expect(provider.fetches).toBe(0)
    const ids = await Promise.all(Array.from({ length: 100 }, keyId))
    expect(new Set(ids)).toEqual(new Set(['STS.1']))
    expect(provider.fetches).toBe(1)
    expect(await keyId()).toBe('STS.1')
    expect(provider.fetches).toBe(1)
  })

  test('of the RAM role takes three requests for a hundred first calls', async () => {
    const clock = new HastyClock()
    const credential = {
      Code: 'Success',
      AccessKeyId: 'STS.1',
      AccessKeySecret: 'geheim',
      SecurityToken: 'geheim',
      Expiration: '2024-08-30T18:00:00Z',
    }
    const answers: Record<string, string> = {
      'PUT api/token': 'token',
      'GET meta-data/ram/security-credentials/': 'role',
    }
    await using service = await HttpService.start(({ method, path }) => ({
      text: answers[`${method} ${path.replace('/latest/', '')}`] ?? JSON.stringify(credential),
    }))
    const provider = ramRoleProvider(Metadata.open(service.url, { clock }))
    const cache = CredentialCache.open({ provider, clock: new ManualClock() })
    opened.push(cache)
    await Promise.all(Array.from({ length: 100 }, () => cache.credential()))
    expect(service.calls).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/ram/security-credentials/',
      'GET /latest/meta-data/ram/security-credentials/role',
    ])
  })

  test('a key that stays is fetched once and never again', async () => {
    const { clock, provider, keyId } = openCache()
    provider.life = undefined
    await keyId()
    expect(clock.pending).toEqual([])
    await clock.pass(1_000 * HOUR)
    expect(await keyId()).toBe('STS.1')
  })
})

describe('before a credential expires', () => {
  test('the next one is fetched, asked for or not, and nobody waits for it', async () => {
    const { clock, provider, keyId } = openCache()
    await keyId()
    expect(clock.pending).toEqual([45 * MINUTE])
    const gate = Promise.withResolvers<void>()
    provider.gate = gate.promise
    await clock.pass(45 * MINUTE)
    expect(provider.fetches).toBe(2)
    expect(await keyId()).toBe('STS.1')
    gate.resolve()
    await setImmediate()
    expect(await keyId()).toBe('STS.2')
    await clock.pass(10 * HOUR)
    // One fetch every 45 minutes.
    expect(provider.fetches).toBe(2 + Math.floor((10 * HOUR) / (45 * MINUTE)))
  })

  test('key files that have been rotated are noticed', async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'terway-cache-'))
    const write = async (id: string) => {
      await writeFile(join(directory.path, 'access-key-id'), id)
      await writeFile(join(directory.path, 'access-key-secret'), 'geheim')
    }
    const clock = new ManualClock()
    const failed = Promise.withResolvers<unknown>()
    const provider = keyFilesProvider(directory.path)
    const cache = CredentialCache.open({ provider, clock, random: () => 0, onRefreshFailed: failed.resolve })
    opened.push(cache)
    await write('LTAI-1')
    expect((await cache.credential()).accessKeyId).toBe('LTAI-1')
    await write('')
    await clock.pass(MINUTE)
    expect(visibleText(await failed.promise)).toContain('access-key-id does not hold one word')
    expect((await cache.credential()).accessKeyId).toBe('LTAI-1')
    await write('LTAI-2')
    await clock.pass(MINUTE)
    while ((await cache.credential()).accessKeyId === 'LTAI-1') await setImmediate()
    expect((await cache.credential()).accessKeyId).toBe('LTAI-2')
  })
})

describe('while the issuer is away', () => {
  test('calls go on as long as the credential lives, and the issuer is asked ever more seldom', async () => {
    const { clock, provider, failures, keyId } = openCache()
    await keyId()
    provider.fault = AWAY
    await clock.pass(HOUR - 1)
    expect(await keyId()).toBe('STS.1')
    // In a quarter of an hour: at once, then after 0.5, 1, 2, 4, 8, 16 s, then every half minute.
    expect(failures).toEqual(new Array(35).fill(AWAY))
    provider.fault = undefined
    await clock.pass(30 * SECOND)
    expect(await keyId()).toBe(`STS.${provider.fetches}`)
    expect(failures).toHaveLength(35)
  })

  test('then the error names the provider, the end and the advice, and calls are no load', async () => {
    const { clock, provider, cache, failures } = openCache()
    await cache.credential()
    provider.fault = AWAY
    await clock.pass(HOUR)
    const before = provider.fetches
    const errors = await Promise.all(Array.from({ length: 100 }, () => rejection(cache.credential())))
    expect(provider.fetches).toBe(before)
    expect(errors[99]).toMatchObject({
      name: 'CloudError',
      action: 'credential',
      code: 'Network',
      kind: 'transient',
      cause: AWAY,
    })
    const message =
      /no credential from scripted provider \(the last one expired at 2024-08-30T13:00:00\.000Z\): .*look after it/
    expect(errors[99]).toMatchObject({ message: expect.stringMatching(message) })
    expect(failures).toHaveLength(before - 1)
  })

  test('callers wait for a fetch that is under way', async () => {
    const { clock, provider, keyId } = openCache()
    provider.fault = AWAY
    await rejection(keyId())
    const gate = Promise.withResolvers<void>()
    provider.gate = gate.promise
    await clock.pass(SECOND)
    provider.fault = undefined
    const waiting = keyId()
    gate.resolve()
    expect(await waiting).toBe('STS.2')
  })

  test('a first fetch that failed is made again in time, not by each call', async () => {
    const { clock, provider, keyId } = openCache()
    provider.fault = AWAY
    for (let call = 0; call < 20; call++) await rejection(keyId())
    expect(provider.fetches).toBe(1)
    provider.fault = undefined
    await clock.pass(500)
    expect(await keyId()).toBe('STS.2')
  })

  test('a fetch that succeeds makes up for those that failed', async () => {
    const { clock, provider, keyId } = openCache()
    provider.fault = AWAY
    await rejection(keyId())
    await clock.pass(10 * SECOND)
    provider.fault = undefined
    await clock.pass(10 * SECOND)
    const fetches = provider.fetches
    clock.jump(2 * HOUR)
    expect(await keyId()).toBe(`STS.${fetches + 1}`)
    provider.fault = AWAY
    await clock.pass(45 * MINUTE)
    expect(clock.pending).toEqual([500])
  })

  test('what only somebody else can put right is asked for seldom from the start', async () => {
    const { clock, provider, keyId } = openCache()
    provider.fault = WRONG
    expect(await rejection(keyId())).toMatchObject({ code: 'CredentialFile', kind: 'identity' })
    expect(clock.pending).toEqual([30 * SECOND])
    await clock.pass(10 * MINUTE)
    expect(provider.fetches).toBe(21)
  })

  test.each(['EntityNotExist.Role.NotFound', 'QuotaExceeded', 'Forbidden.RAM'])(
    'a refusal with %s does not look like one of the resource',
    async (code) => {
      const { provider, keyId } = openCache()
      provider.fault = new CloudError('no', {
        action: 'AssumeRoleWithOIDC',
        code,
        advice: 'look at the role',
        requestId: 'R-1',
      })
      const error = await rejection(keyId())
      expect(error).toMatchObject({
        code: 'CredentialUnavailable',
        kind: 'identity',
        advice: 'look at the role',
        requestId: 'R-1',
      })
      expect(error).toMatchObject({ message: expect.stringContaining(`AssumeRoleWithOIDC failed with ${code}`) })
    },
  )

  test('an error of another kind is told like any other', async () => {
    const { provider, keyId } = openCache()
    provider.fault = new RangeError('a fault of ours')
    const fault = {
      code: 'CredentialUnavailable',
      message: expect.stringMatching(/scripted provider: a fault of ours/),
    }
    await expect(keyId()).rejects.toMatchObject(fault)
  })
})

describe('a clock that is set', () => {
  test('forth: the next call fetches, and refreshing goes on', async () => {
    const { clock, provider, keyId } = openCache()
    await keyId()
    clock.jump(2 * HOUR)
    expect(await keyId()).toBe('STS.2')
    expect(clock.pending).toEqual([45 * MINUTE])
    await clock.pass(45 * MINUTE)
    expect(provider.fetches).toBe(3)
  })

  test('back: the refresh comes when it would have come', async () => {
    const { clock, provider, keyId } = openCache()
    await keyId()
    clock.jump(-1_000 * HOUR)
    await clock.pass(45 * MINUTE)
    expect(provider.fetches).toBe(2)
    expect(await keyId()).toBe('STS.2')
  })

  test('back while the issuer is away: calls work again when it is back', async () => {
    const { clock, provider, keyId } = openCache()
    provider.fault = AWAY
    await rejection(keyId())
    clock.jump(-1_000 * HOUR)
    provider.fault = undefined
    await clock.pass(SECOND)
    expect(await keyId()).toBe('STS.2')
  })
})

test('a credential that has expired already is an error that points at the clock', async () => {
  const { clock, provider, failures, keyId } = openCache()
  provider.life = 0
  const message = expect.stringMatching(/expired at 2024-08-30T12:00:00.000Z; check the clock/)
  await expect(keyId()).rejects.toMatchObject({ code: 'CredentialExpired', message })
  await clock.pass(10 * MINUTE)
  expect(failures).toHaveLength(21)
})

describe('a credential that the API refuses', () => {
  test('is fetched anew once for all who were refused, and those who wait get the next one', async () => {
    const { clock, provider, cache, keyId } = openCache()
    const first = await cache.credential()
    const gate = Promise.withResolvers<void>()
    provider.gate = gate.promise
    const refusals = Promise.all(Array.from({ length: 100 }, () => cache.refused(first)))
    expect(await keyId()).toBe('STS.1')
    gate.resolve()
    await refusals
    expect(await keyId()).toBe('STS.2')
    expect(clock.pending).toEqual([45 * MINUTE])
    await clock.pass(MINUTE)
    await cache.refused(first)
    expect(provider.fetches).toBe(2)
  })

  test('again and again makes no load for the issuer', async () => {
    const { clock, provider, cache } = openCache()
    const fetchedAt: number[] = []
    const start = clock.now()
    for (let half = 0; half < 120; half++) {
      const before = provider.fetches
      await cache.refused(await cache.credential())
      if (provider.fetches > before) fetchedAt.push((clock.now() - start) / SECOND)
      await clock.pass(SECOND / 2)
    }
    // At 0 the first call fetches and the first refusal does.
    expect(fetchedAt).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5])
  })

  test('stays in use while its issuer is away, which is asked until it is back', async () => {
    const { clock, provider, cache, failures, keyId } = openCache()
    const first = await cache.credential()
    provider.fault = AWAY
    await cache.refused(first)
    expect(await keyId()).toBe('STS.1')
    expect(failures).toEqual([AWAY])
    provider.fault = undefined
    await clock.pass(500)
    expect(await keyId()).toBe('STS.3')
  })

  test('after the cache was closed is nobody’s business', async () => {
    const { provider, cache } = openCache()
    const first = await cache.credential()
    cache.close()
    await cache.refused(first)
    expect(provider.fetches).toBe(1)
  })
})

describe('closing', () => {
  test('ends the refreshing and the answers', async () => {
    const { clock, cache } = openCache()
    await cache.credential()
    cache.close()
    expect(clock.pending).toEqual([])
    await expect(cache.credential()).rejects.toMatchObject({ code: 'CredentialClosed' })
  })

  test('during a fetch leaves no timer', async () => {
    const { clock, provider, cache, keyId } = openCache()
    const gate = Promise.withResolvers<void>()
    provider.gate = gate.promise
    const waiting = keyId()
    cache.close()
    gate.resolve()
    expect(await waiting).toBe('STS.1')
    expect(clock.pending).toEqual([])
  })

  test('is not needed for the process to end', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const cache = CredentialCache.open({ provider: { name: 'x', refreshInterval: HOUR, fetch: async () => KEY } })
    opened.push(cache)
    await cache.credential()
    expect(timers()).toBe(before)
  })
})

const KEY = { accessKeyId: 'LTAI', accessKeySecret: 'geheim', securityToken: 'geheim-token' }

test('a cache and what it gives show no secret, not even of a careless provider', async () => {
  const cache = CredentialCache.open({ provider: { name: 'careless', fetch: async () => KEY } })
  opened.push(cache)
  expect(visibleText([await cache.credential(), cache])).not.toMatch(/geheim|LTAI/)
})

test('a token that was taken back costs a call one more attempt, the next call none', async () => {
  await using api = await HttpService.start(({ headers }) => {
    const good = headers['x-acs-security-token'] === 'token-2'
    const text = JSON.stringify(good ? {} : { Code: 'InvalidSecurityToken.Expired', RequestId: 'R-1' })
    return { status: good ? 200 : 400, text, headers: { 'content-type': 'application/json' } }
  })
  let fetches = 0
  const fetch = async () => ({ ...KEY, securityToken: `token-${++fetches}`, expiration: Date.now() + 6 * HOUR })
  const cache = CredentialCache.open({ provider: { name: 'issuer', fetch } })
  opened.push(cache)
  const host = new URL(api.url).host
  const transport = createTransport({
    ...{ endpoints: { ecs: host, vpc: host }, scheme: 'http', regionId: 'cn-hangzhou' },
    credential: () => cache.credential(),
    onRefused: (credential) => cache.refused(credential),
  })
  for (let call = 0; call < 3; call++) await transport({ service: 'ecs', action: 'DescribeInstances', query: {} })
  const tokens = api.asked.map(({ headers }) => headers['x-acs-security-token'])
  expect(tokens).toEqual(['token-1', 'token-2', 'token-2', 'token-2'])
})

test('calls are signed with it', async () => {
  await using api = await HttpService.start(() => ({ text: '{}', headers: { 'content-type': 'application/json' } }))
  const cache = CredentialCache.open({ provider: staticKeyProvider(KEY) })
  opened.push(cache)
  const host = new URL(api.url).host
  const transport = createTransport({
    endpoints: { ecs: host, vpc: host },
    scheme: 'http',
    regionId: 'cn-hangzhou',
    credential: () => cache.credential(),
  })
  await transport({ service: 'ecs', action: 'DescribeNetworkInterfaces', query: {} })
  expect(api.asked[0]?.headers.authorization).toMatch(/^ACS3-HMAC-SHA256 Credential=LTAI,/)
  expect(api.asked[0]?.headers['x-acs-security-token']).toBe('geheim-token')
})
