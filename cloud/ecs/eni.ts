/** An elastic network interface, as the API describes it. */
import { z } from 'zod'
import {
  type Cidr,
  type Ipv4,
  type Ipv6,
  type Mac,
  parseCidr,
  parseIpv4,
  parseIpv6,
  parseMac,
} from '../../inet/address.ts'
import { listOf, oneOf, optional, parsed, present } from '../answer.ts'
import {
  type EniId,
  type InstanceId,
  parseCloudId,
  type SecurityGroupId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../ids.ts'
import { ECS_TAGS, type Tags } from '../tags.ts'

const STATUSES = ['Available', 'Attaching', 'InUse', 'Detaching', 'Deleting'] as const
export type EniStatus = (typeof STATUSES)[number] | 'Unknown'

const TYPES = ['Primary', 'Secondary', 'Trunk', 'Member'] as const
export type EniType = (typeof TYPES)[number] | 'Unknown'

const TRAFFIC_MODES = ['Standard', 'HighPerformance'] as const
/** `HighPerformance`: with an elastic RDMA interface. */
export type TrafficMode = (typeof TRAFFIC_MODES)[number]

export interface CloudEni {
  readonly id: EniId
  readonly mac: Mac
  readonly status: EniStatus
  readonly type: EniType
  readonly vpcId: VpcId
  readonly vSwitchId: VSwitchId
  readonly zoneId: ZoneId
  readonly instanceId?: InstanceId
  /** Of an attached ENI that is no member: its place in the instance. */
  readonly deviceIndex?: number
  readonly networkCard?: number
  /** Of a member: the trunk that carries it, and the 802.1Q VLAN id its frames have there. */
  readonly trunkId?: EniId
  readonly vlanId?: number
  readonly primaryIp: Ipv4
  /** The primary first, then the secondary addresses. */
  readonly ips: readonly Ipv4[]
  readonly ipv6s: readonly Ipv6[]
  /** Prefixes of 16 addresses (/28). */
  readonly ipv4Prefixes: readonly Cidr[]
  /** Prefixes of /80. */
  readonly ipv6Prefixes: readonly Cidr[]
  readonly securityGroupIds: readonly SecurityGroupId[]
  readonly tags: Tags
  readonly name: string
  readonly description: string
  /** Absent in the answer to a creation, like the three below. */
  readonly trafficMode?: TrafficMode
  /** It dies with its instance. */
  readonly deleteOnRelease?: boolean
  /** ms since the epoch */
  readonly createdAt?: number
}

const ATTACHMENT = z.object({
  InstanceId: optional(parseCloudId<InstanceId>),
  DeviceIndex: z.int().optional(),
  NetworkCardIndex: z.int().optional(),
  TrunkNetworkInterfaceId: optional(parseCloudId<EniId>),
})

const RAW_ENI = z.object({
  NetworkInterfaceId: parsed(parseCloudId<EniId>),
  Status: z.string(),
  Type: z.string(),
  MacAddress: parsed(parseMac),
  VpcId: parsed(parseCloudId<VpcId>),
  VSwitchId: parsed(parseCloudId<VSwitchId>),
  ZoneId: parsed(parseCloudId<ZoneId>),
  InstanceId: optional(parseCloudId<InstanceId>),
  Attachment: ATTACHMENT.optional(),
  PrivateIpAddress: parsed(parseIpv4),
  PrivateIpSets: listOf('PrivateIpSet', z.object({ PrivateIpAddress: parsed(parseIpv4) })),
  Ipv6Sets: listOf('Ipv6Set', z.object({ Ipv6Address: parsed(parseIpv6) })),
  Ipv4PrefixSets: listOf('Ipv4PrefixSet', z.object({ Ipv4Prefix: parsed(parseCidr) })),
  Ipv6PrefixSets: listOf('Ipv6PrefixSet', z.object({ Ipv6Prefix: parsed(parseCidr) })),
  SecurityGroupIds: listOf('SecurityGroupId', parsed(parseCloudId<SecurityGroupId>)),
  Tags: ECS_TAGS,
  NetworkInterfaceName: z.string().optional(),
  Description: z.string().optional(),
  NetworkInterfaceTrafficMode: z.string().optional(),
  DeleteOnRelease: z.boolean().optional(),
  CreationTime: z.string().optional(),
})
type RawEni = z.infer<typeof RAW_ENI>

/** The answer to CreateNetworkInterface, an item of DescribeNetworkInterfaces. */
export const ENI: z.ZodType<CloudEni> = RAW_ENI.transform(toEni)

function toEni(raw: RawEni): CloudEni {
  const primaryIp = raw.PrivateIpAddress
  const ips = raw.PrivateIpSets.map((set) => set.PrivateIpAddress)
  return {
    id: raw.NetworkInterfaceId,
    mac: raw.MacAddress,
    status: oneOf(STATUSES, raw.Status, 'Unknown'),
    type: oneOf(TYPES, raw.Type, 'Unknown'),
    vpcId: raw.VpcId,
    vSwitchId: raw.VSwitchId,
    zoneId: raw.ZoneId,
    primaryIp,
    ips: [primaryIp, ...ips.filter((ip) => ip !== primaryIp)],
    ipv6s: raw.Ipv6Sets.map((set) => set.Ipv6Address),
    ipv4Prefixes: raw.Ipv4PrefixSets.map((set) => set.Ipv4Prefix),
    ipv6Prefixes: raw.Ipv6PrefixSets.map((set) => set.Ipv6Prefix),
    securityGroupIds: raw.SecurityGroupIds,
    tags: raw.Tags,
    name: raw.NetworkInterfaceName ?? '',
    description: raw.Description ?? '',
    ...attachmentOf(raw),
    ...present({
      trafficMode: oneOf(TRAFFIC_MODES, raw.NetworkInterfaceTrafficMode ?? '', undefined),
      deleteOnRelease: raw.DeleteOnRelease,
      createdAt: timeOf(raw.CreationTime),
    }),
  }
}

function attachmentOf({ Type, InstanceId, Attachment }: RawEni) {
  const { DeviceIndex, NetworkCardIndex, TrunkNetworkInterfaceId } = Attachment ?? {}
  // A member has no place of its own in the instance: the field carries its VLAN id instead.
  const place = Type === 'Member' ? { vlanId: DeviceIndex } : { deviceIndex: DeviceIndex }
  return present({
    ...place,
    instanceId: Attachment?.InstanceId ?? InstanceId,
    networkCard: NetworkCardIndex,
    trunkId: TrunkNetworkInterfaceId,
  })
}

/** `2019-12-25T12:31:31Z`; a time of another form is not worth an error. */
function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? undefined : time
}

/** One ENI in full. */
export interface EniDetails extends CloudEni {
  /** Of a trunk: the members it carries. */
  readonly memberIds: readonly EniId[]
}

const MEMBERS = z.object({
  MemberNetworkInterfaceIds: listOf('MemberNetworkInterfaceId', parsed(parseCloudId<EniId>)),
})

/** The answer to DescribeNetworkInterfaceAttribute, flat where the listing wraps. */
export const ENI_DETAILS: z.ZodType<EniDetails> = RAW_ENI.extend({
  Attachment: ATTACHMENT.extend(MEMBERS.shape).optional(),
}).transform((raw) => ({ ...toEni(raw), memberIds: raw.Attachment?.MemberNetworkInterfaceIds ?? [] }))
