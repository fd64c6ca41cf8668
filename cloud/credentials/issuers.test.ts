import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { HastyClock } from '../../test/credentials/clocks.ts'
import { HttpService, type Reply } from '../../test/credentials/http-service.ts'
import { rejection, reveal, visibleText } from '../../test/credentials/reveal.ts'
import { Metadata } from '../metadata.ts'
import { oidcProvider } from './oidc.ts'
import type { OidcSettings } from './oidc-environment.ts'
import { ramRoleProvider } from './ram-role.ts'
import { uriProvider } from './uri.ts'

const ISSUED = {
  AccessKeyId: 'STS.1',
  AccessKeySecret: 'geheim-1',
  SecurityToken: 'geheim-2',
  Expiration: '2024-08-30T18:00:00Z',
}
const CREDENTIAL = {
  accessKeyId: 'STS.1',
  accessKeySecret: 'geheim-1',
  securityToken: 'geheim-2',
  expiration: Date.UTC(2024, 7, 30, 18),
}
const patience = () => ({ clock: new HastyClock(), random: () => 0, timeout: 5_000 })

test('the RAM role is found by its name, whichever it is by now', async () => {
  let role = 'first'
  const answers: Record<string, () => string> = {
    '/latest/api/token': () => 'token',
    '/latest/meta-data/ram/security-credentials/': () => role,
    '/latest/meta-data/ram/security-credentials/first': () => JSON.stringify({ ...ISSUED, Code: 'Success' }),
    '/latest/meta-data/ram/security-credentials/second': () =>
      JSON.stringify({ ...ISSUED, Code: 'Success', AccessKeyId: 'STS.2' }),
  }
  await using service = await HttpService.start(({ path }) => ({ text: answers[path]?.() ?? '' }))
  const provider = ramRoleProvider(Metadata.open(service.url))
  expect(reveal(await provider.fetch())).toEqual(CREDENTIAL)
  role = 'second'
  expect((await provider.fetch()).accessKeyId).toBe('STS.2')
})

describe('RRSA', () => {
  let directory: string
  let settings: OidcSettings

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'terway-oidc-'))
    const tokenFile = join(directory, 'token')
    await writeFile(tokenFile, 'eyJ.geheim-3.x\n')
    const arns = { roleArn: 'acs:ram::1:role/terway', providerArn: 'acs:ram::1:oidc-provider/ack' }
    settings = { ...arns, tokenFile, sessionName: 'terway', endpoint: '' }
  })

  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  const sts = (...replies: Reply[]) => HttpService.start(() => replies.shift() ?? { status: 500 })
  const granted = (credential: unknown = ISSUED) => ({
    text: JSON.stringify({ RequestId: 'R', Credentials: credential }),
  })
  const fetchFrom = (endpoint: string) => oidcProvider({ ...settings, endpoint }, patience()).fetch()

  test('exchanges the token of the service account, without a signature', async () => {
    await using service = await sts(granted())
    expect(reveal(await fetchFrom(service.url))).toEqual(CREDENTIAL)
    const [{ method, path, headers, body } = { method: '', path: '', headers: {}, body: '' }] = service.asked
    expect(method).toBe('POST')
    expect(Object.fromEntries(new URL(path, service.url).searchParams)).toEqual({
      Action: 'AssumeRoleWithOIDC',
      Version: '2015-04-01',
      Format: 'JSON',
      Timestamp: '2024-08-30T12:00:00Z',
    })
    expect(headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/)
    expect(headers.authorization).toBeUndefined()
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      RoleArn: 'acs:ram::1:role/terway',
      OIDCProviderArn: 'acs:ram::1:oidc-provider/ack',
      OIDCToken: 'eyJ.geheim-3.x',
      RoleSessionName: 'terway',
      DurationSeconds: '3600',
    })
  })

  test('reads the token at each fetch', async () => {
    await using service = await sts(granted(), granted())
    const provider = oidcProvider({ ...settings, endpoint: service.url }, patience())
    await provider.fetch()
    await writeFile(settings.tokenFile, 'eyJ.second.x')
    await provider.fetch()
    expect(service.asked.map(({ body }) => new URLSearchParams(body).get('OIDCToken'))).toEqual([
      'eyJ.geheim-3.x',
      'eyJ.second.x',
    ])
  })

  test('asks again what may pass', async () => {
    await using service = await sts({ status: 503 }, 'hang-up', granted())
    expect(reveal(await fetchFrom(service.url))).toEqual(CREDENTIAL)
    expect(service.calls).toHaveLength(3)
  })

  test('does not ask again when it is refused, and says why', async () => {
    const refusal = { Code: 'AuthenticationFail.NoPermission', RequestId: 'R-1', Message: 'not for eyJ.geheim-3.x' }
    await using service = await sts({ status: 403, text: JSON.stringify(refusal) }, granted())
    const error = await rejection(fetchFrom(service.url))
    expect(error).toMatchObject({ code: 'AuthenticationFail.NoPermission', kind: 'identity', requestId: 'R-1' })
    expect(error).toMatchObject({
      message: expect.stringMatching(/AssumeRoleWithOIDC.*check .*trust policy of the role/),
    })
    expect(visibleText(error)).not.toContain('geheim')
    expect(service.calls).toHaveLength(1)
  })

  test.each<[string, Reply, string]>([
    ['a page', { text: '<html>geheim-4</html>' }, 'BadAnswer'],
    ['a page with status 403', { status: 403, text: '<html>geheim-4</html>' }, 'CredentialRefused'],
    ['a code that is none', { status: 400, text: '{"Code": "geheim 4"}' }, 'CredentialRefused'],
    ['no credential', { text: '{"RequestId": "R", "geheim": 4}' }, 'BadAnswer'],
    ['a list', { text: '["geheim-4"]' }, 'BadAnswer'],
    ['half a credential', { text: '{"Credentials": {"AccessKeyId": "geheim-4"}}' }, 'BadAnswer'],
    ['a redirection', { status: 307, headers: { location: 'http://127.0.0.1:1/geheim-4' } }, 'CredentialRefused'],
  ])('is refused %s, and does not quote it', async (_, reply, code) => {
    await using service = await sts(reply)
    const error = await rejection(fetchFrom(service.url))
    expect(error).toMatchObject({ code })
    expect(visibleText(error)).not.toContain('geheim')
    expect(service.calls).toHaveLength(1)
  })

  test('names the variable of a token file that is missing', async () => {
    await rm(settings.tokenFile)
    const message = expect.stringMatching(/ENOENT.*ALIBABA_CLOUD_OIDC_TOKEN_FILE/)
    await expect(fetchFrom('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'CredentialFile', message })
  })

  test('says where STS cannot be reached', async () => {
    const message = expect.stringMatching(/127\.0\.0\.1:1 cannot be reached.*STS_ENDPOINT/)
    await expect(fetchFrom('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'Network', message })
  })

  test.each(['', 'https://', 'https://sts.x/.aliyuncs.com', 'https://a:b@sts'])('%j is no endpoint', (endpoint) => {
    expect(() => oidcProvider({ ...settings, endpoint }, patience())).toThrow(/correct STS_ENDPOINT/)
  })
})

describe('a credentials URI', () => {
  const fetchFrom = (uri: string) => uriProvider(uri, patience()).fetch()

  test('gives a credential', async () => {
    await using service = await HttpService.start(() => ({ text: JSON.stringify(ISSUED) }))
    expect(reveal(await fetchFrom(`${service.url}/path?key=geheim-5`))).toEqual(CREDENTIAL)
    expect(service.calls).toEqual(['GET /path?key=geheim-5'])
  })

  test.each<[string, Reply, string, number]>([
    ['refuses', { status: 403, text: 'geheim-4' }, 'CredentialRefused', 1],
    ['has a bad day', { status: 502, text: 'geheim-4' }, 'ServiceUnavailable', 4],
    ['is away', 'hang-up', 'Network', 4],
    ['gives a page', { text: '<html>geheim-4' }, 'BadAnswer', 1],
    ['gives a key without a token', { text: '{"AccessKeyId": "a", "AccessKeySecret": "geheim-4"}' }, 'BadAnswer', 1],
  ])('that %s is told by its origin alone', async (_, reply, code, calls) => {
    await using service = await HttpService.start(() => reply)
    const error = await rejection(fetchFrom(`${service.url}/geheim-6?key=geheim-5`))
    expect(error).toMatchObject({ code, message: expect.stringContaining(service.url) })
    expect(visibleText(error)).not.toContain('geheim')
    expect(service.calls).toHaveLength(calls)
  })

  test.each(['', 'geheim', 'file:///geheim', 'http://user:geheim@127.0.0.1/'])('is not %j', async (uri) => {
    const error = await rejection(Promise.resolve().then(() => fetchFrom(uri)))
    expect(error).toMatchObject({ code: 'CredentialSettings', kind: 'identity' })
    expect(error).toMatchObject({
      message: expect.stringMatching(/ALIBABA_CLOUD_CREDENTIALS_URI is none; give an http/),
    })
    expect(visibleText(error)).not.toContain('geheim')
  })
})
