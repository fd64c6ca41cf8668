import { expect, test } from '@jest/globals'
import { type Query, vpcGateway } from '../../test/simulator/vpc-gateway.ts'
import { VPC } from './action.ts'

test('the tables of the VPC, under the names the API has for them', async () => {
  const { call } = vpcGateway()
  const common = {
    RouterId: 'vrt-sim',
    RouterType: 'VRouter',
    VpcId: 'vpc-sim',
    AssociateType: 'VSwitch',
    Status: 'Available',
    Description: '',
    OwnerId: 100000000000001,
    ResourceGroupId: '',
    CreationTime: '2026-01-01T00:00:00Z',
    Tags: { Tag: [] },
  }
  const [system, custom] = [
    { RouteTableId: 'vtb-sim', RouteTableName: 'vtb-sim', RouteTableType: 'System' },
    { RouteTableId: 'vtb-i', RouteTableName: 'vtb-i', RouteTableType: 'Custom' },
  ]
  expect((await call(VPC, 'DescribeRouteTableList')).body).toEqual({
    RequestId: expect.any(String),
    TotalCount: 2,
    PageNumber: 1,
    PageSize: 10,
    RouterTableList: {
      RouterTableListType: [
        { ...common, ...system, VSwitchIds: { VSwitchId: ['vsw-sim-h'] } },
        { ...common, ...custom, VSwitchIds: { VSwitchId: ['vsw-sim-i'] } },
      ],
    },
  })
})

test.each<[Query, unknown]>([
  [{ VpcId: 'vpc-sim' }, 2],
  [{ VpcId: 'vpc-x' }, 0],
  [{ RouteTableId: 'vtb-i' }, 1],
  [{ RouterId: 'vrt-sim' }, 2],
  [{ RouterId: 'vrt-x' }, 0],
  [{ RouterType: 'VBR' }, 0],
  [{ RouteTableType: 'System' }, 1],
  [{ RouteTableType: 'system' }, 'InvalidParameter'],
  [{ RouteTableName: 'x' }, 0],
  [{ 'Tag.1.Key': 'a' }, 0],
  [{ PageSize: '51' }, 'InvalidParameter'],
  [{ RegionId: '' }, 'MissingParameter'],
])('DescribeRouteTableList %j: %s', async (query, expected) => {
  const { call } = vpcGateway()
  const { body } = await call(VPC, 'DescribeRouteTableList', query)
  expect(body.Code ?? body.TotalCount).toBe(expected)
})
