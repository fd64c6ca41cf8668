import { describe, expect, test } from '@jest/globals'
import { visibleText } from '../../test/credentials/reveal.ts'
import { parseCloudId, type RegionId } from '../ids.ts'
import { METADATA_ENDPOINT, Metadata } from '../metadata.ts'
import { type CredentialConfig, chooseSource, type Surroundings } from './choose.ts'
import { createProvider } from './provider.ts'

const KEY_FILES = ['/var/alibaba-addon-secret/access-key-id', '/var/alibaba-addon-secret/access-key-secret']
const TOKEN_FILE = '/var/addon/token-config'
const KEY: CredentialConfig = { accessKey: { id: 'LTAI', secret: 'geheim' } }
const RRSA = {
  ALIBABA_CLOUD_ROLE_ARN: 'acs:ram::1:role/terway',
  ALIBABA_CLOUD_OIDC_PROVIDER_ARN: 'acs:ram::1:oidc-provider/ack',
  ALIBABA_CLOUD_OIDC_TOKEN_FILE: '/var/run/token',
}
const URI = { ALIBABA_CLOUD_CREDENTIALS_URI: 'http://127.0.0.1:9' }
const REGION = parseCloudId<RegionId>('cn-hangzhou')

interface Around extends Partial<Omit<Surroundings, 'exists'>> {
  readonly files?: readonly string[]
}
const choose = ({ files = [], ...around }: Around) =>
  chooseSource({ config: {}, env: {}, exists: (path) => files.includes(path), ...around })

describe('the first that is there wins', () => {
  const all = {
    config: { ...KEY, credentialPath: '/token' },
    env: { ...RRSA, ...URI },
    files: [...KEY_FILES, TOKEN_FILE],
  }
  test.each<[string, Around]>([
    ['key-files', all],
    ['static-key', { ...all, files: [TOKEN_FILE] }],
    ['addon-token', { ...all, files: [TOKEN_FILE], config: { credentialPath: '/token' } }],
    ['addon-token', { ...all, files: [TOKEN_FILE], config: {} }],
    ['oidc', { ...all, files: [], config: {} }],
    ['uri', { env: URI }],
    ['ram-role', {}],
  ])('%s', (kind, around) => {
    const { source } = choose(around)
    expect(source.kind).toBe(kind)
    const tools = {
      metadata: Metadata.open(METADATA_ENDPOINT),
      patience: { clock: undefined as never, random: () => 0, timeout: 1 },
    }
    expect(createProvider(source, tools).name).toMatch(NAMES[source.kind])
  })
  const NAMES = {
    'key-files': /^key files in \/var\/alibaba-addon-secret$/,
    'static-key': /^access_key/,
    'addon-token': /^add-on token in \/(token|var\/addon\/token-config)$/,
    oidc: /^RRSA as acs:ram::1:role\/terway$/,
    uri: /^credentials URI at http:\/\/127\.0\.0\.1:9$/,
    'ram-role': /^RAM role/,
  }

  test('a key that files override is told of', () => {
    expect(choose(all).warnings).toEqual([expect.stringMatching(/access_key of the configuration is overridden/)])
  })
})

test('a configured path counts whether or not there is a file', () => {
  expect(choose({ config: { credentialPath: '/token' } }).source).toEqual({ kind: 'addon-token', path: '/token' })
  expect(choose({ config: { credentialPath: '' } }).source).toEqual({ kind: 'ram-role' })
})

test('one key file is a warning and no key', () => {
  for (const [index, file] of KEY_FILES.entries()) {
    const { source, warnings } = choose({ config: KEY, files: [file] })
    expect(source.kind).toBe('static-key')
    expect(warnings).toEqual([
      expect.stringMatching(index === 0 ? /access-key-secret is missing/ : /access-key-id is missing/),
    ])
  }
})

test('the chosen source shows no secret', () => {
  expect(visibleText(choose({ config: KEY }))).not.toContain('geheim')
})

describe('RRSA', () => {
  test.each(Object.keys(RRSA))('without %s is a warning that names it', (name) => {
    const { source, warnings } = choose({ env: { ...RRSA, [name]: '' } })
    expect(source.kind).toBe('ram-role')
    expect(warnings).toEqual([`RRSA is not used for a credential: ${name} not set`])
  })

  test.each<[string, Record<string, string>, RegionId | undefined]>([
    ['https://sts.aliyuncs.com', {}, undefined],
    ['https://sts.cn-hangzhou.aliyuncs.com', {}, REGION],
    ['https://sts.cn-beijing.aliyuncs.com', { ALIBABA_CLOUD_STS_REGION: 'cn-beijing' }, REGION],
    ['https://sts-vpc.cn-hangzhou.aliyuncs.com', { ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED: 'True' }, REGION],
    ['https://sts.cn-hangzhou.aliyuncs.com', { ALICLOUD_CLIENT_SCHEME: 'HTTP' }, REGION],
    ['https://127.0.0.1:8', { STS_ENDPOINT: '127.0.0.1:8' }, REGION],
    ['http://127.0.0.1:8', { STS_ENDPOINT: 'https://127.0.0.1:8/path', ALICLOUD_CLIENT_SCHEME: 'http' }, REGION],
  ])('asks %s given %j', (endpoint, env, regionId) => {
    const { source } = choose({ env: { ...RRSA, ...env }, ...(regionId === undefined ? {} : { regionId }) })
    expect(source).toEqual({
      kind: 'oidc',
      settings: {
        roleArn: RRSA.ALIBABA_CLOUD_ROLE_ARN,
        providerArn: RRSA.ALIBABA_CLOUD_OIDC_PROVIDER_ARN,
        tokenFile: RRSA.ALIBABA_CLOUD_OIDC_TOKEN_FILE,
        sessionName: 'terway',
        endpoint,
      },
    })
  })

  test('takes the name of the session', () => {
    const { source } = choose({ env: { ...RRSA, ALIBABA_CLOUD_ROLE_SESSION_NAME: 'node-1' } })
    expect(source).toMatchObject({ settings: { sessionName: 'node-1' } })
  })
})
