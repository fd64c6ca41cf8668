/** Instances, which are the nodes of the region file. */
import type { Cloud } from '../cloud/cloud.ts'
import { addressesOf, type Eni, instanceOf } from '../cloud/eni.ts'
import { ApiError } from '../cloud/error.ts'
import type { InstanceId } from '../region/ids.ts'
import { familyOfType } from '../region/instance-types.ts'
import type { Node } from '../region/region.ts'
import { type Action, type Answer, type CallContext, ECS } from './action.ts'
import { addressSetsJson, tagsJson } from './eni-json.ts'
import { choice, equalTo, taggedAs } from './filters.ts'
import { pageByNumber, pageByToken } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** DescribeInstances documentation. */
const MAX_IDS = 100
const INSTANCE_PAGE = { min: 10, max: 100, default: 10 }
const NUMBERED_PAGE = { min: 1, max: 100, default: 10 }
/** The answer with a token may cross so many hops. Here nothing limits them, which is the most the API can say. */
const HOP_LIMIT = 64
const STATUSES = ['Pending', 'Running', 'Starting', 'Stopping', 'Stopped']

const DESCRIBE = [
  'InstanceIds',
  'VpcId',
  'VSwitchId',
  'ZoneId',
  'InstanceNetworkType',
  'PrivateIpAddresses',
  'Ipv6Address.N',
  'InstanceName',
  'InstanceType',
  'Status',
  'SecurityGroupId',
  'Tag.N.Key',
  'Tag.N.Value',
  'AdditionalAttributes.N',
  'MaxResults',
  'NextToken',
  'PageNumber',
  'PageSize',
]

function describeInstances(cloud: Cloud, parameters: Parameters, { enis }: CallContext): Answer {
  checkAttributes(parameters)
  const attached = byInstance(enis)
  const found = matching(cloud, parameters, attached)
  const instances = (items: readonly { readonly node: Node }[]) => ({
    Instances: { Instance: items.map(({ node }) => instanceJson(cloud, node, attached.get(node.instanceId) ?? [])) },
    TotalCount: found.length,
  })
  if (parameters.has('PageNumber') || parameters.has('PageSize')) {
    const { items, number, size } = pageByNumber(found, parameters, NUMBERED_PAGE)
    return { ...instances(items), PageNumber: number, PageSize: size, NextToken: '' }
  }
  const { items, nextToken } = pageByToken(found, parameters, INSTANCE_PAGE)
  return { ...instances(items), NextToken: nextToken }
}

/** The metadata options are shown whether they are asked for or not; the others are not simulated. */
function checkAttributes(parameters: Parameters): void {
  const other = parameters.list('AdditionalAttributes', MAX_IDS).find((name) => name !== 'META_OPTIONS')
  if (other === undefined) return
  throw new ApiError('UnsupportedParameter', `The simulator does not support AdditionalAttributes of ${other}.`)
}

/** ENIs with a link in the guest, or about to get one. A member has none: it is a VLAN on its trunk. */
function byInstance(enis: readonly Eni[]): ReadonlyMap<InstanceId, readonly Eni[]> {
  const found = new Map<InstanceId, Eni[]>()
  for (const eni of enis) {
    const instance = eni.state.status === 'InUse' && eni.type !== 'Member' ? instanceOf(eni) : undefined
    if (instance !== undefined) found.set(instance, [...(found.get(instance) ?? []), eni])
  }
  return found
}

/** Every filter that is given must match; ids that do not exist are simply not found. Sorted by id. */
function matching(cloud: Cloud, parameters: Parameters, attached: ReadonlyMap<InstanceId, readonly Eni[]>) {
  const ids = parameters.jsonList('InstanceIds', MAX_IDS)
  const ips = parameters.jsonList('PrivateIpAddresses', MAX_IDS)
  const network = choice(parameters, 'InstanceNetworkType', { values: ['classic', 'vpc'] })
  if (ips !== undefined && network !== 'vpc') {
    throw new ApiError('InvalidParameter', 'PrivateIpAddresses needs InstanceNetworkType=vpc.')
  }
  const ipv6s: readonly string[] = parameters.ipv6s('Ipv6Address', MAX_IDS)
  const group = parameters.optional('SecurityGroupId') ?? ''
  choice(parameters, 'Status', { values: STATUSES })
  const equal = equalTo<Node>(parameters, {
    VpcId: () => cloud.region.vpc.id,
    VSwitchId: (node) => node.vSwitchId,
    ZoneId: (node) => zoneOf(cloud, node),
    InstanceNetworkType: () => 'vpc',
    InstanceType: (node) => node.instanceType.id,
    Status: (node) => node.status,
  })
  const named = likeName(parameters.optional('InstanceName') ?? '')
  const tagged = taggedAs(parameters)
  const hasIpv6 = (node: Node) =>
    (attached.get(node.instanceId) ?? []).some((eni) => eni.ipv6s.some((ip) => ipv6s.includes(ip)))
  return cloud.region.nodes
    .filter((node) => ids === undefined || ids.includes(node.instanceId))
    .filter((node) => ips === undefined || ips.includes(node.primaryIp))
    .filter((node) => ipv6s.length === 0 || hasIpv6(node))
    .filter((node) => group === '' || node.securityGroupIds.some((id) => id === group))
    .filter((node) => named(node.name))
    .filter((node) => tagged(cloud.instanceTags.of(node.instanceId)))
    .filter(equal)
    .map((node) => ({ id: node.instanceId, node }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** `*` stands for any text; nothing asked for is every name. */
function likeName(pattern: string): (name: string) => boolean {
  if (pattern === '') return () => true
  const parts = pattern.split('*').map((part) => part.replaceAll(/[^\w]/g, String.raw`\$&`))
  const expression = new RegExp(`^${parts.join('.*')}$`)
  return (name) => expression.test(name)
}

function zoneOf(cloud: Cloud, node: Node): string {
  return cloud.region.vSwitches.get(node.vSwitchId)?.zone ?? ''
}

/** The instance alone, as both actions print it. */
function instanceFacts(cloud: Cloud, node: Node, enis: readonly Eni[]): Answer {
  const primary = enis.find((eni) => eni.type === 'Primary')
  return {
    InstanceId: node.instanceId,
    InstanceName: node.name,
    HostName: node.name,
    Status: node.status,
    RegionId: cloud.region.id,
    ZoneId: zoneOf(cloud, node),
    InstanceType: node.instanceType.id,
    InstanceTypeFamily: familyOfType(node.instanceType.id),
    Cpu: node.instanceType.cpuCores,
    Memory: node.instanceType.memoryGiB * 1024,
    InstanceNetworkType: 'vpc',
    VpcAttributes: {
      VpcId: cloud.region.vpc.id,
      VSwitchId: node.vSwitchId,
      PrivateIpAddress: { IpAddress: primary === undefined ? [] : addressesOf(primary) },
      NatIpAddress: '',
    },
    SecurityGroupIds: { SecurityGroupId: node.securityGroupIds },
  }
}

function instanceJson(cloud: Cloud, node: Node, enis: readonly Eni[]): Answer {
  return {
    ...instanceFacts(cloud, node, enis),
    NetworkInterfaces: {
      NetworkInterface: enis.map((eni) => ({
        NetworkInterfaceId: eni.id,
        MacAddress: eni.mac,
        PrimaryIpAddress: eni.primaryIp,
        Type: eni.type,
        ...addressSetsJson(eni),
      })),
    },
    Tags: tagsJson(cloud.instanceTags.of(node.instanceId)),
    MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: node.metadataTokens, HttpPutResponseHopLimit: HOP_LIMIT },
  }
}

function describeInstanceAttribute(cloud: Cloud, parameters: Parameters, { enis }: CallContext): Answer {
  const id = parameters.instanceId()
  const node = cloud.nodeOf(id)
  if (node === undefined) throw new ApiError('InvalidInstanceId.NotFound', `The instance ${id} does not exist.`)
  return instanceFacts(cloud, node, byInstance(enis).get(id) ?? [])
}

const common = { version: ECS } as const

export const INSTANCE_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeInstances: { ...common, regionId: 'required', parameters: DESCRIBE, handle: describeInstances },
  DescribeInstanceAttribute: {
    ...common,
    regionId: 'optional',
    parameters: ['InstanceId'],
    handle: describeInstanceAttribute,
  },
}
