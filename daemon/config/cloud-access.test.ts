import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { Budget } from '../../cloud/budget/budget.ts'
import { type InstanceId, parseCloudId, type RegionId, type RouteTableId, type VpcId } from '../../cloud/ids.ts'
import { parseCidr } from '../../inet/address.ts'
import { type CloudAccess, endpointsOf, isFile, openCloudAccess } from './cloud-access.ts'

test.each<[string, Record<string, string>, { ecs: string; vpc: string; scheme: string }]>([
  ['inside the VPC', {}, { ecs: 'ecs-vpc.cn-x.aliyuncs.com', vpc: 'vpc-vpc.cn-x.aliyuncs.com', scheme: 'https' }],
  [
    'outside of it',
    { ALICLOUD_ENDPOINT_TYPE: 'public' },
    { ecs: 'ecs.cn-x.aliyuncs.com', vpc: 'vpc.cn-x.aliyuncs.com', scheme: 'https' },
  ],
  [
    'hosts of the operator, as such or in a URL',
    { ECS_ENDPOINT: '127.0.0.1:80', VPC_ENDPOINT: 'https://vpc.example.com/x', ALICLOUD_CLIENT_SCHEME: 'HTTP' },
    { ecs: '127.0.0.1:80', vpc: 'vpc.example.com', scheme: 'http' },
  ],
  [
    'an empty variable is none',
    { ECS_ENDPOINT: '', ALICLOUD_CLIENT_SCHEME: '' },
    { ecs: 'ecs-vpc.cn-x.aliyuncs.com', vpc: 'vpc-vpc.cn-x.aliyuncs.com', scheme: 'https' },
  ],
])('%s', (_, env, { ecs, vpc, scheme }) => {
  expect(endpointsOf(env, 'cn-x')).toEqual({ endpoints: { ecs, vpc }, scheme })
})

describe('the clients of a process', () => {
  let api: Server
  let env: Record<string, string>
  /** Of every request, in the order of arrival. */
  let seen: string[]
  let answer: (action: string, response: ServerResponse) => void
  let access: CloudAccess
  let lines: string[]

  beforeEach(async () => {
    seen = []
    lines = []
    api = createServer((request, response) => {
      const action = String(request.headers['x-acs-action'])
      seen.push(action)
      answer(action, response)
    })
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(api.address() as AddressInfo).port}`
    env = { ECS_ENDPOINT: host, VPC_ENDPOINT: host, ALICLOUD_CLIENT_SCHEME: 'HTTP' }
    access = openCloudAccess({
      conf: { accessKey: { id: 'LTAIsim', secret: 'sim-secret' }, credentialPath: undefined },
      facts: { regionId: parseCloudId<RegionId>('cn-sim') },
      ...{ metadataEndpoint: 'http://127.0.0.1:9', budget: new Budget(), env, onCall: () => undefined },
      log: pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }),
    })
  })
  afterEach(() => {
    access.close()
    api.closeAllConnections()
    api.close()
  })

  test('change the routes of a VPC one after the other', async () => {
    const held = Promise.withResolvers<ServerResponse>()
    const failed = [{ DstCidrBlock: '10.9.0.0/24', FailedCode: 'InvalidCidrBlock' }]
    answer = (action, response) => {
      if (action === 'DescribeVpcs') response.end('{"Vpcs": {"Vpc": []}, "TotalCount": 0}')
      else if (seen.filter((one) => one === action).length === 1) held.resolve(response)
      else response.end(JSON.stringify({ FailedRouteEntries: failed }))
    }
    const target = { vpcId: parseCloudId<VpcId>('vpc-1'), routeTableId: parseCloudId<RouteTableId>('vtb-1') }
    const nextHop = { type: 'Instance', id: parseCloudId<InstanceId>('i-1') } as const
    const route = { cidr: parseCidr('10.9.0.0/24'), nextHop }
    const [one, other] = [access.cloud(5_000), access.cloud()]
    const first = one.createRouteEntries(target, [route])
    const response = await held.promise
    const second = other.createRouteEntries(target, [route])
    // Whatever the second one sends without waiting is there before the last of these.
    for (let i = 0; i < 10; i++) await other.describeVpc(target.vpcId)
    expect(seen.filter((action) => action === 'CreateRouteEntries')).toHaveLength(1)
    response.end(JSON.stringify({ FailedRouteEntries: failed }))
    expect((await first)[0]?.error?.code).toBe('InvalidCidrBlock')
    expect((await second)[0]?.error?.code).toBe('InvalidCidrBlock')
  })

  test('warn once of an ENI that is not understood', async () => {
    const enis = [{ NetworkInterfaceId: 'eni-odd', MacAddress: 'no MAC' }]
    answer = (_, response) => response.end(JSON.stringify({ NetworkInterfaceSets: { NetworkInterfaceSet: enis } }))
    for (const cloud of [access.cloud(5_000), access.cloud()]) expect(await cloud.describeEnis({})).toHaveLength(1)
    expect(lines).toEqual([expect.stringMatching(/"eni":"eni-odd","problem":".*no MAC.*left alone/)])
  })
})

test('a credential’s file is a file, or a link to one: a Secret that is not there may be mounted as a directory', () => {
  const directory = mkdtempSync(join(tmpdir(), 'terway-file-'))
  try {
    writeFileSync(join(directory, 'file'), '')
    symlinkSync(join(directory, 'file'), join(directory, 'link'))
    symlinkSync(directory, join(directory, 'elsewhere'))
    const names = ['file', 'link', 'elsewhere', '.', 'none', 'file/below']
    expect(names.filter((name) => isFile(join(directory, name)))).toEqual(['file', 'link'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
