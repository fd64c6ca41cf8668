import { describe, expect, test } from '@jest/globals'
import { type Query, testActions } from '../../test/simulator/actions.ts'
import { DUAL_STACK } from '../../test/simulator/dual-stack.ts'
import { NO_LATENCY, testRegion } from '../../test/simulator/region.ts'
import type { Eni } from '../cloud/eni.ts'
import { DESCRIBE_NETWORK_INTERFACE_ACTIONS } from './describe-network-interfaces.ts'
import { Parameters } from './parameters.ts'
import { TemporaryKeys } from './temporary-keys.ts'

/** 1 to 4 are primary, 5 is a trunk, 6 its member, 7 has IPv6, tags and a resource group. */
function testEnis() {
  const api = testActions(testRegion({ ...DUAL_STACK, latencies: { ...NO_LATENCY, member: 0 } }))
  const create = (query: Query) => {
    api.call('CreateNetworkInterface', { VSwitchId: 'vsw-sim-h', SecurityGroupId: 'sg-sim', ...query })
  }
  create({ InstanceType: 'Trunk' })
  create({})
  create({ Ipv6AddressCount: '1', ResourceGroupId: 'rg-x', 'Tag.1.Key': 'creator', 'Tag.1.Value': 'terway' })
  const onA = { InstanceId: 'i-sim-a' }
  api.call('AttachNetworkInterface', { ...onA, NetworkInterfaceId: idOf(5) })
  api.pass(0)
  api.call('AttachNetworkInterface', { ...onA, NetworkInterfaceId: idOf(6), TrunkNetworkInstanceId: idOf(5) })
  api.pass(0)
  return api
}

const idOf = (number: number) => `eni-sim0000000${number}`

describe('filters', () => {
  test.each<[Query, number[]]>([
    [{}, [1, 2, 3, 4, 5, 6, 7]],
    [{ Type: 'Primary' }, [1, 2, 3, 4]],
    [{ Type: 'Trunk' }, [5]],
    [{ Type: 'Member' }, [6]],
    [{ Type: 'Secondary' }, [7]],
    [{ InstanceId: 'i-sim-a' }, [1, 5, 6]],
    [{ InstanceId: 'i-sim-a', Type: 'Member' }, [6]],
    [{ 'Ipv6Address.1': '2001:db8:0:1a01::1' }, [7]],
    [{ 'Ipv6Address.1': '2001:DB8:0:1A01:0::1' }, [7]],
    [{ 'Ipv6Address.1': '2001:db8:0:1a01::2' }, []],
    [{ ResourceGroupId: 'rg-x' }, [7]],
    [{ ServiceManaged: 'true' }, []],
    [{ ServiceManaged: 'false', Status: 'Available' }, [7]],
    [{ 'Tag.1.Key': 'creator', 'Tag.2.Key': 'no' }, []],
    [{ VpcId: 'vpc-x' }, []],
    [{ InstanceId: '' }, [1, 2, 3, 4, 5, 6, 7]],
  ])('%j', (query, numbers) => {
    const { NetworkInterfaceSets } = testEnis().call('DescribeNetworkInterfaces', query)
    expect(NetworkInterfaceSets).toMatchObject({
      NetworkInterfaceSet: numbers.map((number) => ({ NetworkInterfaceId: idOf(number) })),
    })
    expect(JSON.stringify(NetworkInterfaceSets).match(/"NetworkInterfaceId"/g) ?? []).toHaveLength(numbers.length)
  })

  test.each<[Query, string]>([
    [{ Type: 'trunk' }, 'InvalidParameter'],
    [{ Status: 'Created' }, 'InvalidParameter'],
    [{ 'Ipv6Address.1': '10.0.1.1' }, 'InvalidIp.Address'],
    [{ NetworkInterfaceId: idOf(1) }, 'UnsupportedParameter'],
    [{ 'NetworkInterfaceIds.1': idOf(1) }, 'UnsupportedParameter'],
    [{ ServiceManaged: 'maybe' }, 'InvalidParameter'],
  ])('%j: %s', (query, code) => {
    expect(testEnis().codeOf('DescribeNetworkInterfaces', query)).toBe(code)
  })
})

test('a member names its trunk and its VLAN', () => {
  const { call } = testEnis()
  expect(call('DescribeNetworkInterfaces', { Type: 'Member' })).toMatchObject({
    NetworkInterfaceSets: {
      NetworkInterfaceSet: [
        {
          Type: 'Member',
          Status: 'InUse',
          InstanceId: 'i-sim-a',
          Attachment: { InstanceId: 'i-sim-a', DeviceIndex: 1, NetworkCardIndex: 0, TrunkNetworkInterfaceId: idOf(5) },
        },
      ],
    },
  })
})

describe('DescribeNetworkInterfaceAttribute', () => {
  const ask = (query: Query) =>
    testEnis().call('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId: idOf(5), ...query })

  test('lists the members of a trunk when it is asked to', () => {
    const attachment = { InstanceId: 'i-sim-a', DeviceIndex: 1, NetworkCardIndex: 0 }
    expect(ask({}).Attachment).toEqual(attachment)
    expect(ask({ Attribute: 'basic' }).Attachment).toEqual(attachment)
    const members = { MemberNetworkInterfaceIds: { MemberNetworkInterfaceId: [idOf(6)] } }
    expect(ask({ Attribute: 'attachment' }).Attachment).toEqual({ ...attachment, ...members })
  })

  test('of what it does not simulate is refused', () => {
    expect(() => ask({ Attribute: 'connectionTrackingConfiguration' })).toThrow('Attribute')
  })
})

test('the answer is what the caller is shown, not what is there', () => {
  const { cloud, now } = testEnis()
  const none = { enis: [], shown: (enis: readonly Eni[]) => enis }
  const hidden = { enis: cloud.enis(), shown: () => [] }
  for (const context of [none, hidden]) {
    const ask = (action: string, query: Query) =>
      DESCRIBE_NETWORK_INTERFACE_ACTIONS[action]?.handle(cloud, new Parameters(new Map(Object.entries(query))), {
        ...{ ...context, temporaryKeys: new TemporaryKeys(now), wall: now() },
      })
    expect(ask('DescribeNetworkInterfaces', {})).toMatchObject({ TotalCount: 0 })
    const query = { NetworkInterfaceId: idOf(5) }
    expect(() => ask('DescribeNetworkInterfaceAttribute', query)).toThrow('does not exist')
  }
})
