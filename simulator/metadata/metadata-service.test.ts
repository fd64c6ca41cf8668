import { describe, expect, test } from '@jest/globals'
import { testRegion } from '../../test/simulator/region.ts'
import { Cloud } from '../cloud/cloud.ts'
import { type MetadataRequest, MetadataService } from './metadata-service.ts'

const TTL = 'x-aliyun-ecs-metadata-token-ttl-seconds'
const TOKEN = 'x-aliyun-ecs-metadata-token'

function testService(metadataTokens = 'optional') {
  let time = 1_000_000
  const node = { instanceType: 'ecs.g7.xlarge', vSwitch: 'vsw-sim-h', metadataTokens }
  const nodes = [
    { ...node, name: 'node-a', instanceId: 'i-sim-a', primaryIp: '10.0.1.10' },
    { ...node, name: 'node-b', instanceId: 'i-sim-b', primaryIp: '10.0.1.11' },
  ]
  const cloud = new Cloud({ region: testRegion({ nodes }), now: () => time })
  const service = new MetadataService({ cloud, now: () => time })
  const ask = (path: string, request: Partial<MetadataRequest> = {}) =>
    service.answer({ method: 'GET', path: `/latest/${path}`, headers: {}, address: '10.0.1.10', ...request })
  const token = (ttl: string, headers = {}) => ask('api/token', { method: 'PUT', headers: { [TTL]: ttl, ...headers } })
  const pass = (milliseconds: number) => {
    time += milliseconds
  }
  return { ask, token, pass }
}

describe('items', () => {
  test.each([
    ['instance-id', 'i-sim-a'],
    ['region-id', 'cn-sim'],
    ['zone-id', 'cn-sim-h'],
    ['instance/instance-type', 'ecs.g7.xlarge'],
    ['vpc-cidr-block', '10.0.0.0/16'],
    ['vswitch-id', 'vsw-sim-h'],
    ['private-ipv4', '10.0.1.10'],
    ['mac', '00:16:3e:00:00:01'],
    ['instance/', 'instance-type'],
    ['network', 'interfaces/'],
    ['network/interfaces/macs/', '00:16:3e:00:00:01/'],
    ['network/interfaces/macs/00:16:3e:00:00:01/network-interface-id', 'eni-sim00000001'],
    ['network/interfaces/macs/00:16:3e:00:00:01/primary-ip-address', '10.0.1.10'],
    ['network/interfaces/macs/00:16:3e:00:00:01/private-ipv4s', '["10.0.1.10"]'],
    ['network/interfaces/macs/00:16:3e:00:00:01/gateway', '10.0.1.253'],
    ['network/interfaces/macs/00:16:3e:00:00:01/netmask', '255.255.255.0'],
    ['network/interfaces/macs/00:16:3e:00:00:01/vswitch-cidr-block', '10.0.1.0/24'],
  ])('%s', (path, text) => {
    expect(testService().ask(`meta-data/${path}`)).toEqual({ status: 200, text })
  })

  test('what is not there is 404', () => {
    const { ask } = testService()
    expect(ask('meta-data/nothing').status).toBe(404)
    expect(ask('meta-data/network/interfaces/macs/00:16:3e:00:00:02/netmask').status).toBe(404)
    expect(ask('', { path: '/2016-01-01/meta-data/' }).status).toBe(404)
  })

  test('the caller is who holds the address', () => {
    const { ask } = testService()
    expect(ask('meta-data/instance-id', { address: '10.0.1.11' }).text).toBe('i-sim-b')
    expect(ask('meta-data/instance-id', { address: '10.0.1.12' }).status).toBe(404)
    expect(ask('meta-data/instance-id', { address: '::1' }).status).toBe(404)
  })

  test('a netmask need not end at a byte', () => {
    const vSwitches = [{ id: 'vsw-x', zone: 'z', cidr: '10.0.0.0/21' }]
    const node = {
      name: 'n',
      instanceId: 'i-n',
      instanceType: 'ecs.g7.large',
      vSwitch: 'vsw-x',
      primaryIp: '10.0.1.10',
    }
    const cloud = new Cloud({ region: testRegion({ vSwitches, nodes: [node] }), now: () => 0 })
    const path = '/latest/meta-data/network/interfaces/macs/00:16:3e:00:00:01/netmask'
    const answer = new MetadataService({ cloud, now: () => 0 }).answer({
      method: 'GET',
      path,
      headers: {},
      address: '10.0.1.10',
    })
    expect(answer.text).toBe('255.255.248.0')
  })
})

describe('tokens', () => {
  test('a token is good on its instance until it expires', () => {
    const { ask, token, pass } = testService()
    const { text } = token('60')
    const read = (address: string) => ask('meta-data/instance-id', { headers: { [TOKEN]: text }, address }).status
    expect([read('10.0.1.10'), read('10.0.1.11')]).toEqual([200, 401])
    pass(60_000)
    expect(read('10.0.1.10')).toBe(401)
  })

  test.each(['0', '21601', '', 'x', '-1'])('a life of %j is refused', (ttl) => {
    expect(testService().token(ttl).status).toBe(400)
  })

  test('a request that was forwarded gets none', () => {
    expect(testService().token('60', { 'x-forwarded-for': '1.2.3.4' }).status).toBe(403)
  })

  test('an instance can insist on tokens', () => {
    expect(testService().ask('meta-data/instance-id').status).toBe(200)
    expect(testService('required').ask('meta-data/instance-id').status).toBe(403)
    expect(testService('required').token('21600').status).toBe(200)
  })

  test('nothing else can be written', () => {
    expect(testService().ask('meta-data/instance-id', { method: 'POST' }).status).toBe(405)
  })
})
