import { describe, expect, test } from '@jest/globals'
import { type Query, testActions } from '../../test/simulator/actions.ts'
import { DUAL_STACK } from '../../test/simulator/dual-stack.ts'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'

function testApi() {
  const api = testActions(testRegion({ ...DUAL_STACK, latencies: { ...NO_LATENCY, member: 0 } }))
  const found = (query: Query) => {
    const text = JSON.stringify(api.call('DescribeInstances', query))
    return [...text.matchAll(/"InstanceId":"i-sim-(\w+)"/g)].map(([, name]) => name)
  }
  return { ...api, found }
}

describe('DescribeInstances', () => {
  test.each<[Query, string[]]>([
    [{}, ['a', 'b', 'rdma', 'small']],
    [{ InstanceIds: '["i-sim-b","i-x"]' }, ['b']],
    [{ InstanceIds: '[]' }, []],
    [{ InstanceName: 'node-*' }, ['a', 'b', 'rdma', 'small']],
    [{ InstanceName: '*-s*l' }, ['small']],
    [{ InstanceName: 'node-.' }, []],
    [{ InstanceName: 'node' }, []],
    [{ Status: 'Stopped' }, ['small']],
    [{ InstanceType: 'ecs.rdma.large' }, ['rdma']],
    [{ ZoneId: 'cn-sim-i' }, ['b']],
    [{ VSwitchId: 'vsw-sim-i', VpcId: 'vpc-sim' }, ['b']],
    [{ PrivateIpAddresses: '["10.0.1.11"]', InstanceNetworkType: 'vpc' }, ['small']],
    [{ SecurityGroupId: 'sg-b' }, []],
    [{ 'Tag.1.Key': 'pool', 'Tag.1.Value': 'spot' }, ['small']],
    [{ 'Ipv6Address.1': '2001:db8:0:1a01::1' }, ['a']],
    [{ PageNumber: '2', PageSize: '3' }, ['small']],
    [{ InstanceNetworkType: 'classic' }, []],
  ])('%j', (query, names) => {
    const { call, found } = testApi()
    call('AssignIpv6Addresses', { NetworkInterfaceId: 'eni-sim00000001', Ipv6AddressCount: '1' })
    expect(found(query)).toEqual(names)
  })

  test.each<[Query, string]>([
    [{ PrivateIpAddresses: '["10.0.1.11"]' }, 'InvalidParameter'],
    [{ InstanceIds: 'i-sim-a' }, 'InvalidParameter'],
    [{ Status: 'running' }, 'InvalidParameter'],
    [{ MaxResults: '101' }, 'InvalidParameter'],
    [{ KeyPairName: 'x' }, 'UnsupportedParameter'],
  ])('%j: %s', (query, code) => {
    expect(testApi().codeOf('DescribeInstances', query)).toBe(code)
  })

  test('shows the ENIs of an instance, but not its members', () => {
    const { call, pass } = testApi()
    const onA = { InstanceId: 'i-sim-a' }
    for (const InstanceType of ['Trunk', 'Secondary']) {
      call('CreateNetworkInterface', { VSwitchId: 'vsw-sim-h', SecurityGroupId: 'sg-sim', InstanceType })
    }
    const trunk = 'eni-sim00000005'
    call('AttachNetworkInterface', { ...onA, NetworkInterfaceId: trunk })
    pass(0)
    call('AttachNetworkInterface', { ...onA, NetworkInterfaceId: 'eni-sim00000006', TrunkNetworkInstanceId: trunk })
    pass(0)
    const text = JSON.stringify(call('DescribeInstances', { InstanceIds: '["i-sim-a"]' }))
    expect([...text.matchAll(/"Type":"(\w+)"/g)].map(([, type]) => type)).toEqual(['Primary', 'Trunk'])
  })

  test('shows state and tags', () => {
    const answer = testApi().call('DescribeInstances', { InstanceIds: '["i-sim-small"]' })
    expect(answer).toMatchObject({
      Instances: {
        Instance: [{ Status: 'Stopped', Memory: 4096, Tags: { Tag: [{ TagKey: 'pool', TagValue: 'spot' }] } }],
      },
    })
  })
})

test('DescribeInstanceAttribute is flat and knows one instance', () => {
  const { call, codeOf } = testApi()
  const answer = call('DescribeInstanceAttribute', { InstanceId: 'i-sim-b' })
  expect(answer).toMatchObject({
    InstanceId: 'i-sim-b',
    Status: 'Running',
    ZoneId: 'cn-sim-i',
    VpcAttributes: { VSwitchId: 'vsw-sim-i', PrivateIpAddress: { IpAddress: ['10.0.2.10'] } },
  })
  expect(answer).not.toHaveProperty('NetworkInterfaces')
  expect(codeOf('DescribeInstanceAttribute', { InstanceId: 'i-x' })).toBe('InvalidInstanceId.NotFound')
  expect(codeOf('DescribeInstanceAttribute')).toBe('MissingParameter')
})

describe('DescribeInstanceTypes', () => {
  test('says what a type has room for', () => {
    const types = testApi().call('DescribeInstanceTypes', { 'InstanceTypes.1': 'ecs.rdma.large' })
    expect(types).toMatchObject({
      InstanceTypes: {
        InstanceType: [
          {
            InstanceTypeFamily: 'ecs.rdma',
            EniQuantity: 3,
            EniTotalQuantity: 6,
            EniTrunkSupported: true,
            EniPrivateIpAddressQuantity: 4,
            EniIpv6AddressQuantity: 2,
            EriQuantity: 1,
          },
        ],
      },
    })
  })

  test('takes ten types and no filter it does not know', () => {
    const { codeOf } = testApi()
    const eleven = Object.fromEntries(
      Array.from({ length: 11 }, (_, i) => [`InstanceTypes.${i + 1}`, `ecs.t${i}.large`]),
    )
    expect(codeOf('DescribeInstanceTypes', eleven)).toBe('InvalidParameter')
    expect(codeOf('DescribeInstanceTypes', { MinimumEniQuantity: '3' })).toBe('UnsupportedParameter')
  })
})
