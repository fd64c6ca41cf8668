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
    Ipv6Sets: { Ipv6Set: [] },
    Ipv4PrefixSets: { Ipv4PrefixSet: [] },
    Ipv6PrefixSets: { Ipv6PrefixSet: [] },
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
    ResourceGroupId: '',
    ServiceManaged: false,
    SourceDestCheck: false,
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
    NetworkInterfaceTrafficMode: 'Standard',
  }
}

function attachmentJson(eni: Eni): Json {
  if (!('instanceId' in eni.state)) return {}
  return { InstanceId: eni.state.instanceId, DeviceIndex: eni.state.deviceIndex, NetworkCardIndex: 0 }
}
