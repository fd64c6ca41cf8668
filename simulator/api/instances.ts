/** Instances and their types. */
import type { Cloud } from '../cloud/cloud.ts'
import { addressesOf } from '../cloud/eni.ts'
import { familyOfType, type InstanceType } from '../region/instance-types.ts'
import type { Node } from '../region/region.ts'
import { type Action, type Answer, ECS } from './action.ts'
import { addressSetsJson } from './eni-json.ts'
import { pageByToken } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** DescribeInstances and DescribeInstanceTypes documentation. */
const MAX_INSTANCE_IDS = 100
const INSTANCE_PAGE = { min: 10, max: 100, default: 10 }
const MAX_TYPES = 10
const TYPE_PAGE = { min: 1, max: 100, default: 100 }

function describeInstances(cloud: Cloud, parameters: Parameters): Answer {
  const ids = parameters.jsonList('InstanceIds', MAX_INSTANCE_IDS)
  const ips = parameters.jsonList('PrivateIpAddresses', MAX_INSTANCE_IDS)
  const vSwitch = parameters.optional('VSwitchId')
  const name = parameters.optional('InstanceName')
  const found = cloud.region.nodes
    .filter((node) => ids === undefined || ids.includes(node.instanceId))
    .filter((node) => ips === undefined || ips.includes(node.primaryIp))
    .filter((node) => vSwitch === undefined || node.vSwitchId === vSwitch)
    .filter((node) => name === undefined || node.name === name)
    .map((node) => ({ id: node.instanceId, node }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const { items, nextToken } = pageByToken(found, parameters, INSTANCE_PAGE)
  const instances = items.map(({ node }) => instanceJson(cloud, node))
  return { Instances: { Instance: instances }, TotalCount: found.length, NextToken: nextToken }
}

function instanceJson(cloud: Cloud, node: Node): Answer {
  const enis = cloud.enisOf(node.instanceId).filter((eni) => eni.state.status === 'InUse')
  const primary = enis.find((eni) => eni.type === 'Primary')
  return {
    InstanceId: node.instanceId,
    InstanceName: node.name,
    HostName: node.name,
    Status: 'Running',
    RegionId: cloud.region.id,
    ZoneId: cloud.region.vSwitches.get(node.vSwitchId)?.zone ?? '',
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
    NetworkInterfaces: {
      NetworkInterface: enis.map((eni) => ({
        NetworkInterfaceId: eni.id,
        MacAddress: eni.mac,
        PrimaryIpAddress: eni.primaryIp,
        Type: eni.type,
        ...addressSetsJson(eni),
      })),
    },
    SecurityGroupIds: { SecurityGroupId: node.securityGroupIds },
    Tags: { Tag: [] },
    MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: node.metadataTokens, HttpPutResponseHopLimit: 1 },
  }
}

function describeInstanceTypes(cloud: Cloud, parameters: Parameters): Answer {
  const ids = parameters.list('InstanceTypes', MAX_TYPES)
  const families = parameters.list('InstanceTypeFamilies', MAX_TYPES)
  const found = [...cloud.region.instanceTypes.values()]
    .filter((type) => ids.length === 0 || ids.includes(type.id))
    .filter((type) => families.length === 0 || families.includes(familyOfType(type.id)))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const { items, nextToken } = pageByToken(found, parameters, TYPE_PAGE)
  return { InstanceTypes: { InstanceType: items.map(instanceTypeJson) }, NextToken: nextToken }
}

function instanceTypeJson(type: InstanceType): Answer {
  return {
    InstanceTypeId: type.id,
    InstanceTypeFamily: familyOfType(type.id),
    CpuCoreCount: type.cpuCores,
    MemorySize: type.memoryGiB,
    CpuArchitecture: 'X86',
    EniQuantity: type.eniQuantity,
    EniTotalQuantity: type.eniTotalQuantity,
    EniTrunkSupported: type.trunkSupported,
    EniPrivateIpAddressQuantity: type.ipv4PerEni,
    EniIpv6AddressQuantity: type.ipv6PerEni,
    EriQuantity: 0,
    PrimaryEniQueueNumber: type.queuesPerEni,
    SecondaryEniQueueNumber: type.queuesPerEni,
    MaximumQueueNumberPerEni: type.queuesPerEni,
    TotalEniQueueQuantity: type.queuesPerEni * type.eniQuantity,
    NetworkCardQuantity: 1,
    NetworkCards: { NetworkCardInfo: [{ NetworkCardIndex: 0 }] },
  }
}

const common = { version: ECS, clientToken: false } as const

export const INSTANCE_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeInstances: { ...common, regionId: 'required', handle: describeInstances },
  DescribeInstanceTypes: { ...common, regionId: 'optional', handle: describeInstanceTypes },
}
