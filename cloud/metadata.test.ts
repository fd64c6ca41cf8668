import { describe, expect, test } from '@jest/globals'
import { parseMac } from '../inet/address.ts'
import { HastyClock } from '../test/credentials/clocks.ts'
import { type Asked, HttpService, type Reply } from '../test/credentials/http-service.ts'
import { rejection, reveal, visibleText } from '../test/credentials/reveal.ts'
import { Metadata, readNodeFacts } from './metadata.ts'

const MAC = '00:16:3e:00:00:02'
const ENI = `network/interfaces/macs/${MAC}`
const ITEMS: Readonly<Record<string, string>> = {
  'instance-id': 'i-bp1',
  'instance/instance-type': 'ecs.g7.xlarge',
  'region-id': 'cn-hangzhou',
  'zone-id': 'cn-hangzhou-h',
  'vpc-id': 'vpc-bp1',
  'vswitch-id': 'vsw-bp1',
  'private-ipv4': '10.0.1.10',
  mac: '00:16:3E:00:00:01\n',
  'network/interfaces/macs/': `00:16:3e:00:00:01/\n${MAC}/`,
  [`${ENI}/network-interface-id`]: 'eni-bp2',
  [`${ENI}/vpc-id`]: 'vpc-bp1',
  [`${ENI}/vswitch-id`]: 'vsw-bp2',
  [`${ENI}/primary-ip-address`]: '10.0.2.10',
  [`${ENI}/private-ipv4s`]: '["10.0.2.10","10.0.2.11"]',
  [`${ENI}/gateway`]: '10.0.2.253',
  [`${ENI}/vswitch-cidr-block`]: '10.0.2.0/24',
  [`${ENI}/vpc-cidr-block`]: '10.0.0.0/16',
}
const IPV6_ITEMS = {
  [`${ENI}/ipv6s`]: '[fd00:0::1, fd00::2]',
  [`${ENI}/ipv4-prefixes`]: '10.0.2.16/28',
  [`${ENI}/ipv6-prefixes`]: '["fd00:0:0:0:1::/80"]',
  [`${ENI}/ipv6-gateway`]: 'fd00::fff7',
  [`${ENI}/vswitch-ipv6-cidr-block`]: 'fd00::/64',
}
const FACTS = {
  instanceId: 'i-bp1',
  instanceType: 'ecs.g7.xlarge',
  regionId: 'cn-hangzhou',
  zoneId: 'cn-hangzhou-h',
  vpcId: 'vpc-bp1',
  vSwitchId: 'vsw-bp1',
  primaryIp: '10.0.1.10',
  primaryMac: '00:16:3e:00:00:01',
}
const ENI_FACTS = {
  mac: MAC,
  id: 'eni-bp2',
  vpcId: 'vpc-bp1',
  vSwitchId: 'vsw-bp2',
  primaryIp: '10.0.2.10',
  ipv4s: ['10.0.2.10', '10.0.2.11'],
  ipv6s: [],
  ipv4Prefixes: [],
  ipv6Prefixes: [],
  gateway: '10.0.2.253',
  vSwitchCidr: '10.0.2.0/24',
  vpcCidr: '10.0.0.0/16',
}
const PUT = 'PUT /latest/api/token'
const GET_ID = 'GET /latest/meta-data/instance-id'

interface Service {
  readonly http: HttpService
  readonly clock: HastyClock
  readonly metadata: Metadata
  items: Readonly<Record<string, string>>
  /** 200 or what a request for a token is answered with. */
  putStatus: number
  /** What an item without a token is answered with. */
  bareStatus: number
  /** The token that is good now. */
  token: string
  /** Answers of trouble that come before all others. */
  readonly trouble: Reply[]
  [Symbol.asyncDispose](): Promise<void>
}

async function startService(): Promise<Service> {
  const http = await HttpService.start((asked) => service.trouble.shift() ?? answer(service, asked))
  const clock = new HastyClock()
  const metadata = Metadata.open(http.url, { clock, random: () => 0 })
  const rules = { items: ITEMS, putStatus: 200, bareStatus: 200, token: 'token-1', trouble: [] }
  const service: Service = { http, clock, metadata, ...rules, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
  return service
}

function answer({ items, putStatus, bareStatus, token }: Service, { method, path, headers }: Asked): Reply {
  if (method === 'PUT') return putStatus === 200 ? { text: token } : { status: putStatus }
  const given = headers['x-aliyun-ecs-metadata-token']
  const status = given === undefined ? bareStatus : given === token ? 200 : 401
  if (status !== 200) return { status }
  const text = items[path.replace('/latest/meta-data/', '')]
  return text === undefined ? { status: 404 } : { text }
}

describe('facts', () => {
  test('of the node', async () => {
    await using service = await startService()
    expect(await readNodeFacts(service.http.url)).toEqual(FACTS)
    expect(service.http.calls.filter((call) => call === PUT)).toHaveLength(1)
    expect(service.http.asked[0]?.headers['x-aliyun-ecs-metadata-token-ttl-seconds']).toBe('21600')
  })

  test('of an ENI with IPv4 only', async () => {
    await using service = await startService()
    expect(await service.metadata.eniMacs()).toEqual(['00:16:3e:00:00:01', MAC])
    const facts = await service.metadata.eni(parseMac(MAC))
    expect(facts).toEqual({ ...ENI_FACTS, ipv6Gateway: undefined, vSwitchIpv6Cidr: undefined })
  })

  test('of an ENI with IPv6 and prefixes', async () => {
    await using service = await startService()
    service.items = { ...ITEMS, ...IPV6_ITEMS }
    expect(await service.metadata.eni(parseMac(MAC))).toEqual({
      ...ENI_FACTS,
      ipv6s: ['fd00::1', 'fd00::2'],
      ipv4Prefixes: ['10.0.2.16/28'],
      ipv6Prefixes: ['fd00::1:0:0:0/80'],
      ipv6Gateway: 'fd00::fff7',
      vSwitchIpv6Cidr: 'fd00::/64',
    })
  })

  test.each([
    ['instance-id', '../../etc', /instance-id is not a cloud resource id/],
    ['instance/instance-type', 'a page', /not an instance type/],
    ['instance-id', '<html><body>Please log in</body></html>', /instance-id is a page of markup/],
    ['mac', '{}', /not a MAC address/],
    ['private-ipv4', 'x'.repeat(5_000), /^.{1,500}$/],
  ])('%s is not believed when it is nonsense: %#', async (item, text, message) => {
    await using service = await startService()
    service.items = { ...ITEMS, [item]: text }
    const fault = { name: 'CloudError', action: 'metadata', code: 'BadAnswer', message: expect.stringMatching(message) }
    await expect(service.metadata.nodeFacts()).rejects.toMatchObject(fault)
  })

  test.each([
    ['private-ipv4s', '["10.0.2.10","fd00::1"]'],
    ['private-ipv4s', '10.0.2.10 10.0.2.11'],
    ['ipv6s', '[10.0.2.10]'],
    ['ipv6s', 'fd00::1, <br>'],
    ['gateway', 'fd00::1'],
    ['vswitch-cidr-block', 'fd00::/64'],
    ['ipv6-prefixes', '10.0.2.16/28'],
  ])('of an ENI: %s is not %s', async (name, text) => {
    await using service = await startService()
    service.items = { ...ITEMS, [`${ENI}/${name}`]: text }
    await expect(service.metadata.eni(parseMac(MAC))).rejects.toMatchObject({ code: 'BadAnswer' })
  })

  test('a missing item is named', async () => {
    await using service = await startService()
    const { 'zone-id': _, ...rest } = ITEMS
    service.items = rest
    const fault = { code: 'Item.NotFound', kind: 'not-found', message: expect.stringMatching(/zone-id answered 404/) }
    await expect(service.metadata.nodeFacts()).rejects.toMatchObject(fault)
  })
})

describe('tokens', () => {
  test('a hundred first questions share one', async () => {
    await using service = await startService()
    const answers = await Promise.all(Array.from({ length: 100 }, () => service.metadata.text('instance-id')))
    expect(new Set(answers)).toEqual(new Set(['i-bp1']))
    expect(service.http.calls.filter((call) => call === PUT)).toHaveLength(1)
    expect(service.http.calls.filter((call) => call === GET_ID)).toHaveLength(100)
  })

  test('one is used for half of its life', async () => {
    await using service = await startService()
    const { clock, http, metadata } = service
    await metadata.text('mac')
    await clock.sleep(3 * 3_600_000 - 1)
    await metadata.text('mac')
    expect(http.calls.filter((call) => call === PUT)).toHaveLength(1)
    await clock.sleep(1)
    await metadata.text('mac')
    expect(http.calls.filter((call) => call === PUT)).toHaveLength(2)
  })

  test('one that is refused is replaced, once for all who had it', async () => {
    await using service = await startService()
    await service.metadata.text('mac')
    service.token = 'token-2'
    await Promise.all(Array.from({ length: 20 }, () => service.metadata.text('mac')))
    expect(service.http.calls.filter((call) => call === PUT)).toHaveLength(2)
  })

  test('a service that refuses its own token is asked no third time', async () => {
    await using service = await startService()
    service.trouble.push({ text: 'token-0' }, { status: 401 }, { text: 'token-0' }, { status: 401 })
    const fault = { code: 'Forbidden', kind: 'identity', message: expect.stringMatching(/mac answered 401/) }
    await expect(service.metadata.text('mac')).rejects.toMatchObject(fault)
    expect(service.http.calls).toHaveLength(4)
  })

  test('a page in place of the token is none', async () => {
    await using service = await startService()
    service.trouble.push({ text: '<html>\nlog in</html>' })
    await expect(service.metadata.text('mac')).rejects.toMatchObject({ code: 'BadAnswer' })
    expect(service.http.calls).toEqual([PUT])
  })
})

describe('version 1', () => {
  test.each([404, 405])(
    'a service that answers %d to the question for a token is asked without, from then on',
    async (status) => {
      await using service = await startService()
      service.putStatus = status
      expect(await service.metadata.nodeFacts()).toEqual(FACTS)
      expect(await service.metadata.text('region-id')).toBe('cn-hangzhou')
      expect(service.http.calls.filter((call) => call === PUT)).toHaveLength(1)
    },
  )

  test.each([401, 403])('until it insists on tokens with %d', async (status) => {
    await using service = await startService()
    service.putStatus = 404
    await service.metadata.text('mac')
    service.bareStatus = status
    service.putStatus = 200
    expect(await service.metadata.text('region-id')).toBe('cn-hangzhou')
  })

  test.each([400, 403])('a %d says nothing about versions, and is final', async (status) => {
    await using service = await startService()
    service.putStatus = status
    await expect(service.metadata.text('mac')).rejects.toMatchObject({ code: 'Forbidden', kind: 'identity' })
    expect(service.http.calls).toEqual([PUT])
  })

  test('nor does a service that is away for a moment', async () => {
    await using service = await startService()
    service.putStatus = 503
    await expect(service.metadata.text('instance-id')).rejects.toMatchObject({ code: 'ServiceUnavailable' })
    expect(service.http.calls).toEqual([PUT, PUT, PUT, PUT])
    service.putStatus = 200
    await service.metadata.text('instance-id')
    expect(service.http.asked.at(-1)?.headers['x-aliyun-ecs-metadata-token']).toBe('token-1')
  })
})

describe('trouble', () => {
  test.each<Reply>([{ status: 503 }, { status: 429 }, 'hang-up'])('%j passes', async (reply) => {
    await using service = await startService()
    service.trouble.push(reply, reply, reply)
    expect(await service.metadata.text('instance-id')).toBe('i-bp1')
    expect(service.clock.slept).toEqual([500, 600, 720])
  })

  test.each<[Reply, object]>([
    [{ status: 500 }, { code: 'ServiceUnavailable', kind: 'transient' }],
    [{ status: 429 }, { code: 'Throttling', kind: 'throttled' }],
    ['hang-up', { code: 'Network', kind: 'transient' }],
  ])('%j that stays is told after four attempts', async (reply, fault) => {
    await using service = await startService()
    service.trouble.push(reply, reply, reply, reply)
    await expect(service.metadata.text('mac')).rejects.toMatchObject({ ...fault, action: 'metadata' })
    expect(service.http.calls).toHaveLength(4)
  })

  test('the pauses are up to a tenth longer', async () => {
    await using service = await startService()
    const clock = new HastyClock()
    const metadata = Metadata.open(service.http.url, { clock, random: () => 1 })
    service.trouble.push('hang-up', 'hang-up', 'hang-up')
    await metadata.text('mac')
    expect(clock.slept.map(Math.round)).toEqual([550, 660, 792])
  })

  test('a redirection is not followed', async () => {
    await using service = await startService()
    service.trouble.push({ text: 'token-1' }, { status: 302, headers: { location: '/latest/meta-data/mac' } })
    await expect(service.metadata.text('instance-id')).rejects.toMatchObject({ code: 'Forbidden' })
    expect(service.http.calls).toEqual([PUT, GET_ID])
  })

  test('an attempt that is never answered ends', async () => {
    await using service = await startService()
    service.trouble.push('silence', 'silence', 'silence', 'silence')
    const metadata = Metadata.open(service.http.url, { clock: service.clock, timeout: 10 })
    const fault = { code: 'Network', message: expect.stringMatching(/is the route to the service intact/) }
    await expect(metadata.text('mac')).rejects.toMatchObject(fault)
    expect(service.http.calls).toHaveLength(4)
  })
})

describe('the RAM role', () => {
  const CREDENTIAL = {
    Code: 'Success',
    AccessKeyId: 'STS.key',
    AccessKeySecret: 'geheim-1',
    SecurityToken: 'geheim-2',
    Expiration: '2024-08-30T18:00:00Z',
    LastUpdated: '2024-08-30T12:00:00Z',
  }
  const withRole = (credential: unknown) => ({
    ...ITEMS,
    'ram/security-credentials/': 'Terway-Role',
    'ram/security-credentials/Terway-Role': typeof credential === 'string' ? credential : JSON.stringify(credential),
  })

  test('gives a credential', async () => {
    await using service = await startService()
    service.items = withRole(CREDENTIAL)
    expect(await service.metadata.ramRole()).toBe('Terway-Role')
    expect(reveal(await service.metadata.ramCredential('Terway-Role'))).toEqual({
      accessKeyId: 'STS.key',
      accessKeySecret: 'geheim-1',
      securityToken: 'geheim-2',
      expiration: Date.UTC(2024, 7, 30, 18),
    })
  })

  test('an instance without one says what to do', async () => {
    await using service = await startService()
    const fault = { code: 'CredentialRole', kind: 'identity', message: expect.stringMatching(/attach one/) }
    await expect(service.metadata.ramRole()).rejects.toMatchObject(fault)
  })

  test('a name that is none is not asked for', async () => {
    await using service = await startService()
    service.items = { ...ITEMS, 'ram/security-credentials/': '../../instance-id' }
    await expect(service.metadata.ramRole()).rejects.toMatchObject({ code: 'BadAnswer' })
  })

  test.each<[string, unknown, RegExp]>([
    ['failed', { ...CREDENTIAL, Code: 'Failed' }, /did not succeed/],
    ['says nothing of success', { ...CREDENTIAL, Code: undefined }, /did not succeed/],
    ['lacks the secret', { ...CREDENTIAL, AccessKeySecret: undefined }, /malformed fields: AccessKeySecret;/],
    [
      'has a secret of two lines',
      { ...CREDENTIAL, SecurityToken: 'geheim-2\r\nX: y' },
      /malformed fields: SecurityToken;/,
    ],
    ['expires some time', { ...CREDENTIAL, Expiration: 'geheim-3' }, /malformed fields: Expiration;/],
    ['expires on a day that is none', { ...CREDENTIAL, Expiration: '2024-13-30T18:00:00Z' }, /Expiration/],
    ['is a list', [CREDENTIAL], /did not succeed/],
    ['is cut off', JSON.stringify(CREDENTIAL).slice(0, -5), /not JSON/],
    ['is a page', '<html>geheim-4</html>', /markup/],
  ])('a credential that %s is refused, and not quoted', async (_, credential, message) => {
    await using service = await startService()
    service.items = withRole(credential)
    const error = await rejection(service.metadata.ramCredential('Terway-Role'))
    expect(error).toMatchObject({ code: 'BadAnswer', message: expect.stringMatching(message) })
    expect(visibleText(error)).not.toContain('geheim')
  })
})
