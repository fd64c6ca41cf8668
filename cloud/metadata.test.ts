import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { readNodeFacts } from './metadata.ts'

const ITEMS: Readonly<Record<string, string>> = {
  'instance-id': 'i-bp1',
  'instance/instance-type': 'ecs.g7.xlarge',
  'region-id': 'cn-hangzhou',
  'zone-id': 'cn-hangzhou-h',
  'vpc-id': 'vpc-bp1',
  'vswitch-id': 'vsw-bp1',
  'private-ipv4': '10.0.1.10',
  mac: '00:16:3E:00:00:01\n',
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

let server: Server
let token: string | undefined
let failures: number
let items: Readonly<Record<string, string>>

beforeEach(async () => {
  token = 'token-1'
  failures = 0
  items = ITEMS
  server = createServer((request, response) => {
    if (failures-- > 0) return response.writeHead(503).end()
    if (request.method === 'PUT') return response.writeHead(token === undefined ? 404 : 200).end(token)
    const given = request.headers['x-aliyun-ecs-metadata-token']
    const item = items[(request.url ?? '').replace('/latest/meta-data/', '')]
    if (token !== given) return response.writeHead(401).end()
    return response.writeHead(item === undefined ? 404 : 200).end(item)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const endpoint = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

test('the facts are read with a token', async () => {
  expect(await readNodeFacts(endpoint())).toEqual(FACTS)
})

test('and without one where the service knows only the first version', async () => {
  token = undefined
  expect(await readNodeFacts(endpoint())).toEqual(FACTS)
})

test('a service that is overloaded for a moment is asked again', async () => {
  failures = 1
  expect(await readNodeFacts(endpoint())).toEqual(FACTS)
})

test('nonsense is refused', async () => {
  items = { ...ITEMS, 'instance-id': '../../etc' }
  await expect(readNodeFacts(endpoint())).rejects.toThrow(/not a cloud resource id/)
})

test('a missing item is named', async () => {
  items = { ...ITEMS }
  const { 'zone-id': _, ...rest } = items
  items = rest
  await expect(readNodeFacts(endpoint())).rejects.toThrow(/zone-id answered 404/)
})
