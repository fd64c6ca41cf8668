import { describe, expect, test } from '@jest/globals'
import { type Query, testActions } from '../../test/simulator/actions.ts'
import { DUAL_STACK } from '../../test/simulator/dual-stack.ts'
import { testRegion } from '../../test/simulator/region.ts'
import type { VSwitchId } from '../region/ids.ts'

const ENI = 'eni-sim00000005'
const ID = { NetworkInterfaceId: ENI }
const ZONE_H = 'vsw-sim-h' as VSwitchId

function testEni(instance?: string) {
  const api = testActions(testRegion(DUAL_STACK))
  api.call('CreateNetworkInterface', { VSwitchId: 'vsw-sim-h', SecurityGroupId: 'sg-apart' })
  if (instance !== undefined) api.call('AttachNetworkInterface', { ...ID, InstanceId: instance })
  api.pass(1000)
  return api
}

const named = (count: number, first = 100): Query =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`PrivateIpAddress.${i + 1}`, `10.0.1.${first + i}`]))

describe('AssignPrivateIpAddresses', () => {
  test('answers with lists of text', () => {
    const { call } = testEni()
    const answer = (ips: string[], prefixes: string[]) => ({
      AssignedPrivateIpAddressesSet: {
        NetworkInterfaceId: ENI,
        PrivateIpSet: { PrivateIpAddress: ips },
        Ipv4PrefixSet: { Ipv4Prefixes: prefixes },
      },
    })
    const assign = (query: Query) => call('AssignPrivateIpAddresses', { ...ID, ...query })
    expect(assign({ SecondaryPrivateIpAddressCount: '2' })).toEqual(answer(['10.0.1.2', '10.0.1.3'], []))
    expect(assign({ Ipv4PrefixCount: '2' })).toEqual(answer([], ['10.0.1.16/28', '10.0.1.32/28']))
    expect(assign({ 'Ipv4Prefix.1': '10.0.1.224/28' })).toEqual(answer([], ['10.0.1.224/28']))
    // What is inside a prefix is not handed out.
    expect(assign({ SecondaryPrivateIpAddressCount: '10' })).toEqual(
      answer([...[4, 5, 6, 7, 8, 9, 13, 14, 15, 48].map((last) => `10.0.1.${last}`)], []),
    )
  })

  test('a prefix counts sixteen in the vSwitch and one on the ENI', () => {
    const { cloud, call, codeOf } = testEni('i-sim-small')
    const before = cloud.availableIps(ZONE_H)
    call('AssignPrivateIpAddresses', { ...ID, Ipv4PrefixCount: '3' })
    expect(cloud.availableIps(ZONE_H)).toBe(before - 48)
    expect(codeOf('AssignPrivateIpAddresses', { ...ID, Ipv4PrefixCount: '1' })).toBe(
      'InvalidOperation.Ipv4CountExceeded',
    )
    call('UnassignPrivateIpAddresses', { ...ID, 'Ipv4Prefix.1': '10.0.1.16/28' })
    expect(cloud.availableIps(ZONE_H)).toBe(before - 32)
    expect(codeOf('AssignPrivateIpAddresses', { ...ID, 'PrivateIpAddress.1': '10.0.1.17' })).toBe('OK')
  })

  test('a vSwitch in which no block is whole has no prefix', () => {
    const vSwitches = [{ id: 'vsw-sim-h', zone: 'z', cidr: '10.0.1.0/26' }]
    const node = {
      name: 'n',
      instanceId: 'i-n',
      instanceType: 'ecs.g7.large',
      vSwitch: 'vsw-sim-h',
      primaryIp: '10.0.1.20',
    }
    const { cloud, call, codeOf } = testActions(testRegion({ vSwitches, nodes: [node] }))
    call('CreateNetworkInterface', { VSwitchId: 'vsw-sim-h', SecurityGroupId: 'sg-sim', PrimaryIpAddress: '10.0.1.40' })
    const before = cloud.enis()
    expect([
      cloud.availableIps(ZONE_H),
      codeOf('AssignPrivateIpAddresses', { NetworkInterfaceId: 'eni-sim00000002', Ipv4PrefixCount: '1' }),
    ]).toEqual([58, 'InvalidVSwitchId.IpNotEnough'])
    expect(cloud.enis()).toBe(before)
  })

  test('an Available ENI has 49 secondary addresses, 32 of them by name in one call', () => {
    const { codeOf } = testEni()
    const ask = (query: Query) => codeOf('AssignPrivateIpAddresses', { ...ID, ...query })
    expect(ask(named(33))).toBe('InvalidParameter')
    expect(ask(named(32))).toBe('OK')
    expect(ask({ SecondaryPrivateIpAddressCount: '18' })).toBe('InvalidOperation.Ipv4CountExceeded')
    expect(ask({ SecondaryPrivateIpAddressCount: '17' })).toBe('OK')
    expect(ask({ SecondaryPrivateIpAddressCount: '1' })).toBe('InvalidOperation.Ipv4CountExceeded')
  })

  test.each<[Query, string]>([
    [{}, 'MissingParameter'],
    [{ NetworkInterfaceId: 'eni-x', SecondaryPrivateIpAddressCount: '1' }, 'InvalidEniId.NotFound'],
    [{ SecondaryPrivateIpAddressCount: '0' }, 'InvalidParameter'],
    [{ SecondaryPrivateIpAddressCount: '15' }, 'InvalidOperation.Ipv4CountExceeded'],
    [{ SecondaryPrivateIpAddressCount: '1', Ipv4PrefixCount: '1' }, 'InvalidParameter.Conflict'],
    [{ 'PrivateIpAddress.1': '10.0.1.20', 'Ipv4Prefix.1': '10.0.1.32/28' }, 'InvalidParameter.Conflict'],
    [{ PrivateIpAddress: '10.0.1.20' }, 'UnsupportedParameter'],
    [{ 'PrivateIpAddress.1': '10.0.1.10' }, 'InvalidIp.IpAssigned'],
    [{ 'PrivateIpAddress.1': '10.0.1.0' }, 'InvalidVSwitchId.IpInvalid'],
    [{ 'PrivateIpAddress.1': '10.0.1.20', 'PrivateIpAddress.2': '10.0.1.20' }, 'InvalidIp.IpRepeated'],
    [{ 'Ipv4Prefix.1': '10.0.1.0/28' }, 'InvalidVSwitchId.IpInvalid'],
    [{ 'Ipv4Prefix.1': '10.0.1.32/28', 'Ipv4Prefix.2': '10.0.1.240/28' }, 'InvalidVSwitchId.IpInvalid'],
    [{ Ipv6AddressCount: '1' }, 'UnsupportedParameter'],
  ])('%j: %s', (query, code) => {
    const { cloud, codeOf } = testEni('i-sim-a')
    const before = [cloud.enis(), cloud.availableIps(ZONE_H)]
    expect(codeOf('AssignPrivateIpAddresses', { ...ID, ...query })).toBe(code)
    expect([cloud.enis(), cloud.availableIps(ZONE_H)]).toEqual(before)
  })
})

describe('UnassignPrivateIpAddresses', () => {
  test.each<[Query, string]>([
    [{}, 'MissingParameter'],
    [{ 'PrivateIpAddress.1': '10.0.1.2' }, 'OK'],
    [{ 'PrivateIpAddress.1': '10.0.1.1' }, 'InvalidIp.IpUnassigned'],
    [{ 'PrivateIpAddress.1': '10.0.1.2', 'PrivateIpAddress.2': '10.0.1.2' }, 'InvalidIp.IpRepeated'],
    [{ 'PrivateIpAddress.1': '10.0.1.2', 'PrivateIpAddress.2': '10.0.1.99' }, 'InvalidIp.IpUnassigned'],
    [{ 'Ipv4Prefix.1': '10.0.1.16/28' }, 'OK'],
    [{ 'Ipv4Prefix.1': '10.0.1.32/28' }, 'InvalidIp.IpUnassigned'],
    [{ 'PrivateIpAddress.1': '10.0.1.17' }, 'InvalidIp.IpUnassigned'],
    [{ 'PrivateIpAddress.1': '10.0.1.2', 'Ipv4Prefix.1': '10.0.1.16/28' }, 'InvalidParameter.Conflict'],
    [named(33), 'InvalidParameter'],
  ])('%j: %s', (query, code) => {
    const { cloud, call, codeOf } = testEni('i-sim-a')
    call('AssignPrivateIpAddresses', { ...ID, SecondaryPrivateIpAddressCount: '2' })
    call('AssignPrivateIpAddresses', { ...ID, Ipv4PrefixCount: '1' })
    const before = cloud.enis()
    expect(codeOf('UnassignPrivateIpAddresses', { ...ID, ...query })).toBe(code)
    if (code !== 'OK') expect(cloud.enis()).toBe(before)
  })
})

test('an ENI on its way gets no addresses and gives none back', () => {
  const { call, codeOf } = testEni()
  call('AttachNetworkInterface', { ...ID, InstanceId: 'i-sim-a' })
  const codes = [
    codeOf('AssignPrivateIpAddresses', { ...ID, SecondaryPrivateIpAddressCount: '1' }),
    codeOf('UnassignPrivateIpAddresses', { ...ID, 'PrivateIpAddress.1': '10.0.1.2' }),
    codeOf('AssignIpv6Addresses', { ...ID, Ipv6AddressCount: '1' }),
    codeOf('UnassignIpv6Addresses', { ...ID, 'Ipv6Address.1': '2001:db8:0:1a01::1' }),
  ]
  expect(new Set(codes)).toEqual(new Set(['InvalidOperation.InvalidEniState']))
})

test('the owner of an address is known, alone or in a prefix', () => {
  const { cloud, call } = testEni('i-sim-a')
  call('AssignPrivateIpAddresses', { ...ID, Ipv4PrefixCount: '1' })
  const ownerOf = (ip: string) => cloud.eniByIp(ip as never)?.id
  expect(['10.0.1.1', '10.0.1.16', '10.0.1.31', '10.0.1.32'].map(ownerOf)).toEqual([ENI, ENI, ENI, undefined])
  call('UnassignPrivateIpAddresses', { ...ID, 'Ipv4Prefix.1': '10.0.1.16/28' })
  expect(ownerOf('10.0.1.16')).toBeUndefined()
})
