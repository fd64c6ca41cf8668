/** What every ECS function puts on the wire, parameter by parameter, as the API reference names them. */
import { describe, expect, test } from '@jest/globals'
import { parseCidr, parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { ScriptedTransport } from '../../test/transport/scripted-transport.ts'
import { createEcs, type Ecs } from '../ecs.ts'
import {
  type EniId,
  type InstanceId,
  parseCloudId,
  type ResourceGroupId,
  type SecurityGroupId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../ids.ts'

const eni = parseCloudId<EniId>('eni-1')
const trunk = parseCloudId<EniId>('eni-t')
const instance = parseCloudId<InstanceId>('i-1')
const vSwitchId = parseCloudId<VSwitchId>('vsw-1')
const vpcId = parseCloudId<VpcId>('vpc-1')
const zoneId = parseCloudId<ZoneId>('cn-sim-h')
const groups = [parseCloudId<SecurityGroupId>('sg-1'), parseCloudId<SecurityGroupId>('sg-2')]
const ip = parseIpv4('10.0.0.7')
const ip2 = parseIpv4('10.0.0.8')
const ipv6 = parseIpv6('fd00::7')
const prefix = parseCidr('10.0.0.16/28')
const prefix6 = parseCidr('fd00:0:0:0:1::/80')
const page = { MaxResults: '500' }

type Row = readonly [what: string, action: string, parameters: Record<string, string>, call: (ecs: Ecs) => unknown]

const LIFE: Row[] = [
  [
    'an ENI in its simplest form',
    'CreateNetworkInterface',
    { VSwitchId: 'vsw-1', 'SecurityGroupIds.1': 'sg-1', 'SecurityGroupIds.2': 'sg-2', ClientToken: 't' },
    (ecs) => ecs.createEni({ vSwitchId, securityGroupIds: groups, clientToken: 't' }),
  ],
  [
    'an ENI with counts, a name and tags; a count of zero is not sent',
    'CreateNetworkInterface',
    {
      ...{ VSwitchId: 'vsw-1', 'SecurityGroupIds.1': 'sg-1', 'SecurityGroupIds.2': 'sg-2' },
      ...{ SecondaryPrivateIpAddressCount: '9', Ipv6AddressCount: '10', Ipv4PrefixCount: '1' },
      ...{ NetworkInterfaceName: 'terway-i-1', 'Tag.1.Key': 'creator', 'Tag.1.Value': 'terway' },
      ...{ 'Tag.2.Key': 'a', 'Tag.2.Value': '', ClientToken: 't' },
    },
    (ecs) =>
      ecs.createEni({
        ...{ vSwitchId, securityGroupIds: groups, secondaryIps: 9, ipv6s: 10, ipv4Prefixes: 1, ipv6Prefixes: 0 },
        ...{ name: 'terway-i-1', tags: { creator: 'terway', a: '' }, clientToken: 't' },
      }),
  ],
  [
    'a trunk with everything that can be named',
    'CreateNetworkInterface',
    {
      ...{ VSwitchId: 'vsw-1', 'SecurityGroupIds.1': 'sg-1', InstanceType: 'Trunk', PrimaryIpAddress: '10.0.0.7' },
      ...{ 'PrivateIpAddress.1': '10.0.0.8', 'Ipv6Address.1': 'fd00::7', 'Ipv4Prefix.1': '10.0.0.16/28' },
      ...{ 'Ipv6Prefix.1': prefix6, Description: 'a trunk', ResourceGroupId: 'rg-1' },
      ...{ DeleteOnRelease: 'true', NetworkInterfaceTrafficMode: 'HighPerformance', SourceDestCheck: 'false' },
      ClientToken: 't',
    },
    (ecs) =>
      ecs.createEni({
        ...{ vSwitchId, securityGroupIds: groups.slice(0, 1), type: 'Trunk', primaryIp: ip, clientToken: 't' },
        ...{ secondaryIps: [ip2], ipv6s: [ipv6], ipv4Prefixes: [prefix], ipv6Prefixes: [prefix6] },
        ...{ description: 'a trunk', resourceGroupId: parseCloudId<ResourceGroupId>('rg-1'), tags: {} },
        ...{ deleteOnRelease: true, trafficMode: 'HighPerformance', sourceDestCheck: false },
      }),
  ],
  [
    'to attach',
    'AttachNetworkInterface',
    { NetworkInterfaceId: 'eni-1', InstanceId: 'i-1' },
    (ecs) => ecs.attachEni(eni, instance),
  ],
  [
    'to attach a member to its trunk: "NetworkInstance" in requests',
    'AttachNetworkInterface',
    { NetworkInterfaceId: 'eni-1', InstanceId: 'i-1', TrunkNetworkInstanceId: 'eni-t' },
    (ecs) => ecs.attachEni(eni, instance, { trunk }),
  ],
  [
    'to attach to a card',
    'AttachNetworkInterface',
    { NetworkInterfaceId: 'eni-1', InstanceId: 'i-1', NetworkCardIndex: '0' },
    (ecs) => ecs.attachEni(eni, instance, { networkCard: 0 }),
  ],
  [
    'to detach',
    'DetachNetworkInterface',
    { NetworkInterfaceId: 'eni-1', InstanceId: 'i-1' },
    (ecs) => ecs.detachEni(eni, instance),
  ],
  [
    'to detach a member',
    'DetachNetworkInterface',
    { NetworkInterfaceId: 'eni-1', InstanceId: 'i-1', TrunkNetworkInstanceId: 'eni-t' },
    (ecs) => ecs.detachEni(eni, instance, { trunk }),
  ],
  ['to delete', 'DeleteNetworkInterface', { NetworkInterfaceId: 'eni-1' }, (ecs) => ecs.deleteEni(eni)],
  [
    'to change everything: the singular holds the list of groups',
    'ModifyNetworkInterfaceAttribute',
    {
      ...{ NetworkInterfaceId: 'eni-1', 'SecurityGroupId.1': 'sg-1', 'SecurityGroupId.2': 'sg-2' },
      ...{ NetworkInterfaceName: 'n', Description: 'd', DeleteOnRelease: 'false', SourceDestCheck: 'true' },
    },
    (ecs) =>
      ecs.modifyEni(eni, {
        ...{ securityGroupIds: groups, name: 'n', description: 'd', deleteOnRelease: false, sourceDestCheck: true },
      }),
  ],
]

const ADDRESSES: Row[] = [
  [
    'addresses by number',
    'AssignPrivateIpAddresses',
    { NetworkInterfaceId: 'eni-1', SecondaryPrivateIpAddressCount: '3', ClientToken: 't' },
    (ecs) => ecs.assignIps(eni, 3, 't'),
  ],
  [
    'addresses by name',
    'AssignPrivateIpAddresses',
    {
      NetworkInterfaceId: 'eni-1',
      'PrivateIpAddress.1': '10.0.0.7',
      'PrivateIpAddress.2': '10.0.0.8',
      ClientToken: 't',
    },
    (ecs) => ecs.assignIps(eni, [ip, ip2], 't'),
  ],
  [
    'prefixes by number',
    'AssignPrivateIpAddresses',
    { NetworkInterfaceId: 'eni-1', Ipv4PrefixCount: '2', ClientToken: 't' },
    (ecs) => ecs.assignIpv4Prefixes(eni, 2, 't'),
  ],
  [
    'a prefix by name',
    'AssignPrivateIpAddresses',
    { NetworkInterfaceId: 'eni-1', 'Ipv4Prefix.1': '10.0.0.16/28', ClientToken: 't' },
    (ecs) => ecs.assignIpv4Prefixes(eni, [prefix], 't'),
  ],
  [
    'IPv6 addresses by number',
    'AssignIpv6Addresses',
    { NetworkInterfaceId: 'eni-1', Ipv6AddressCount: '10', ClientToken: 't' },
    (ecs) => ecs.assignIpv6s(eni, 10, 't'),
  ],
  [
    'an IPv6 address by name',
    'AssignIpv6Addresses',
    { NetworkInterfaceId: 'eni-1', 'Ipv6Address.1': 'fd00::7', ClientToken: 't' },
    (ecs) => ecs.assignIpv6s(eni, [ipv6], 't'),
  ],
  [
    'IPv6 prefixes by number',
    'AssignIpv6Addresses',
    { NetworkInterfaceId: 'eni-1', Ipv6PrefixCount: '1', ClientToken: 't' },
    (ecs) => ecs.assignIpv6Prefixes(eni, 1, 't'),
  ],
  [
    'an IPv6 prefix by name',
    'AssignIpv6Addresses',
    { NetworkInterfaceId: 'eni-1', 'Ipv6Prefix.1': prefix6, ClientToken: 't' },
    (ecs) => ecs.assignIpv6Prefixes(eni, [prefix6], 't'),
  ],
  [
    'addresses back',
    'UnassignPrivateIpAddresses',
    { NetworkInterfaceId: 'eni-1', 'PrivateIpAddress.1': '10.0.0.7', 'PrivateIpAddress.2': '10.0.0.8' },
    (ecs) => ecs.unassignIps(eni, [ip, ip2]),
  ],
  [
    'a prefix back',
    'UnassignPrivateIpAddresses',
    { NetworkInterfaceId: 'eni-1', 'Ipv4Prefix.1': '10.0.0.16/28' },
    (ecs) => ecs.unassignIpv4Prefixes(eni, [prefix]),
  ],
  [
    'an IPv6 address back',
    'UnassignIpv6Addresses',
    { NetworkInterfaceId: 'eni-1', 'Ipv6Address.1': 'fd00::7' },
    (ecs) => ecs.unassignIpv6s(eni, [ipv6]),
  ],
  [
    'an IPv6 prefix back',
    'UnassignIpv6Addresses',
    { NetworkInterfaceId: 'eni-1', 'Ipv6Prefix.1': prefix6 },
    (ecs) => ecs.unassignIpv6Prefixes(eni, [prefix6]),
  ],
]

const LISTS: Row[] = [
  [
    'ENIs of an instance',
    'DescribeNetworkInterfaces',
    { InstanceId: 'i-1', ...page },
    (ecs) => ecs.describeEnis({ instanceId: instance }),
  ],
  [
    'ENIs by id',
    'DescribeNetworkInterfaces',
    { 'NetworkInterfaceId.1': 'eni-1', 'NetworkInterfaceId.2': 'eni-t', ...page },
    (ecs) => ecs.describeEnis({ ids: [eni, trunk] }),
  ],
  [
    'ENIs by everything else',
    'DescribeNetworkInterfaces',
    {
      ...{ Type: 'Member', Status: 'InUse', VpcId: 'vpc-1', VSwitchId: 'vsw-1', SecurityGroupId: 'sg-1' },
      ...{ 'PrivateIpAddress.1': '10.0.0.7', 'Tag.1.Key': 'creator', 'Tag.1.Value': 'terway', ...page },
    },
    (ecs) =>
      ecs.describeEnis({
        ...{ type: 'Member', status: 'InUse', vpcId, vSwitchId, ips: [ip], tags: { creator: 'terway' } },
        ...(groups[0] === undefined ? {} : { securityGroupId: groups[0] }),
      }),
  ],
  [
    'one ENI in full',
    'DescribeNetworkInterfaceAttribute',
    { NetworkInterfaceId: 'eni-1', Attribute: 'attachment' },
    (ecs) => ecs.describeEni(eni),
  ],
  [
    'instances by id, as the text of a JSON array',
    'DescribeInstances',
    { InstanceIds: '["i-1","i-2"]', MaxResults: '100' },
    (ecs) => ecs.describeInstances({ ids: [instance, parseCloudId<InstanceId>('i-2')] }),
  ],
  [
    'instances by place and tag',
    'DescribeInstances',
    {
      ...{ VpcId: 'vpc-1', VSwitchId: 'vsw-1', ZoneId: 'cn-sim-h', 'Tag.1.Key': 'a', 'Tag.1.Value': 'b' },
      MaxResults: '100',
    },
    (ecs) => ecs.describeInstances({ vpcId, vSwitchId, zoneId, tags: { a: 'b' } }),
  ],
  [
    'instance types',
    'DescribeInstanceTypes',
    { 'InstanceTypes.1': 'ecs.g7.large', 'InstanceTypes.2': 'ecs.g7.xlarge', MaxResults: '100' },
    (ecs) => ecs.describeInstanceTypes(['ecs.g7.large', 'ecs.g7.xlarge']),
  ],
  [
    'security groups by id',
    'DescribeSecurityGroups',
    { SecurityGroupIds: '["sg-1","sg-2"]', MaxResults: '100' },
    (ecs) => ecs.describeSecurityGroups({ ids: groups }),
  ],
  [
    'security groups of a VPC',
    'DescribeSecurityGroups',
    { VpcId: 'vpc-1', 'Tag.1.Key': 'a', 'Tag.1.Value': 'b', MaxResults: '100' },
    (ecs) => ecs.describeSecurityGroups({ vpcId, tags: { a: 'b' } }),
  ],
]

const TAGS: Row[] = [
  [
    'to tag',
    'TagResources',
    { ResourceType: 'eni', 'ResourceId.1': 'eni-1', 'Tag.1.Key': 'a', 'Tag.1.Value': 'b' },
    (ecs) => ecs.tag('eni', [eni], { a: 'b' }),
  ],
  [
    'to untag',
    'UntagResources',
    { ResourceType: 'instance', 'ResourceId.1': 'i-1', 'TagKey.1': 'a', 'TagKey.2': 'b' },
    (ecs) => ecs.untag('instance', [instance], ['a', 'b']),
  ],
  [
    'tags by id and tag',
    'ListTagResources',
    { ResourceType: 'securitygroup', 'ResourceId.1': 'sg-1', 'Tag.1.Key': 'a', 'Tag.1.Value': 'b' },
    (ecs) => ecs.listTags('securitygroup', { ids: ['sg-1'], tags: { a: 'b' } }),
  ],
]

describe.each([
  ['the life of an ENI', LIFE],
  ['addresses', ADDRESSES],
  ['lists', LISTS],
  ['tags', TAGS],
])('%s', (_, rows) => {
  test.each(rows)('%s', async (__, action, parameters, call) => {
    const scripted = new ScriptedTransport([{}])
    // The answer is empty, which most functions refuse; only what was sent counts here.
    await Promise.allSettled([call(createEcs(scripted.transport))])
    expect(scripted.sent).toEqual([[action, parameters]])
  })
})

test.each<[string, (ecs: Ecs) => Promise<unknown>]>([
  ['ENIs with none of the ids', (ecs) => ecs.describeEnis({ ids: [] })],
  ['instances with none of the ids', (ecs) => ecs.describeInstances({ ids: [] })],
  ['none of the instance types', (ecs) => ecs.describeInstanceTypes([])],
  ['security groups with none of the ids', (ecs) => ecs.describeSecurityGroups({ ids: [] })],
  ['tags of none of the resources', (ecs) => ecs.listTags('eni', { ids: [] })],
  ['no addresses', (ecs) => ecs.assignIps(eni, 0, 't')],
  ['none of the addresses', (ecs) => ecs.assignIpv6s(eni, [], 't')],
])('%s: an empty list, and the API is not asked, because it would answer with everything', async (_, call) => {
  const scripted = new ScriptedTransport([])
  await expect(call(createEcs(scripted.transport))).resolves.toEqual([])
  expect(scripted.sent).toEqual([])
})

test('the options of a call reach the transport', async () => {
  const scripted = new ScriptedTransport(() => ({}))
  const ecs = createEcs(scripted.transport)
  const { signal } = new AbortController()
  await ecs.attachEni(eni, instance, { signal, priority: 'pod', trunk })
  await ecs.unassignIps(eni, [ip], { signal, priority: 'clean-up' })
  expect(scripted.options).toMatchObject([{ priority: 'pod' }, { priority: 'clean-up' }])
  expect(scripted.options.map((options) => options?.signal)).toEqual([signal, signal])
})
