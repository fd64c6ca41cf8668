import { describe, expect, test } from '@jest/globals'
import { type Query, testActions } from '../../test/simulator/actions.ts'
import { DUAL_STACK } from '../../test/simulator/dual-stack.ts'
import { testRegion } from '../../test/simulator/region.ts'

const ENI = 'eni-sim00000005'
const ID = { NetworkInterfaceId: ENI }
const NET = '2001:db8:0:1a01'

function testEni({ instance, vSwitch = 'vsw-sim-h' }: { instance?: string; vSwitch?: string } = {}) {
  const api = testActions(testRegion(DUAL_STACK))
  api.call('CreateNetworkInterface', { VSwitchId: vSwitch, SecurityGroupId: 'sg-sim' })
  if (instance !== undefined) api.call('AttachNetworkInterface', { ...ID, InstanceId: instance })
  api.pass(1000)
  return api
}

test('assigned addresses and prefixes are lists of text, and objects in the description', () => {
  const { call } = testEni()
  const assign = (query: Query) => call('AssignIpv6Addresses', { ...ID, ...query })
  expect(assign({ Ipv6AddressCount: '2' })).toEqual({
    NetworkInterfaceId: ENI,
    Ipv6Sets: { Ipv6Address: [`${NET}::1`, `${NET}::2`] },
    Ipv6PrefixSets: { Ipv6Prefix: [] },
  })
  expect(assign({ Ipv6PrefixCount: '2' })).toEqual({
    NetworkInterfaceId: ENI,
    Ipv6Sets: { Ipv6Address: [] },
    Ipv6PrefixSets: { Ipv6Prefix: [`${NET}:1::/80`, `${NET}:2::/80`] },
  })
  expect(call('DescribeNetworkInterfaceAttribute', ID)).toMatchObject({
    Ipv6Sets: { Ipv6Set: [{ Ipv6Address: `${NET}::1` }, { Ipv6Address: `${NET}::2` }] },
    Ipv6PrefixSets: { Ipv6PrefixSet: [{ Ipv6Prefix: `${NET}:1::/80` }, { Ipv6Prefix: `${NET}:2::/80` }] },
  })
})

test('what was unassigned comes back at once', () => {
  const { call } = testEni()
  call('AssignIpv6Addresses', { ...ID, Ipv6AddressCount: '3' })
  call('UnassignIpv6Addresses', { ...ID, 'Ipv6Address.1': `${NET}:0:0:0:2` })
  expect(call('AssignIpv6Addresses', { ...ID, Ipv6AddressCount: '1' })).toMatchObject({
    Ipv6Sets: { Ipv6Address: [`${NET}::2`] },
  })
})

describe('AssignIpv6Addresses', () => {
  test.each<[Query, string]>([
    [{}, 'MissingParameter'],
    [{ NetworkInterfaceId: 'x', Ipv6AddressCount: '1' }, 'InvalidParams.EniId'],
    [{ Ipv6AddressCount: '11' }, 'InvalidParameter'],
    [{ Ipv6AddressCount: '1', Ipv6PrefixCount: '1' }, 'InvalidParameter.Conflict'],
    [{ 'Ipv6Address.1': 'x' }, 'InvalidIp.Address'],
    [{ 'Ipv6Address.1': `${NET}:ffff:ffff:ffff:fff7` }, 'InvalidVSwitchId.IpInvalid'],
    [{ 'Ipv6Address.1': `${NET}::1`, 'Ipv6Address.2': `${NET}:0::1` }, 'InvalidIp.IpRepeated'],
    [{ 'Ipv6Address.1': `${NET}::9` }, 'InvalidIp.IpAssigned'],
    [{ 'Ipv6Prefix.1': `${NET}:9::/80` }, 'InvalidIp.IpAssigned'],
    [{ 'Ipv6Address.1': `${NET}:9::1` }, 'InvalidIp.IpAssigned'],
    [{ 'Ipv6Prefix.1': `${NET}:9::1/80` }, 'InvalidParameter'],
    [{ 'Ipv6Prefix.1': `${NET}:ffff::/80` }, 'InvalidVSwitchId.IpInvalid'],
    [{ SecondaryPrivateIpAddressCount: '1' }, 'UnsupportedParameter'],
  ])('%j: %s', (query, code) => {
    const { cloud, call, codeOf } = testEni({ instance: 'i-sim-a' })
    call('AssignIpv6Addresses', { ...ID, 'Ipv6Address.1': `${NET}::9` })
    call('AssignIpv6Addresses', { ...ID, 'Ipv6Prefix.1': `${NET}:9::/80` })
    const before = cloud.enis()
    expect(codeOf('AssignIpv6Addresses', { ...ID, ...query })).toBe(code)
    expect(cloud.enis()).toBe(before)
  })

  test.each<[string | undefined, string[], string]>([
    [undefined, ['10'], 'MaxEniIpv6IpsCountExceeded'],
    ['i-sim-a', ['10', '5'], 'InvalidOperation.Ipv6CountExceeded'],
    ['i-sim-rdma', ['2'], 'InvalidOperation.Ipv6CountExceeded'],
  ])('on %s there are no more after %j', (instance, full, code) => {
    const { call, codeOf } = testEni(instance === undefined ? {} : { instance })
    for (const Ipv6AddressCount of full) call('AssignIpv6Addresses', { ...ID, Ipv6AddressCount })
    expect(codeOf('AssignIpv6Addresses', { ...ID, Ipv6AddressCount: '1' })).toBe(code)
    expect(codeOf('AssignIpv6Addresses', { ...ID, Ipv6PrefixCount: '1' })).toBe(code)
  })

  test('where there is no IPv6', () => {
    const one = { ...ID, Ipv6AddressCount: '1' }
    expect(testEni({ instance: 'i-sim-small' }).codeOf('AssignIpv6Addresses', one)).toBe(
      'InvalidOperation.Ipv6NotSupport',
    )
    expect(testEni({ vSwitch: 'vsw-sim-i' }).codeOf('AssignIpv6Addresses', one)).toBe('InvalidVSwitch.Ipv6NotTurnOn')
  })
})

test.each<[Query, string]>([
  [{}, 'MissingParameter'],
  [{ 'Ipv6Address.1': `${NET}::1` }, 'OK'],
  [{ 'Ipv6Prefix.1': `${NET}:1::/80` }, 'OK'],
  [{ 'Ipv6Address.1': `${NET}::2` }, 'InvalidIp.IpUnassigned'],
  [{ 'Ipv6Address.1': `${NET}::1`, 'Ipv6Address.2': `${NET}::2` }, 'InvalidIp.IpUnassigned'],
  [{ 'Ipv6Address.1': `${NET}::1`, 'Ipv6Address.2': `${NET}::1` }, 'InvalidIp.IpRepeated'],
  [{ 'Ipv6Address.1': `${NET}::1`, 'Ipv6Prefix.1': `${NET}:1::/80` }, 'InvalidParameter.Conflict'],
])('UnassignIpv6Addresses %j: %s', (query, code) => {
  const { cloud, call, codeOf } = testEni()
  call('AssignIpv6Addresses', { ...ID, Ipv6AddressCount: '1' })
  call('AssignIpv6Addresses', { ...ID, Ipv6PrefixCount: '1' })
  const before = cloud.enis()
  expect(codeOf('UnassignIpv6Addresses', { ...ID, ...query })).toBe(code)
  if (code !== 'OK') expect(cloud.enis()).toBe(before)
})
