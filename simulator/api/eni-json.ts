/** ENIs as the API prints them. */
import { addressesOf, type Eni, instanceOf } from '../cloud/eni.ts'
import type { Region } from '../region/region.ts'
import type { Answer, Json } from './action.ts'

/** `2019-12-25T12:31:31Z`, the form of times of ENIs. */
export function timeJson(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

export function tagsJson(tags: ReadonlyMap<string, string>): Json {
  return { Tag: [...tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue })) }
}

export function addressSetsJson(eni: Eni): Answer {
  const sets = addressesOf(eni).map((ip) => ({ PrivateIpAddress: ip, Primary: ip === eni.primaryIp }))
  return {
    PrivateIpSets: { PrivateIpSet: sets },
    Ipv6Sets: { Ipv6Set: eni.ipv6s.map((ip) => ({ Ipv6Address: ip, Primary: false })) },
    Ipv4PrefixSets: { Ipv4PrefixSet: eni.ipv4Prefixes.map((prefix) => ({ Ipv4Prefix: prefix })) },
    Ipv6PrefixSets: { Ipv6PrefixSet: eni.ipv6Prefixes.map((prefix) => ({ Ipv6Prefix: prefix })) },
  }
}

/** The answer to CreateNetworkInterface. */
export function createdEniJson(eni: Eni, region: Region): Answer {
  return {
    NetworkInterfaceId: eni.id,
    NetworkInterfaceName: eni.name,
    Description: eni.description,
    Status: eni.state.status,
    Type: eni.type,
    MacAddress: eni.mac,
    VpcId: region.vpc.id,
    VSwitchId: eni.vSwitchId,
    ZoneId: eni.zone,
    PrivateIpAddress: eni.primaryIp,
    ...addressSetsJson(eni),
    SecurityGroupIds: { SecurityGroupId: eni.securityGroupIds },
    Tags: tagsJson(eni.tags),
    OwnerId: region.account,
    ResourceGroupId: eni.resourceGroupId,
    ServiceManaged: false,
    SourceDestCheck: eni.sourceDestCheck,
  }
}

/** An item of DescribeNetworkInterfaces. */
export function eniJson(eni: Eni, region: Region): Answer {
  return {
    ...createdEniJson(eni, region),
    InstanceId: instanceOf(eni) ?? '',
    Attachment: attachmentJson(eni),
    AssociatedPublicIp: {},
    CreationTime: timeJson(eni.createdAt),
    DeleteOnRelease: eni.deleteOnRelease,
    NetworkInterfaceTrafficMode: eni.trafficMode,
    ...(eni.queueNumber === undefined ? {} : { QueueNumber: eni.queueNumber }),
  }
}

/** The answer to DescribeNetworkInterfaceAttribute; `members` only when they are asked for. */
export function eniAttributeJson(eni: Eni, region: Region, members: readonly Eni[] | undefined): Answer {
  const { trafficMode: NetworkInterfaceTrafficMode, queueNumber: QueueNumber } = eni
  const memberIds =
    members === undefined
      ? {}
      : { MemberNetworkInterfaceIds: { MemberNetworkInterfaceId: members.map(({ id }) => id) } }
  return {
    ...eniJson(eni, region),
    Attachment: { ...attachmentJson(eni), ...memberIds },
    NetworkInterfaceTrafficConfig: {
      NetworkInterfaceTrafficMode,
      ...(QueueNumber === undefined ? {} : { QueueNumber }),
    },
  }
}

/** Empty when the ENI is on no instance. */
function attachmentJson({ state }: Eni): Answer {
  if (!('instanceId' in state)) return {}
  const { instanceId, deviceIndex, trunkId } = state
  return {
    InstanceId: instanceId,
    DeviceIndex: deviceIndex,
    NetworkCardIndex: 0,
    ...(trunkId === undefined ? {} : { TrunkNetworkInterfaceId: trunkId }),
  }
}
