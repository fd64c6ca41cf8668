import { describe, expect, test } from '@jest/globals'
import { type Query, vpcGateway } from '../../test/simulator/vpc-gateway.ts'
import { VPC } from './action.ts'

const OF_ZONE_H = {
  VSwitchId: 'vsw-sim-h',
  VSwitchName: 'vsw-sim-h',
  VpcId: 'vpc-sim',
  ZoneId: 'cn-sim-h',
  CidrBlock: '10.0.1.0/24',
  Ipv6CidrBlock: 'fd00:0:0:101::/64',
  EnabledIpv6: true,
  AvailableIpAddressCount: 251,
  Status: 'Available',
  Description: '',
  IsDefault: false,
  NetworkAclId: '',
  OwnerId: 100000000000001,
  ResourceGroupId: '',
  RouteTable: { RouteTableId: 'vtb-sim', RouteTableType: 'System' },
  ShareType: '',
  CreationTime: '2026-01-01T00:00:00Z',
  Tags: { Tag: [] },
}

test('vSwitches in a list and one alone have the same fields', async () => {
  const { call } = vpcGateway()
  const listed = await call(VPC, 'DescribeVSwitches')
  expect(listed.body).toEqual({
    RequestId: expect.any(String),
    TotalCount: 2,
    PageNumber: 1,
    PageSize: 10,
    VSwitches: {
      VSwitch: [
        OF_ZONE_H,
        expect.objectContaining({
          VSwitchId: 'vsw-sim-i',
          Ipv6CidrBlock: '',
          EnabledIpv6: false,
          RouteTable: { RouteTableId: 'vtb-i', RouteTableType: 'Custom' },
        }),
      ],
    },
  })
  const alone = await call(VPC, 'DescribeVSwitchAttributes', { VSwitchId: 'vsw-sim-h' })
  expect(alone.body).toEqual({ RequestId: expect.any(String), ...OF_ZONE_H })
})

describe('filters', () => {
  test.each<[Query, string[]]>([
    [{ VpcId: 'vpc-sim' }, ['vsw-sim-h', 'vsw-sim-i']],
    [{ VpcId: 'vpc-sim', RegionId: undefined }, ['vsw-sim-h', 'vsw-sim-i']],
    [{ VpcId: 'vpc-x' }, []],
    [{ VSwitchId: 'vsw-sim-i' }, ['vsw-sim-i']],
    [{ VSwitchId: '' }, ['vsw-sim-h', 'vsw-sim-i']],
    [{ VSwitchName: 'vsw-sim-i' }, ['vsw-sim-i']],
    [{ ZoneId: 'cn-sim-h' }, ['vsw-sim-h']],
    [{ RouteTableId: 'vtb-i' }, ['vsw-sim-i']],
    [{ RouteTableId: 'vtb-sim', ZoneId: 'cn-sim-i' }, []],
    [{ IsDefault: 'true' }, []],
    [{ ResourceGroupId: 'rg-1' }, []],
    [{ 'Tag.1.Key': 'a' }, []],
    [{ PageNumber: '2', PageSize: '1' }, ['vsw-sim-i']],
    [{ PageNumber: '3', PageSize: '1' }, []],
  ])('%j', async (query, found) => {
    const { call } = vpcGateway()
    const { body } = await call(VPC, 'DescribeVSwitches', query)
    const ids = [...JSON.stringify(body).matchAll(/"VSwitchId":"([^"]+)"/g)].map(([, id]) => id)
    expect(ids).toEqual(found)
  })
})

describe('refusals', () => {
  test.each<[string, Query, string, number]>([
    ['DescribeVSwitches', { RegionId: undefined }, 'MissingParameter', 400],
    ['DescribeVSwitches', { PageSize: '51' }, 'InvalidParameter', 400],
    ['DescribeVSwitches', { RegionId: 'cn-x' }, 'InvalidRegionId.NotFound', 404],
    ['DescribeVSwitches', { EnableIpv6: 'true' }, 'UnsupportedParameter', 400],
    ['DescribeVSwitchAttributes', {}, 'MissingParameter', 400],
    ['DescribeVSwitchAttributes', { VSwitchId: 'vsw-x' }, 'InvalidVswitchID.NotFound', 404],
  ])('%s %j: %s', async (action, query, code, status) => {
    const { call } = vpcGateway()
    expect(await call(VPC, action, query)).toMatchObject({ status, body: { Code: code } })
  })
})
