/** What the simulator does not know is refused by every action, before anything happens. */
import { describe, expect, test } from '@jest/globals'
import { type Query, vpcGateway } from '../../test/simulator/vpc-gateway.ts'
import { ECS, VPC } from './action.ts'
import { ACTIONS } from './actions.ts'

test.each([...ACTIONS])('%s', async (name, { version }) => {
  const { call, cloud } = vpcGateway()
  const before = cloud.version
  const { status, body } = await call(version, name, { NoSuchParameter: '1' })
  expect([status, body.Code, cloud.version]).toEqual([400, 'UnsupportedParameter', before])
  expect(body.Message).toContain('NoSuchParameter')
})

describe('of the kinds of the API', () => {
  const ENTRY = { RouteTableId: 'vtb-sim', DestinationCidrBlock: '172.16.0.0/24', NextHopId: 'i-sim-a' }
  const BATCH = {
    'RouteEntries.1.RouteTableId': 'vtb-sim',
    'RouteEntries.1.DstCidrBlock': '172.16.0.0/24',
    'RouteEntries.1.NextHop': 'i-sim-a',
  }
  const TAGGED = { ResourceType: 'instance', 'ResourceId.1': 'i-sim-a' }
  test.each<[string, string, Query, string]>([
    [ECS, 'DescribeSecurityGroups', { 'SecurityGroupIds.1': 'sg-sim' }, 'SecurityGroupIds.1'],
    [VPC, 'DescribeVSwitches', { 'VSwitchId.1': 'vsw-sim-h' }, 'VSwitchId.1'],
    [VPC, 'DescribeRouteTableList', { DryRun: 'true' }, 'DryRun'],
    [VPC, 'CreateRouteEntry', { ...ENTRY, NextHoptype: 'Instance' }, 'NextHoptype'],
    [VPC, 'CreateRouteEntry', { ...ENTRY, 'NextHopList.1.NextHopId': 'i-sim-b' }, 'NextHopList.1.NextHopId'],
    [VPC, 'CreateRouteEntries', { ...BATCH, 'RouteEntries.1.Weight': '7' }, 'RouteEntries.1.Weight'],
    [VPC, 'CreateRouteEntries', { ...BATCH, 'RouteEntries.1.NextHopId': 'i-sim-b' }, 'RouteEntries.1.NextHopId'],
    [VPC, 'DeleteRouteEntries', { ...BATCH, 'RouteEntries.1.Name': 'x' }, 'RouteEntries.1.Name'],
    [ECS, 'UntagResources', { ...TAGGED, 'Tag.1.Key': 'a', All: 'true' }, 'Tag.1.Key'],
    [ECS, 'TagResources', { ...TAGGED, 'Tag.1.Key': 'a', 'TagKey.1': 'b' }, 'TagKey.1'],
    [ECS, 'DeleteNetworkInterface', { NetworkInterfaceId: 'eni-x', ClientToken: 't' }, 'ClientToken'],
    [ECS, 'DescribeInstances', { 'AdditionalAttributes.1': 'NETWORK_PRIMARY_ENI_IP' }, 'NETWORK_PRIMARY_ENI_IP'],
    [ECS, 'DescribeInstances', { Format: 'XML' }, 'Format=XML'],
  ])('%s %s %j: %s', async (version, action, query, named) => {
    const { call, cloud } = vpcGateway()
    const before = cloud.version
    const { body } = await call(version, action, query)
    expect([body.Code, cloud.version]).toEqual(['UnsupportedParameter', before])
    expect(body.Message).toContain(named)
  })

  test('what every call may say of itself is fine', async () => {
    const { call } = vpcGateway()
    const query = { Format: 'json', Action: 'DescribeVpcs', Version: VPC, Timestamp: 't', SignatureNonce: 'n' }
    expect((await call(VPC, 'DescribeVpcs', query)).status).toBe(200)
    const attributes = { 'AdditionalAttributes.1': 'META_OPTIONS' }
    expect((await call(ECS, 'DescribeInstances', attributes)).status).toBe(200)
  })
})
