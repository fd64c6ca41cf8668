import { expect, test } from '@jest/globals'
import { type Query, vpcGateway } from '../../test/simulator/vpc-gateway.ts'
import { VPC } from './action.ts'

test('the VPC, with the lists as the API wraps them', async () => {
  const { call } = vpcGateway()
  expect((await call(VPC, 'DescribeVpcs')).body).toEqual({
    RequestId: expect.any(String),
    TotalCount: 1,
    PageNumber: 1,
    PageSize: 10,
    Vpcs: {
      Vpc: [
        {
          VpcId: 'vpc-sim',
          VpcName: 'vpc-sim',
          RegionId: 'cn-sim',
          CidrBlock: '10.0.0.0/16',
          SecondaryCidrBlocks: { SecondaryCidrBlock: [] },
          UserCidrs: { UserCidr: [] },
          Ipv6CidrBlock: 'fd00:0:0:100::/56',
          Ipv6CidrBlocks: { Ipv6CidrBlock: [{ Ipv6CidrBlock: 'fd00:0:0:100::/56', Ipv6Isp: 'BGP' }] },
          EnabledIpv6: true,
          Status: 'Available',
          Description: '',
          IsDefault: false,
          OwnerId: 100000000000001,
          ResourceGroupId: '',
          VRouterId: 'vrt-sim',
          RouterTableIds: { RouterTableIds: ['vtb-sim', 'vtb-i'] },
          VSwitchIds: { VSwitchId: ['vsw-sim-h', 'vsw-sim-i'] },
          NatGatewayIds: { NatGatewayIds: [] },
          CreationTime: '2026-01-01T00:00:00Z',
          Tags: { Tag: [] },
        },
      ],
    },
  })
})

const tooMany = Array.from({ length: 21 }, (_, i) => `vpc-${i}`).join(',')

test.each<[Query, unknown]>([
  [{ VpcId: 'vpc-x,vpc-sim' }, 1],
  [{ VpcId: 'vpc-x' }, 0],
  [{ VpcId: '' }, 1],
  [{ VpcName: 'vpc-sim' }, 1],
  [{ IsDefault: 'true' }, 0],
  [{ 'Tag.1.Key': 'a' }, 0],
  [{ VpcId: tooMany }, 'InvalidParameter'],
  [{ VpcOwnerId: '1' }, 'UnsupportedParameter'],
  [{ PageSize: '51' }, 'InvalidParameter'],
  [{ RegionId: '' }, 'MissingParameter'],
])('DescribeVpcs %j: %s', async (query, expected) => {
  const { call } = vpcGateway()
  const { body } = await call(VPC, 'DescribeVpcs', query)
  expect(body.Code ?? body.TotalCount).toBe(expected)
})
