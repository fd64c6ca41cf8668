import { describe, expect, test } from '@jest/globals'
import { type Query, vpcGateway } from '../../test/simulator/vpc-gateway.ts'
import { ECS, VPC } from './action.ts'

const ENI = { ResourceType: 'eni', 'ResourceId.1': 'eni-sim00000001' }
const TAG = { 'Tag.1.Key': 'creator', 'Tag.1.Value': 'terway' }
const numbered = (count: number, item: (n: number) => Query): Query =>
  Object.assign({}, ...Array.from({ length: count }, (_, i) => item(i + 1)))
const tags = (count: number, prefix = 'k') => numbered(count, (n) => ({ [`Tag.${n}.Key`]: `${prefix}${n}` }))

describe('the life of tags', () => {
  test.each([
    ['eni', 'eni-sim00000001', 'eni-sim00000002'],
    ['instance', 'i-sim-a', 'i-sim-b'],
    ['securitygroup', 'sg-other', 'sg-sim'],
  ])('of the type %s', async (ResourceType, first, second) => {
    const { call, cloud } = vpcGateway()
    const both = { ResourceType, 'ResourceId.1': second, 'ResourceId.2': first }
    const one = { ResourceType, 'ResourceId.1': first }
    const listed = async (query: Query = both) => {
      const { body } = await call(ECS, 'ListTagResources', query)
      return [
        ...JSON.stringify(body).matchAll(/"ResourceId":"([^"]+)".*?"TagKey":"([^"]+)","TagValue":"([^"]*)"/g),
      ].map(([, id, key, value]) => [id, `${key}=${value}`])
    }
    expect(await listed()).toEqual([])
    const { version } = cloud
    expect((await call(ECS, 'TagResources', { ...both, ...TAG })).status).toBe(200)
    expect(cloud.version).toBe(version + 2)
    await call(ECS, 'TagResources', { ...one, 'Tag.1.Key': 'creator', 'Tag.1.Value': 'other', 'Tag.2.Key': 'empty' })
    expect(await listed()).toEqual([
      [first, 'creator=other'],
      [first, 'empty='],
      [second, 'creator=terway'],
    ])
    expect(await listed({ ResourceType, ...TAG })).toEqual([[second, 'creator=terway']])
    expect(await listed({ ...one, 'Tag.1.Key': 'empty' })).toHaveLength(2)
    await call(ECS, 'UntagResources', { ...both, 'TagKey.1': 'creator', 'TagKey.2': 'unknown' })
    expect(await listed()).toEqual([[first, 'empty=']])
    await call(ECS, 'UntagResources', { ...one, All: 'true' })
    expect(await listed()).toEqual([])
  })

  test('All is for calls without a key', async () => {
    const { call, cloud } = vpcGateway()
    await call(ECS, 'TagResources', { ...ENI, ...tags(3) })
    await call(ECS, 'UntagResources', { ...ENI, 'TagKey.1': 'k1', All: 'true' })
    expect([...(cloud.enis()[0]?.tags.keys() ?? [])]).toEqual(['k2', 'k3'])
  })

  test('the answer names type and resource', async () => {
    const { call } = vpcGateway()
    await call(ECS, 'TagResources', { ...ENI, ...TAG })
    expect((await call(ECS, 'ListTagResources', ENI)).body).toEqual({
      RequestId: expect.any(String),
      NextToken: '',
      TagResources: {
        TagResource: [{ ResourceId: 'eni-sim00000001', ResourceType: 'eni', TagKey: 'creator', TagValue: 'terway' }],
      },
    })
  })

  test('tags of instances are in the region file and in DescribeInstances', async () => {
    const node = { name: 'node-a', instanceId: 'i-sim-a', instanceType: 'ecs.g7.xlarge', vSwitch: 'vsw-sim-h' }
    const { call } = vpcGateway({ nodes: [{ ...node, primaryIp: '10.0.1.10', tags: { pool: 'a' } }] })
    await call(ECS, 'TagResources', { ResourceType: 'instance', 'ResourceId.1': 'i-sim-a', ...TAG })
    const shown = [
      { TagKey: 'pool', TagValue: 'a' },
      { TagKey: 'creator', TagValue: 'terway' },
    ]
    const { body } = await call(ECS, 'DescribeInstances')
    expect(body).toMatchObject({ Instances: { Instance: [{ Tags: { Tag: shown } }] } })
  })

  test('pages of fifty', async () => {
    const groups = ['sg-a', 'sg-b', 'sg-c']
    const { call } = vpcGateway({ securityGroups: groups.map((id) => ({ id })) })
    const all = { ResourceType: 'securitygroup', ...numbered(3, (n) => ({ [`ResourceId.${n}`]: groups[n - 1] })) }
    await call(ECS, 'TagResources', { ...all, ...tags(20) })
    const first = await call(ECS, 'ListTagResources', all)
    const second = await call(ECS, 'ListTagResources', { ...all, NextToken: String(first.body.NextToken) })
    const keysOf = (answer: unknown) => [
      ...JSON.stringify(answer).matchAll(/"ResourceId":"([^"]+)".*?"TagKey":"([^"]+)"/g),
    ]
    const seen = [...keysOf(first.body), ...keysOf(second.body)].map(([, id, key]) => `${id} ${key}`)
    expect(keysOf(first.body)).toHaveLength(50)
    expect(new Set(seen).size).toBe(60)
    expect(second.body.NextToken).toBe('')
  })
})

describe('refusals change nothing', () => {
  const [tag, untag, list] = ['TagResources', 'UntagResources', 'ListTagResources']
  const missing = { ...ENI, 'ResourceId.2': 'eni-x' }
  const ids = (count: number) => numbered(count, (n) => ({ [`ResourceId.${n}`]: 'eni-sim00000001' }))
  const keys = (count: number) => numbered(count, (n) => ({ [`TagKey.${n}`]: `k${n}` }))
  const valued = (value: string): Query => ({ ...ENI, 'Tag.1.Key': 'a', 'Tag.1.Value': value })
  test.each<[string, Query, string, number]>([
    [tag, { ...ENI, ...TAG, RegionId: undefined }, 'MissingParameter.RegionId', 404],
    [tag, { ...ENI, ...TAG, RegionId: 'cn-x' }, 'InvalidRegionId.NotFound', 404],
    [tag, { ...ENI, ...TAG, ResourceType: '' }, 'MissingParameter.ResourceType', 404],
    [tag, { ...ENI, ...TAG, ResourceType: 'vswitch' }, 'InvalidResourceType.NotFound', 404],
    [tag, { ResourceType: 'eni', ...TAG }, 'MissingParameter', 400],
    [tag, { ResourceType: 'eni', ...ids(51), ...TAG }, 'NumberExceed.ResourceIds', 400],
    [tag, { ...missing, ...TAG }, 'InvalidResourceId.NotFound', 404],
    [tag, { ...ENI, ...TAG, ResourceType: 'instance' }, 'InvalidResourceId.NotFound', 404],
    [tag, ENI, 'MissingParameter.Tags', 404],
    [tag, { ...ENI, ...tags(21) }, 'NumberExceed.Tags', 400],
    [tag, { ...ENI, ...tags(20, 'other') }, 'QuotaExceed.Tags', 403],
    [tag, { ...ENI, 'Tag.1.Key': 'a', 'Tag.2.Key': 'a' }, 'Duplicate.TagKey', 400],
    [tag, { ...ENI, 'Tag.1.Key': '' }, 'InvalidTagKey.Malformed', 400],
    [tag, { ...ENI, 'Tag.1.Value': 'a' }, 'InvalidTagKey.Malformed', 400],
    [tag, { ...ENI, 'Tag.1.Key': 'acs:a' }, 'InvalidTagKey.Malformed', 400],
    [tag, { ...ENI, 'Tag.1.Key': 'Aliyun' }, 'InvalidTagKey.Malformed', 400],
    [tag, { ...ENI, 'Tag.1.Key': 'see http://a' }, 'InvalidTagKey.Malformed', 400],
    [tag, { ...ENI, 'Tag.1.Key': 'k'.repeat(129) }, 'InvalidTagKey.Malformed', 400],
    [tag, valued('v'.repeat(129)), 'InvalidTagValue.Malformed', 400],
    [tag, valued('https://a'), 'InvalidTagValue.Malformed', 400],
    [tag, valued('acs:a'), 'InvalidTagValue.Malformed', 400],
    [untag, ENI, 'MissingParameter.Tags', 404],
    [untag, { ...ENI, All: 'false' }, 'MissingParameter.Tags', 404],
    [untag, { ...ENI, All: 'yes' }, 'InvalidParameter', 400],
    [untag, { ...ENI, ...keys(21) }, 'NumberExceed.Tags', 400],
    [untag, { ...ENI, 'TagKey.1': 'k1', 'TagKey.2': 'k1' }, 'Duplicate.TagKey', 400],
    [untag, { ...ENI, 'TagKey.1': '' }, 'InvalidTagKey.Malformed', 400],
    [untag, { ...missing, All: 'true' }, 'InvalidResourceId.NotFound', 404],
    [untag, { ResourceType: 'eni', 'TagKey.1': 'k1' }, 'MissingParameter', 400],
    [untag, { ...ENI, ResourceType: 'disk', All: 'true' }, 'InvalidResourceType.NotFound', 404],
    [list, { ResourceType: 'eni' }, 'MissingParameter.Tags', 404],
    [list, missing, 'InvalidResourceId.NotFound', 404],
    [list, { ...ENI, 'Tag.1.Value': 'a' }, 'InvalidParameter.TagValue', 400],
    [list, { ...ENI, ...tags(21) }, 'NumberExceed.Tags', 400],
    [list, { ResourceType: 'eni', ...ids(51) }, 'NumberExceed.ResourceIds', 400],
    [list, { ...ENI, 'TagFilter.1.TagKey': 'a*' }, 'UnsupportedParameter', 400],
    [list, { ...ENI, NextToken: 'x' }, 'InvalidParameter.NextToken', 400],
  ])('%s %j: %s', async (action, query, code, status) => {
    const { call, cloud } = vpcGateway()
    await call(ECS, 'TagResources', { ...ENI, ...tags(3) })
    const before = cloud.enis()
    expect(await call(ECS, action, query)).toMatchObject({ status, body: { Code: code } })
    expect(cloud.enis()).toEqual(before)
  })

  test('tags of vSwitches and VPCs are another product’s', async () => {
    const { call } = vpcGateway()
    const { body } = await call(VPC, 'TagResources', { ResourceType: 'VSWITCH', 'ResourceId.1': 'vsw-sim-h', ...TAG })
    expect(body.Code).toBe('InvalidAction.NotFound')
  })
})
