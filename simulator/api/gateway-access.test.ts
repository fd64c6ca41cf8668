/** Who may do what how often: RAM, temporary keys, throttling. */
import { describe, expect, test } from '@jest/globals'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import { type RequestOptions, signedRequest } from '../../test/simulator/sign-request.ts'
import { Cloud } from '../cloud/cloud.ts'
import { MetadataService } from '../metadata/metadata-service.ts'
import { VPC } from './action.ts'
import { Audit } from './audit.ts'
import { Gateway } from './gateway.ts'
import type { SignedRequest } from './signature.ts'
import { TemporaryKeys } from './temporary-keys.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = Date.parse('2026-11-21T05:39:00Z')
const NODE = { instanceType: 'ecs.g7.xlarge', vSwitch: 'vsw-sim-h' }
const REGION = {
  latencies: NO_LATENCY,
  accessKeys: [
    { id: 'LTAIsim', secret: 'sim-secret' },
    { id: 'LTAIother', secret: 'other' },
    {
      id: 'LTAIreader',
      secret: 'reader',
      policy: { allow: ['ecs:Describe*', 'vpc:*'], deny: ['vpc:DeleteRouteEntry'] },
    },
  ],
  ramRoles: [{ name: 'node-role', keyLife: 7200, policy: { allow: ['ecs:Describe*'] } }],
  nodes: [
    { ...NODE, name: 'node-a', instanceId: 'i-sim-a', primaryIp: '10.0.1.10', ramRole: 'node-role' },
    { ...NODE, name: 'node-b', instanceId: 'i-sim-b', primaryIp: '10.0.1.11' },
  ],
}

function testAccess(changes: Readonly<Record<string, unknown>> = {}) {
  let time = START
  const region = testRegion({ ...REGION, ...changes })
  const now = () => time
  const cloud = new Cloud({ region, now })
  const audit = new Audit()
  const temporaryKeys = new TemporaryKeys(now)
  const onInternalError = (error: unknown) => {
    throw error
  }
  const changed = async () => undefined
  const gateway = new Gateway({ cloud, audit, now, changed, onInternalError, temporaryKeys })
  const metadata = new MetadataService({ cloud, now, temporaryKeys })
  const call = async (action: string, options: Partial<RequestOptions> = {}) =>
    await gateway.answer(signedRequest({ action, query: { RegionId: 'cn-sim' }, now: time, ...options }))
  const read = (path: string, address = '10.0.1.10') =>
    metadata.answer({ method: 'GET', path: `/latest/meta-data/ram/${path}`, headers: {}, address })
  const pass = (milliseconds: number) => {
    time += milliseconds
  }
  return { audit, gateway, call, read, pass }
}

describe('policies', () => {
  const reader = { keyId: 'LTAIreader', secret: 'reader' }

  test('what a key may do is done', async () => {
    const { call } = testAccess()
    expect((await call('DescribeInstances', reader)).status).toBe(200)
    expect((await call('DescribeVSwitches', { ...reader, version: VPC })).status).toBe(200)
  })

  test.each([
    ['DeleteNetworkInterface', 'ecs:DeleteNetworkInterface', 'ImplicitDeny', {}],
    ['DeleteRouteEntry', 'vpc:DeleteRouteEntry', 'ExplicitDeny', { version: VPC }],
  ])('%s is denied with %s, %s', async (action, authAction, denial, options) => {
    const { call, audit } = testAccess()
    const { status, body } = await call(action, { ...reader, ...options })
    expect(status).toBe(403)
    expect(body).toMatchObject({
      Code: 'Forbidden.RAM',
      AccessDeniedDetail: {
        AuthAction: authAction,
        AuthPrincipalType: 'SubUser',
        AuthPrincipalOwnerId: '100000000000001',
        AuthPrincipalDisplayName: 'LTAIreader',
        NoPermissionType: denial,
        PolicyType: 'AccountLevelIdentityBasedPolicy',
        EncodedDiagnosticMessage: expect.any(String),
      },
    })
    expect(audit.entries).toMatchObject([{ code: 'Forbidden.RAM', key: 'LTAIreader', effect: false }])
  })
})

describe("throttling by the region's own limits", () => {
  test('is by action, for all keys together, until the next minute of the clock', async () => {
    const { call, pass } = testAccess({ throttle: { DescribeInstances: 2 } })
    const reader = { keyId: 'LTAIreader', secret: 'reader' }
    pass(50_000)
    const codes = []
    for (const key of [{}, reader, {}, reader]) codes.push((await call('DescribeInstances', key)).body.Code)
    expect(codes).toEqual([undefined, undefined, 'Throttling.User', 'Throttling.User'])
    const { status, headers } = await call('DescribeInstances')
    expect([status, headers]).toEqual([400, { 'x-acs-retry-after': '10000' }])
    expect((await call('DescribeInstanceTypes')).status).toBe(200)
    pass(10_000)
    expect((await call('DescribeInstances')).status).toBe(200)
  })
})

interface RoleCredentials {
  readonly AccessKeyId: string
  readonly AccessKeySecret: string
  readonly SecurityToken: string
  readonly Expiration: string
}

const signing = ({ AccessKeyId, AccessKeySecret, SecurityToken }: RoleCredentials) => ({
  ...{ keyId: AccessKeyId, secret: AccessKeySecret, securityToken: SecurityToken },
})

describe('keys of RAM roles', () => {
  const credentials = ({ read }: Pick<ReturnType<typeof testAccess>, 'read'>): RoleCredentials =>
    JSON.parse(read('security-credentials/node-role').text)

  test('are there for the instance that has the role, and for no other', () => {
    const { read } = testAccess()
    expect(read('')).toEqual({ status: 200, text: 'security-credentials/' })
    expect(read('security-credentials/')).toEqual({ status: 200, text: 'node-role' })
    expect(JSON.parse(read('security-credentials/node-role').text)).toEqual({
      AccessKeyId: expect.stringMatching(/^STS\./),
      AccessKeySecret: expect.any(String),
      SecurityToken: expect.any(String),
      Expiration: '2026-11-21T07:39:00Z',
      LastUpdated: '2026-11-21T05:39:00Z',
      Code: 'Success',
    })
    expect(read('security-credentials/other').status).toBe(404)
    expect(read('', '10.0.1.11').status).toBe(404)
    expect(read('security-credentials/node-role', '10.0.1.11').status).toBe(404)
  })

  test('do what the role may do, and nothing else', async () => {
    const { call, read } = testAccess()
    const key = signing(credentials({ read }))
    expect((await call('DescribeInstances', key)).status).toBe(200)
    expect((await call('DeleteNetworkInterface', key)).body).toMatchObject({
      Code: 'Forbidden.RAM',
      AccessDeniedDetail: { AuthPrincipalType: 'AssumedRoleUser', AuthPrincipalDisplayName: 'node-role:i-sim-a' },
    })
  })

  test('are renewed half an hour before they expire; both are good until then', async () => {
    const { call, read, pass } = testAccess()
    const first = credentials({ read })
    pass(2 * HOUR - 30 * MINUTE - 1)
    expect(credentials({ read })).toEqual(first)
    pass(1)
    const second = credentials({ read })
    expect(second.AccessKeyId).not.toBe(first.AccessKeyId)
    expect(second.Expiration).toBe('2026-11-21T09:09:00Z')
    const codes = async () => [
      (await call('DescribeInstances', signing(first))).body.Code,
      (await call('DescribeInstances', signing(second))).body.Code,
    ]
    pass(30 * MINUTE - 1)
    expect(await codes()).toEqual([undefined, undefined])
    pass(1)
    expect(await codes()).toEqual(['InvalidSecurityToken.Expired', undefined])
    pass(2 * HOUR)
    credentials({ read })
    expect((await call('DescribeInstances', signing(first))).body.Code).toBe('InvalidAccessKeyId.NotFound')
  })

  test.each<[string, (key: ReturnType<typeof signing>) => Partial<RequestOptions>, string]>([
    ['without its token', ({ keyId, secret }) => ({ keyId, secret }), 'MissingSecurityToken'],
    ['with what is no token', (key) => ({ ...key, securityToken: 'x' }), 'InvalidSecurityToken.Malformed'],
    [
      'with the token of another',
      (key) => ({ ...key, securityToken: `CAIS${'x'.repeat(80)}` }),
      'InvalidSecurityToken.MismatchWithAccessKey',
    ],
    ['with another secret', (key) => ({ ...key, secret: 'x' }), 'SignatureDoesNotMatch'],
    ['with a permanent key', ({ securityToken }) => ({ securityToken }), 'InvalidSecurityToken.MismatchWithAccessKey'],
  ])('a call %s is refused', async (_, options, code) => {
    const { call, read } = testAccess()
    const { status, body } = await call('DescribeInstances', options(signing(credentials({ read }))))
    expect([status, body.Code]).toEqual([400, code])
  })
})

describe('AssumeRoleWithOIDC', () => {
  const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`
  const VALID = jwt({ iss: 'https://issuer', sub: 'system:serviceaccount:kube-system:terway', exp: START / 1000 + 60 })
  const FORM = {
    RoleArn: 'acs:ram::100000000000001:role/node-role',
    OIDCProviderArn: 'acs:ram::100000000000001:oidc-provider/ack-rrsa-c1',
    OIDCToken: VALID,
    RoleSessionName: 'terway',
  }
  /** As the official credentials package sends it. */
  const request = (form: Readonly<Record<string, string>>): SignedRequest => ({
    method: 'POST',
    path: '/',
    query: new Map([
      ['Action', 'AssumeRoleWithOIDC'],
      ['Version', '2015-04-01'],
      ['Format', 'JSON'],
    ]),
    headers: new Map([
      ['host', 'sts.test'],
      ['content-type', 'application/x-www-form-urlencoded'],
    ]),
    body: Buffer.from(new URLSearchParams(form).toString()),
  })

  test('gives a key for a token, and the token is not in the audit', async () => {
    const { gateway, call, audit, pass } = testAccess()
    const { status, body } = await gateway.answer(request(FORM))
    expect(status).toBe(200)
    expect(body).toMatchObject({
      Credentials: { Expiration: '2026-11-21T06:39:00Z' },
      AssumedRoleUser: { Arn: 'acs:ram::100000000000001:role/node-role/terway' },
      OIDCTokenInfo: { Subject: 'system:serviceaccount:kube-system:terway', Issuer: 'https://issuer' },
    })
    expect(JSON.stringify(audit.entries)).not.toContain(VALID)
    expect(audit.entries[0]?.parameters).toMatchObject({ RoleArn: FORM.RoleArn, OIDCToken: '(not shown)' })
    const key = signing(body.Credentials as unknown as RoleCredentials)
    expect((await call('DescribeInstances', key)).status).toBe(200)
    pass(HOUR)
    expect((await call('DescribeInstances', key)).body.Code).toBe('InvalidSecurityToken.Expired')
  })

  test('lasts as long as it is asked to', async () => {
    const { gateway } = testAccess()
    const { body } = await gateway.answer(request({ ...FORM, DurationSeconds: '7200' }))
    expect(body).toMatchObject({ Credentials: { Expiration: '2026-11-21T07:39:00Z' } })
  })

  test('never lasts longer than the keys of the role', async () => {
    const { gateway } = testAccess({ ramRoles: [{ name: 'node-role', keyLife: 60 }] })
    const { body } = await gateway.answer(request({ ...FORM, DurationSeconds: '3600' }))
    expect(body).toMatchObject({ Credentials: { Expiration: '2026-11-21T05:40:00Z' } })
  })

  test.each<[Partial<typeof FORM> & { DurationSeconds?: string; Policy?: string }, number, string]>([
    [{ RoleArn: '' }, 400, 'MissingParameter'],
    [{ RoleArn: 'node-role' }, 400, 'InvalidParameter'],
    [{ RoleArn: 'acs:ram::100000000000001:role/other' }, 404, 'EntityNotExist.Role'],
    [{ RoleArn: 'acs:ram::200000000000002:role/node-role' }, 404, 'EntityNotExist.Role'],
    [{ OIDCProviderArn: 'acs:ram::2:oidc-provider/x' }, 400, 'InvalidParameter'],
    [{ OIDCToken: '' }, 400, 'MissingParameter'],
    [{ OIDCToken: 'x' }, 400, 'AuthenticationFail.OIDCToken.Invalid'],
    [{ OIDCToken: 'a.b.c' }, 400, 'AuthenticationFail.OIDCToken.Invalid'],
    [{ OIDCToken: jwt({ exp: START / 1000 }) }, 400, 'AuthenticationFail.OIDCToken.Expired'],
    [{ RoleSessionName: 'a b' }, 400, 'InvalidParameter'],
    [{ DurationSeconds: '899' }, 400, 'InvalidParameter'],
    [{ DurationSeconds: '7201' }, 400, 'InvalidParameter'],
    [{ Policy: '{"Version":"1","Statement":[]}' }, 400, 'UnsupportedParameter'],
  ])('%j: %d %s', async (changes, expected, code) => {
    const { gateway } = testAccess()
    const { status, body } = await gateway.answer(request({ ...FORM, ...changes }))
    expect([status, body.Code]).toEqual([expected, code])
  })

  test('no other action goes without a signature', async () => {
    const { gateway } = testAccess()
    const query = new Map([
      ['Action', 'DescribeInstances'],
      ['Version', '2014-05-26'],
      ['RegionId', 'cn-sim'],
    ])
    const { body } = await gateway.answer({ ...request(FORM), query })
    expect(body.Code).toBe('IncompleteSignature')
  })
})

test('pages go on for a quarter of an hour, and only with the filter they began with', async () => {
  const { call, pass } = testAccess({
    nodes: Array.from({ length: 12 }, (_, i) => ({
      ...{ ...NODE, name: `n${i}`, instanceId: `i-n${i}`, primaryIp: `10.0.1.${i + 1}` },
    })),
  })
  const list = async (query: Readonly<Record<string, string>>) =>
    (await call('DescribeNetworkInterfaces', { query: { RegionId: 'cn-sim', ...query } })).body
  const { NextToken } = await list({})
  const token = String(NextToken)
  expect(await list({ NextToken: token })).toMatchObject({
    NextToken: '',
    NetworkInterfaceSets: {
      NetworkInterfaceSet: [{ PrivateIpAddress: '10.0.1.11' }, { PrivateIpAddress: '10.0.1.12' }],
    },
  })
  expect(await list({ NextToken: token, Type: 'Primary' })).toMatchObject({ Code: 'InvalidParameter.NextToken' })
  pass(15 * MINUTE)
  expect(await list({ NextToken: token })).toMatchObject({ Code: 'InvalidParameter.NextToken' })
})

test('a ClientToken is good whatever key the call is repeated with', async () => {
  const { call } = testAccess()
  const query = { RegionId: 'cn-sim', VSwitchId: 'vsw-sim-h', SecurityGroupId: 'sg-sim', ClientToken: 't' }
  const first = await call('CreateNetworkInterface', { query })
  const second = await call('CreateNetworkInterface', { query, keyId: 'LTAIother', secret: 'other' })
  expect(second.body.NetworkInterfaceId).toBe('eni-sim00000003')
  expect(first.body.NetworkInterfaceId).toBe('eni-sim00000003')
})
