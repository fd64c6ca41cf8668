import { describe, expect, test } from '@jest/globals'
import { type Query, vpcGateway } from '../../test/simulator/vpc-gateway.ts'
import { ECS } from './action.ts'

test('groups, sorted by id', async () => {
  const { call } = vpcGateway()
  const common = {
    VpcId: 'vpc-sim',
    Description: '',
    CreationTime: '2026-01-01T00:00:00Z',
    ResourceGroupId: '',
    ServiceManaged: false,
    Tags: { Tag: [] },
  }
  const [other, sim] = [
    { SecurityGroupId: 'sg-other', SecurityGroupName: 'sg-other', SecurityGroupType: 'enterprise' },
    { SecurityGroupId: 'sg-sim', SecurityGroupName: 'sg-sim', SecurityGroupType: 'normal' },
  ]
  expect((await call(ECS, 'DescribeSecurityGroups')).body).toEqual({
    RequestId: expect.any(String),
    RegionId: 'cn-sim',
    TotalCount: 2,
    NextToken: '',
    SecurityGroups: {
      SecurityGroup: [
        { ...common, ...other, RuleCount: 0, GroupToGroupRuleCount: 0 },
        { ...common, ...sim, RuleCount: 3, GroupToGroupRuleCount: 1 },
      ],
    },
  })
})

describe('filters', () => {
  test.each<[Query, unknown]>([
    [{ SecurityGroupIds: '["sg-sim","sg-x"]' }, 1],
    [{ SecurityGroupIds: '[]' }, 0],
    [{ SecurityGroupIds: 'sg-sim' }, 'InvalidParameter'],
    [{ SecurityGroupIds: JSON.stringify(new Array(101).fill('sg-sim')) }, 'InvalidParameter'],
    [{ SecurityGroupId: 'sg-sim' }, 1],
    [{ SecurityGroupName: 'sg-x' }, 0],
    [{ SecurityGroupType: 'enterprise' }, 1],
    [{ SecurityGroupType: 'basic' }, 'InvalidParameter'],
    [{ VpcId: 'vpc-sim' }, 2],
    [{ VpcId: 'vpc-x' }, 0],
    [{ 'Tag.1.Key': 'a', 'Tag.1.Value': '1' }, 1],
    [{ 'Tag.1.Key': 'b' }, 0],
    [{ MaxResults: '101' }, 'InvalidParameter'],
    [{ PageNumber: '1', PageSize: '51' }, 'InvalidParameter'],
    [{ NetworkType: 'vpc' }, 'UnsupportedParameter'],
    [{ DryRun: 'true' }, 'DryRunOperation'],
    [{ RegionId: undefined }, 'MissingParameter'],
  ])('%j: %s', async (query, expected) => {
    const { call } = vpcGateway()
    const tag = { ResourceType: 'securitygroup', 'ResourceId.1': 'sg-sim', 'Tag.1.Key': 'a', 'Tag.1.Value': '1' }
    await call(ECS, 'TagResources', tag)
    const { body } = await call(ECS, 'DescribeSecurityGroups', query)
    expect(body.Code ?? body.TotalCount).toBe(expected)
  })

  test('pages by token and by number', async () => {
    const { call } = vpcGateway()
    const first = await call(ECS, 'DescribeSecurityGroups', { MaxResults: '1' })
    const second = await call(ECS, 'DescribeSecurityGroups', {
      MaxResults: '1',
      NextToken: String(first.body.NextToken),
    })
    expect(JSON.stringify(second.body)).toContain('"sg-sim"')
    expect(JSON.stringify(second.body)).not.toContain('"sg-other"')
    expect(second.body.NextToken).toBe('')
    const numbered = await call(ECS, 'DescribeSecurityGroups', { PageNumber: '2', PageSize: '1' })
    expect(numbered.body).toMatchObject({ PageNumber: 2, PageSize: 1, TotalCount: 2 })
    expect(JSON.stringify(numbered.body)).toContain('"sg-sim"')
  })
})

const RULE = {
  Policy: 'Accept',
  PortRange: '-1/-1',
  SourcePortRange: '-1/-1',
  Priority: '1',
  NicType: 'intranet',
  SourceCidrIp: '',
  Ipv6SourceCidrIp: '',
  SourceGroupId: '',
  DestCidrIp: '',
  Ipv6DestCidrIp: '',
  DestGroupId: '',
  Description: '',
  CreateTime: '2026-01-01T00:00:00Z',
}
const FROM_CIDR = { SourceCidrIp: '10.0.0.0/16', PortRange: '80/89', Priority: '5' }
const RULES = [
  { ...RULE, SecurityGroupRuleId: 'sgr-sim-000000', Direction: 'ingress', IpProtocol: 'TCP', ...FROM_CIDR },
  {
    ...RULE,
    SecurityGroupRuleId: 'sgr-sim-000001',
    Direction: 'ingress',
    IpProtocol: 'ALL',
    Policy: 'Drop',
    SourceGroupId: 'sg-sim',
  },
  {
    ...RULE,
    SecurityGroupRuleId: 'sgr-sim-000002',
    Direction: 'egress',
    IpProtocol: 'UDP',
    PortRange: '1/65535',
    Ipv6DestCidrIp: 'fd00::/8',
  },
]

describe('the rules of a group', () => {
  test('all of them', async () => {
    const { call } = vpcGateway()
    const { body } = await call(ECS, 'DescribeSecurityGroupAttribute', { SecurityGroupId: 'sg-sim', Direction: 'all' })
    expect(body).toEqual({
      RequestId: expect.any(String),
      SecurityGroupId: 'sg-sim',
      SecurityGroupName: 'sg-sim',
      RegionId: 'cn-sim',
      VpcId: 'vpc-sim',
      Description: '',
      InnerAccessPolicy: 'Accept',
      Permissions: { Permission: RULES },
      NextToken: '',
    })
  })

  test('of one direction, in pages', async () => {
    const { call } = vpcGateway()
    const query = { SecurityGroupId: 'sg-sim', Direction: 'ingress', MaxResults: '1' }
    const first = await call(ECS, 'DescribeSecurityGroupAttribute', query)
    expect(first.body).toMatchObject({ Permissions: { Permission: [RULES[0]] } })
    const NextToken = String(first.body.NextToken)
    const second = await call(ECS, 'DescribeSecurityGroupAttribute', { ...query, NextToken })
    expect(second.body).toMatchObject({ Permissions: { Permission: [RULES[1]] }, NextToken: '' })
  })

  test('members of an advanced group are kept apart', async () => {
    const { call } = vpcGateway()
    const { body } = await call(ECS, 'DescribeSecurityGroupAttribute', { SecurityGroupId: 'sg-other' })
    expect(body).toMatchObject({ InnerAccessPolicy: 'Drop', Permissions: { Permission: [] } })
  })

  test.each<[Query, string, number]>([
    [{}, 'MissingParameter', 400],
    [{ SecurityGroupId: 'sg-x' }, 'InvalidSecurityGroupId.NotFound', 404],
    [{ SecurityGroupId: 'sg-sim', Direction: 'in' }, 'InvalidParameter', 400],
    [{ SecurityGroupId: 'sg-sim', MaxResults: '1001' }, 'InvalidParameter', 400],
    [{ SecurityGroupId: 'sg-sim', Attribute: 'snapshotPolicyIds' }, 'UnsupportedParameter', 400],
  ])('%j: %s', async (query, code, status) => {
    const { call } = vpcGateway()
    expect(await call(ECS, 'DescribeSecurityGroupAttribute', query)).toMatchObject({ status, body: { Code: code } })
  })
})
