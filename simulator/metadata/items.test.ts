import { dirname, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseIpv6 } from '../../inet/address.ts'
import { testActions } from '../../test/simulator/actions.ts'
import { DUAL_STACK } from '../../test/simulator/dual-stack.ts'
import { NO_LATENCY, REGION_FILE, testRegion } from '../../test/simulator/region.ts'
import { Cloud } from '../cloud/cloud.ts'
import { NOTHING } from '../cloud/subnet.ts'
import type { EniId, InstanceId } from '../region/ids.ts'
import { readRegion } from '../region/parse.ts'
import { lookUp, metadataItems } from './items.ts'

const NODE_A = 'i-sim-a' as InstanceId
const MACS = 'meta-data/network/interfaces/macs/'

function testItems() {
  const { cloud, call, pass } = testActions(testRegion({ ...DUAL_STACK, latencies: { ...NO_LATENCY, member: 0 } }))
  const read = (item: string, instance = NODE_A) => {
    const node = cloud.nodeOf(instance)
    if (node === undefined) throw new Error(`there is no ${instance}`)
    const [primary] = cloud.metadataOf(instance)
    return lookUp(metadataItems(cloud.region, node, cloud.metadataOf(instance)), `${MACS}${primary?.mac}/${item}`)
  }
  const list = () => {
    const node = cloud.region.nodes[0]
    return node === undefined ? undefined : lookUp(metadataItems(cloud.region, node, cloud.metadataOf(NODE_A)), MACS)
  }
  return { call, pass, read, list }
}

describe('IPv6', () => {
  test('is there as the service prints it', () => {
    const { call, read } = testItems()
    const eni = { NetworkInterfaceId: 'eni-sim00000001' }
    expect(read('ipv6s')).toBeUndefined()
    expect(read('ipv6-prefixes')).toBeUndefined()
    call('AssignIpv6Addresses', { ...eni, Ipv6AddressCount: '2' })
    call('AssignIpv6Addresses', { ...eni, Ipv6PrefixCount: '1' })
    expect(read('ipv6s')).toBe('[2001:db8:0:1a01::1, 2001:db8:0:1a01::2]')
    expect(read('ipv6-prefixes')).toBe('2001:db8:0:1a01:1::/80')
    expect(read('ipv6-gateway')).toBe('2001:db8:0:1a01:ffff:ffff:ffff:fff7')
    expect(read('vswitch-ipv6-cidr-block')).toBe('2001:db8:0:1a01::/64')
    expect(read('vpc-ipv6-cidr-blocks')).toBe('[2001:db8:0:1a00::/56]')
  })

  test.each(['ipv6s', 'ipv6-gateway', 'vswitch-ipv6-cidr-block', 'vpc-ipv6-cidr-blocks'])(
    'there is no %s in a vSwitch without it',
    (item) => {
      const { read } = testItems()
      expect(read(item, 'i-sim-b' as InstanceId)).toBeUndefined()
      expect(read('primary-ip-address', 'i-sim-b' as InstanceId)).toBe('10.0.2.10')
    },
  )
})

test('a node can have IPv6 from the start', () => {
  const region = readRegion(join(dirname(REGION_FILE), 'two-zones.yaml'))
  const cloud = new Cloud({ region, now: () => 0 })
  const [node] = region.nodes
  if (node === undefined) throw new Error('there is no node')
  const [primary] = cloud.metadataOf(node.instanceId)
  expect(primary?.ipv6s).toEqual(['2001:db8:1234:1a01::10'])
  const items = metadataItems(region, node, cloud.metadataOf(node.instanceId))
  expect(lookUp(items, `${MACS}${primary?.mac}/ipv6s`)).toBe('[2001:db8:1234:1a01::10]')
  const free = cloud.assignIpv6(primary?.id as EniId, { ...NOTHING, ipCount: 1 })
  expect(free.ips).toEqual(['2001:db8:1234:1a01::1'])
  const named = { ...NOTHING, ips: [parseIpv6('2001:db8:1234:1a01::10')] }
  expect(() => cloud.assignIpv6(primary?.id as EniId, named)).toThrow('is assigned already')
})

test('prefixes are listed', () => {
  const { call, read } = testItems()
  const assign = { NetworkInterfaceId: 'eni-sim00000001', Ipv4PrefixCount: '1' }
  expect(read('ipv4-prefixes')).toBeUndefined()
  call('AssignPrivateIpAddresses', assign)
  expect(read('ipv4-prefixes')).toBe('10.0.1.16/28')
  call('AssignPrivateIpAddresses', assign)
  expect(read('ipv4-prefixes')).toBe('[10.0.1.16/28, 10.0.1.32/28]')
  expect(read('private-ipv4s')).toBe('["10.0.1.10"]')
})

test('members of a trunk are not listed', () => {
  const { call, pass, list } = testItems()
  for (const InstanceType of ['Trunk', 'Secondary']) {
    call('CreateNetworkInterface', { VSwitchId: 'vsw-sim-h', SecurityGroupId: 'sg-sim', InstanceType })
  }
  const [trunk, member] = ['eni-sim00000005', 'eni-sim00000006']
  call('AttachNetworkInterface', { NetworkInterfaceId: trunk, InstanceId: NODE_A })
  pass(0)
  call('AttachNetworkInterface', { NetworkInterfaceId: member, InstanceId: NODE_A, TrunkNetworkInstanceId: trunk })
  pass(0)
  expect(list()).toBe('00:16:3e:00:00:01/\n00:16:3e:00:00:05/')
})
