import { describe, expect, test } from '@jest/globals'
import { type Query, testActions } from '../../test/simulator/actions.ts'
import { DUAL_STACK } from '../../test/simulator/dual-stack.ts'
import { testRegion } from '../../test/simulator/region.ts'

const CREATE = { VSwitchId: 'vsw-sim-h', 'SecurityGroupIds.1': 'sg-sim' }
/** The first one after the four primary ENIs of the region. */
const ENI = 'eni-sim00000005'
const ON_A = { NetworkInterfaceId: ENI, InstanceId: 'i-sim-a' }
const TRAFFIC = 'NetworkInterfaceTrafficConfig.NetworkInterfaceTrafficMode'

function testApi() {
  const api = testActions(testRegion(DUAL_STACK))
  const create = (query: Query = {}) => api.call('CreateNetworkInterface', { ...CREATE, ...query })
  const attached = (query: Query = {}, on: Query = ON_A) => {
    create(query)
    api.call('AttachNetworkInterface', { ...ON_A, ...on })
    api.pass(1000)
  }
  const attribute = (query: Query = {}) =>
    api.call('DescribeNetworkInterfaceAttribute', { NetworkInterfaceId: ENI, ...query })
  return { ...api, create, attached, attribute }
}

describe('CreateNetworkInterface', () => {
  test('gives everything that is asked for at once', () => {
    const { create } = testApi()
    const answer = create({
      InstanceType: 'Trunk',
      PrimaryIpAddress: '10.0.1.20',
      SecondaryPrivateIpAddressCount: '2',
      Ipv4PrefixCount: '2',
      'Ipv6Address.1': '2001:db8:0:1a01::5',
      'Ipv6Prefix.1': '2001:DB8:0:1A01:7::/80',
      ResourceGroupId: 'rg-x',
      SourceDestCheck: 'true',
    })
    expect(answer).toMatchObject({
      NetworkInterfaceId: ENI,
      Type: 'Trunk',
      PrivateIpAddress: '10.0.1.20',
      PrivateIpSets: {
        PrivateIpSet: [
          { PrivateIpAddress: '10.0.1.20', Primary: true },
          { PrivateIpAddress: '10.0.1.1', Primary: false },
          { PrivateIpAddress: '10.0.1.2', Primary: false },
        ],
      },
      Ipv4PrefixSets: { Ipv4PrefixSet: [{ Ipv4Prefix: '10.0.1.32/28' }, { Ipv4Prefix: '10.0.1.48/28' }] },
      Ipv6Sets: { Ipv6Set: [{ Ipv6Address: '2001:db8:0:1a01::5', Primary: false }] },
      Ipv6PrefixSets: { Ipv6PrefixSet: [{ Ipv6Prefix: '2001:db8:0:1a01:7::/80' }] },
      ResourceGroupId: 'rg-x',
      SourceDestCheck: true,
    })
  })

  test.each<[Query, string]>([
    [{ InstanceType: 'Member' }, 'InvalidParameter'],
    [{ VSwitchId: 'vsw-x' }, 'InvalidVSwitchId.NotFound'],
    [{ 'SecurityGroupIds.2': 'sg-x' }, 'InvalidSecurityGroupId.NotFound'],
    [{ 'SecurityGroupIds.2': 'sg-sim' }, 'InvalidParameter.SecurityGroupIdRepeated'],
    [{ 'SecurityGroupIds.2': 'sg-b', 'SecurityGroupIds.3': 'sg-c' }, 'JoinedGroupLimitExceed'],
    [{ 'SecurityGroupIds.2': 'sg-apart' }, 'InvalidOperation.MultiGroupType'],
    [{ SecurityGroupId: 'sg-sim' }, 'InvalidParameter.Conflict'],
    [{ PrimaryIpAddress: '10.0.2.1' }, 'InvalidVSwitchId.IpInvalid'],
    [{ PrimaryIpAddress: '10.0.1.253' }, 'InvalidVSwitchId.IpInvalid'],
    [{ PrimaryIpAddress: '10.0.1.10' }, 'InvalidIp.IpAssigned'],
    [{ PrimaryIpAddress: '10.0.1.20', 'PrivateIpAddress.1': '10.0.1.20' }, 'InvalidIp.IpRepeated'],
    [{ PrimaryIpAddress: '' }, 'InvalidParameter'],
    [{ SecondaryPrivateIpAddressCount: '0' }, 'InvalidParameter'],
    [{ SecondaryPrivateIpAddressCount: '50' }, 'InvalidParameter'],
    [{ SecondaryPrivateIpAddressCount: '1', 'PrivateIpAddress.1': '10.0.1.20' }, 'InvalidParameter.Conflict'],
    [{ SecondaryPrivateIpAddressCount: '49', Ipv4PrefixCount: '1' }, 'InvalidOperation.Ipv4CountExceeded'],
    [numbered('PrivateIpAddress', 11, (i) => `10.0.1.${i + 20}`), 'InvalidParameter'],
    [{ PrivateIpAddress: '10.0.1.20' }, 'UnsupportedParameter'],
    [{ Ipv4PrefixCount: '11' }, 'InvalidParameter'],
    [{ Ipv4PrefixCount: '1', 'Ipv4Prefix.1': '10.0.1.32/28' }, 'InvalidParameter.Conflict'],
    [{ 'Ipv4Prefix.1': '10.0.1.33/28' }, 'InvalidParameter'],
    [{ 'Ipv4Prefix.1': '10.0.1.32/27' }, 'InvalidParameter'],
    [{ 'Ipv4Prefix.1': '10.0.1.32' }, 'InvalidParameter'],
    [{ 'Ipv4Prefix.1': '2001:db8:0:1a01:7::/80' }, 'InvalidParameter'],
    [{ 'Ipv4Prefix.1': '10.0.2.32/28' }, 'InvalidVSwitchId.IpInvalid'],
    [{ 'Ipv4Prefix.1': '10.0.1.0/28' }, 'InvalidVSwitchId.IpInvalid'],
    [{ 'Ipv4Prefix.1': '10.0.1.32/28', 'Ipv4Prefix.2': '10.0.1.32/28' }, 'InvalidIp.IpRepeated'],
    [{ 'Ipv4Prefix.1': '10.0.1.32/28', 'PrivateIpAddress.1': '10.0.1.40' }, 'InvalidIp.IpAssigned'],
    [{ Ipv6AddressCount: '11' }, 'InvalidParameter'],
    [{ Ipv6AddressCount: '10', Ipv6PrefixCount: '1' }, 'MaxEniIpv6IpsCountExceeded'],
    [{ Ipv6AddressCount: '1', VSwitchId: 'vsw-sim-i' }, 'InvalidVSwitch.Ipv6NotTurnOn'],
    [{ 'Ipv6Address.1': '10.0.1.20' }, 'InvalidIp.Address'],
    [{ 'Ipv6Address.1': '2001:db8:0:1a02::1' }, 'InvalidVSwitchId.IpInvalid'],
    [{ 'Ipv6Address.1': '2001:db8:0:1a01::' }, 'InvalidVSwitchId.IpInvalid'],
    [{ 'Ipv6Prefix.1': '2001:db8:0:1a01::/64' }, 'InvalidParameter'],
    [{ 'Ipv6Prefix.1': '2001:db8:0:1a01::/80' }, 'InvalidVSwitchId.IpInvalid'],
    [{ Ipv6AddressCount: '1', 'PrivateIpAddress.1': '10.0.1.10' }, 'InvalidIp.IpAssigned'],
    [{ NetworkInterfaceName: '1x' }, 'InvalidParams.NetworkInterfaceName'],
    [{ NetworkInterfaceName: 'a' }, 'InvalidParams.NetworkInterfaceName'],
    [{ NetworkInterfaceName: 'http://x' }, 'InvalidParams.NetworkInterfaceName'],
    [{ Description: 'https://x' }, 'InvalidParameter'],
    [{ Description: 'x'.repeat(257) }, 'InvalidParameter'],
    [{ DeleteOnRelease: 'yes' }, 'InvalidParameter'],
    [{ NetworkInterfaceTrafficMode: 'Fast' }, 'InvalidParameter.EniTrafficMode'],
    [{ NetworkInterfaceTrafficMode: 'Standard', [TRAFFIC]: 'Standard' }, 'InvalidParameter.Conflict'],
    [{ QueueNumber: '2049' }, 'InvalidParameter'],
    [{ QueuePairNumber: '1' }, 'UnsupportedParameter'],
    [{ EnablePrimaryIPv6: 'true' }, 'UnsupportedParameter'],
    [{ 'ConnectionTrackingConfiguration.UdpTimeout': '30' }, 'UnsupportedParameter'],
    [{ SecurityGroupsIds: 'sg-b' }, 'UnsupportedParameter'],
  ])('%j: %s', (query, code) => {
    const { cloud, codeOf, call } = testApi()
    const before = [cloud.enis(), cloud.changes.length, cloud.availableIps(vSwitchOf(query))]
    expect(codeOf('CreateNetworkInterface', { ...CREATE, ...query })).toBe(code)
    expect([cloud.enis(), cloud.changes.length, cloud.availableIps(vSwitchOf(query))]).toEqual(before)
    // What a refused call took for a moment is free again.
    const next = call('CreateNetworkInterface', { ...CREATE, Ipv6AddressCount: '1' })
    expect(next).toMatchObject({
      PrivateIpAddress: '10.0.1.1',
      Ipv6Sets: { Ipv6Set: [{ Ipv6Address: '2001:db8:0:1a01::1' }] },
    })
  })
})

/** One that exists, whatever the query asks for. */
function vSwitchOf({ VSwitchId = 'vsw-sim-h' }: Query) {
  return (VSwitchId === 'vsw-x' ? 'vsw-sim-h' : VSwitchId) as never
}

function numbered(name: string, count: number, value: (index: number) => string): Query {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}.${i + 1}`, value(i)]))
}

describe('quotas', () => {
  test('of ENIs count the primary ones', () => {
    const { create, codeOf } = testApi()
    for (let i = 0; i < 26; i++) create()
    expect(codeOf('CreateNetworkInterface', CREATE)).toBe('MaxEniCountExceeded')
  })

  test('of a security group count every private address, those in prefixes too', () => {
    const { create, codeOf, call } = testApi()
    const full = { ...CREATE, 'SecurityGroupIds.1': 'sg-b' }
    create({ ...full, Ipv4PrefixCount: '7', SecondaryPrivateIpAddressCount: '6' })
    expect(codeOf('CreateNetworkInterface', { ...full, SecondaryPrivateIpAddressCount: '1' })).toBe(
      'SecurityGroupInstanceLimitExceed',
    )
    create(full)
    const one = { NetworkInterfaceId: ENI, SecondaryPrivateIpAddressCount: '1' }
    expect(codeOf('AssignPrivateIpAddresses', one)).toBe('SecurityGroupInstanceLimitExceed')
    const other = String(create().NetworkInterfaceId)
    const join = { NetworkInterfaceId: other, 'SecurityGroupId.1': 'sg-b' }
    expect(codeOf('ModifyNetworkInterfaceAttribute', join)).toBe('SecurityGroupInstanceLimitExceed')
    // An ENI may name the group it is in already.
    const stay = { NetworkInterfaceId: ENI, 'SecurityGroupId.1': 'sg-b', 'SecurityGroupId.2': 'sg-c' }
    expect(codeOf('ModifyNetworkInterfaceAttribute', stay)).toBe('OK')
    call('UnassignPrivateIpAddresses', { NetworkInterfaceId: ENI, 'Ipv4Prefix.1': '10.0.1.16/28' })
    expect(codeOf('ModifyNetworkInterfaceAttribute', join)).toBe('OK')
  })
})

describe('AttachNetworkInterface', () => {
  test.each<[Query, Query, string]>([
    [{}, { NetworkCardIndex: '0' }, 'OK'],
    [{}, { NetworkCardIndex: '1' }, 'InvalidParameter'],
    [{}, { InstanceId: 'i-x' }, 'InvalidEcsId.NotFound'],
    [{}, { InstanceId: 'i-sim-b' }, 'InvalidOperation.AvailabilityZoneMismatch'],
    [{}, { InstanceId: 'x' }, 'InvalidInstanceID.Malformed'],
    [{}, { NetworkInterfaceId: 'eni-sim00000001' }, 'InvalidOperation.InvalidEniType'],
    [{}, { TrunkNetworkInstanceId: 'x' }, 'InvalidParams.EniId'],
    [{}, { TrunkNetworkInstanceId: '' }, 'MissingParameter'],
    [{}, { TrunkNetworkInstanceId: 'eni-sim00000001' }, 'InvalidOperation.EniTypeNotSupportTrunking'],
    [{ SecondaryPrivateIpAddressCount: '4' }, { InstanceId: 'i-sim-small' }, 'InvalidOperation.Ipv4CountExceeded'],
    [{ Ipv4PrefixCount: '4' }, { InstanceId: 'i-sim-small' }, 'InvalidOperation.Ipv4CountExceeded'],
    [{ Ipv4PrefixCount: '3' }, { InstanceId: 'i-sim-small' }, 'OK'],
    [{ Ipv6AddressCount: '1' }, { InstanceId: 'i-sim-small' }, 'InvalidOperation.Ipv6NotSupport'],
    [
      { Ipv6AddressCount: '2', Ipv6PrefixCount: '1' },
      { InstanceId: 'i-sim-rdma' },
      'InvalidOperation.Ipv6CountExceeded',
    ],
    [{ Ipv6AddressCount: '1', Ipv6PrefixCount: '1' }, { InstanceId: 'i-sim-rdma' }, 'OK'],
    [{ QueueNumber: '4' }, {}, 'OK'],
    [{ QueueNumber: '5' }, {}, 'InvalidOperation.MaxEniQueueNumberExceeded'],
    [{ [TRAFFIC]: 'HighPerformance' }, {}, 'InvalidOperation.InstanceTypeNotSupportHighPerformance'],
    [{ NetworkInterfaceTrafficMode: 'HighPerformance' }, { InstanceId: 'i-sim-rdma' }, 'OK'],
  ])('%j on %j: %s', (query, on, code) => {
    const { create, codeOf } = testApi()
    create(query)
    expect(codeOf('AttachNetworkInterface', { ...ON_A, ...on })).toBe(code)
  })

  test('an instance has as many eRDMA interfaces as its type', () => {
    const { create, call, codeOf } = testApi()
    create({ NetworkInterfaceTrafficMode: 'HighPerformance' })
    create({ NetworkInterfaceTrafficMode: 'HighPerformance' })
    const onRdma = (id: string) => ({ NetworkInterfaceId: id, InstanceId: 'i-sim-rdma' })
    call('AttachNetworkInterface', onRdma(ENI))
    expect(codeOf('AttachNetworkInterface', onRdma('eni-sim00000006'))).toBe(
      'InvalidOperation.HighPerformanceEniPerInstanceLimitExceeded',
    )
  })
})

describe('ModifyNetworkInterfaceAttribute', () => {
  test('changes what is named and replaces the security groups', () => {
    const { create, call, attribute } = testApi()
    create({ NetworkInterfaceName: 'before', Description: 'before' })
    call('ModifyNetworkInterfaceAttribute', {
      NetworkInterfaceId: ENI,
      NetworkInterfaceName: 'after',
      'SecurityGroupId.1': 'sg-c',
      'SecurityGroupId.2': 'sg-b',
      DeleteOnRelease: 'false',
      SourceDestCheck: 'true',
      QueueNumber: '2',
      [TRAFFIC]: 'HighPerformance',
    })
    expect(attribute()).toMatchObject({
      NetworkInterfaceName: 'after',
      Description: 'before',
      SecurityGroupIds: { SecurityGroupId: ['sg-c', 'sg-b'] },
      DeleteOnRelease: false,
      SourceDestCheck: true,
      QueueNumber: 2,
      NetworkInterfaceTrafficConfig: { NetworkInterfaceTrafficMode: 'HighPerformance', QueueNumber: 2 },
    })
  })

  test('of nothing is fine and changes nothing', () => {
    const { create, cloud, codeOf } = testApi()
    create()
    const before = cloud.changes.length
    expect(codeOf('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: ENI, Description: '' })).toBe('OK')
    expect(cloud.changes).toHaveLength(before)
  })

  test.each<[string, Query, string]>([
    ['eni-x', {}, 'InvalidEniId.NotFound'],
    [ENI, { 'SecurityGroupId.1': 'sg-x' }, 'InvalidSecurityGroupId.NotFound'],
    [ENI, { 'SecurityGroupId.1': 'sg-b', 'SecurityGroupId.2': 'sg-b' }, 'InvalidParameter.SecurityGroupIdRepeated'],
    [ENI, { 'SecurityGroupIds.1': 'sg-b' }, 'UnsupportedParameter'],
    [ENI, { Description: 'x'.repeat(256) }, 'InvalidParameter'],
    [ENI, { QueueNumber: '1' }, 'InvalidOperation.InvalidEniState'],
    [ENI, { [TRAFFIC]: 'Standard' }, 'OK'],
    [ENI, { [TRAFFIC]: 'HighPerformance' }, 'InvalidOperation.InstanceTypeNotSupportHighPerformance'],
    ['eni-sim00000001', { NetworkInterfaceName: 'eth0' }, 'OK'],
    ['eni-sim00000001', { 'SecurityGroupId.1': 'sg-b' }, 'InvalidOperation.PrimaryEniOnlySupportModifyNameAndDesc'],
  ])('of %s with %j: %s', (id, query, code) => {
    const { attached, cloud, codeOf } = testApi()
    attached()
    const before = cloud.enis()
    expect(codeOf('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: id, ...query })).toBe(code)
    if (code !== 'OK') expect(cloud.enis()).toBe(before)
  })

  test('queues can be changed on a stopped instance, within its type', () => {
    const { attached, codeOf } = testApi()
    attached({}, { InstanceId: 'i-sim-small' })
    const ask = (QueueNumber: string) =>
      codeOf('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: ENI, QueueNumber })
    expect([ask('2'), ask('3')]).toEqual(['OK', 'InvalidOperation.MaxEniQueueNumberExceeded'])
  })

  test('an eRDMA interface stays one', () => {
    const { attached, codeOf } = testApi()
    attached({ NetworkInterfaceTrafficMode: 'HighPerformance' }, { InstanceId: 'i-sim-rdma' })
    const ask = (mode: string) =>
      codeOf('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: ENI, [TRAFFIC]: mode })
    expect([ask('HighPerformance'), ask('Standard')]).toEqual(['OK', 'InvalidTrafficMode.ModifyToStandardNotSupported'])
  })

  test('an ENI on its way is left alone', () => {
    const { create, call, codeOf } = testApi()
    create()
    call('AttachNetworkInterface', ON_A)
    const query = { NetworkInterfaceId: ENI, NetworkInterfaceName: 'new' }
    expect(codeOf('ModifyNetworkInterfaceAttribute', query)).toBe('InvalidOperation.InvalidEniState')
  })
})
