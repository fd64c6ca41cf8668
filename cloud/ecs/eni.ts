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
import { listOf, maybe, oneOf, optional, parsed, present, TEXT } from '../answer.ts'
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
/** Not documented: of ENIs that are being made, or were not. */
const UNDOCUMENTED_STATUSES = ['Creating', 'CreateFailed'] as const
/** What the API takes in a filter. */
export type FilterStatus = (typeof STATUSES)[number]
/** `Unknown`: one that is not known yet, or of an ENI that is not understood. Nothing follows from it. */
export type EniStatus = FilterStatus | (typeof UNDOCUMENTED_STATUSES)[number] | 'Unknown'

export const ENI_TYPES = ['Primary', 'Secondary', 'Trunk', 'Member'] as const
export type EniType = (typeof ENI_TYPES)[number] | 'Unknown'

const TRAFFIC_MODES = ['Standard', 'HighPerformance'] as const
/** `HighPerformance`: with an elastic RDMA interface. */
export type TrafficMode = (typeof TRAFFIC_MODES)[number]

/**
 * One whose creation is under way or has failed may lack what others have. Of one that is not understood there is the id:
 * its status and type are `Unknown` and all else is absent, so that it does not look gone, and nothing else either.
 */
export interface CloudEni {
  readonly id: EniId
  readonly mac?: Mac
  readonly status: EniStatus
  readonly type: EniType
  readonly vpcId?: VpcId
  readonly vSwitchId?: VSwitchId
  readonly zoneId?: ZoneId
  readonly instanceId?: InstanceId
  /** Of an attached ENI that is no member: its place in the instance. */
  readonly deviceIndex?: number
  readonly networkCard?: number
  /** Of a member: the trunk that carries it, and the 802.1Q VLAN id its frames have there. */
  readonly trunkId?: EniId
  readonly vlanId?: number
  readonly primaryIp?: Ipv4
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

/** An ENI with all that is needed to use it. */
export type WholeEni = CloudEni & Required<Pick<CloudEni, 'mac' | 'primaryIp' | 'vpcId' | 'vSwitchId' | 'zoneId'>>

export function isWhole(eni: CloudEni): eni is WholeEni {
  const { mac, primaryIp, vpcId, vSwitchId, zoneId } = eni
  return [mac, primaryIp, vpcId, vSwitchId, zoneId].every((field) => field !== undefined)
}

const ATTACHMENT = z.object({
  InstanceId: optional(parseCloudId<InstanceId>),
  DeviceIndex: maybe(z.int()),
  NetworkCardIndex: maybe(z.int()),
  TrunkNetworkInterfaceId: optional(parseCloudId<EniId>),
})

const RAW_ENI = z.object({
  NetworkInterfaceId: parsed(parseCloudId<EniId>),
  Status: TEXT,
  Type: TEXT,
  MacAddress: optional(parseMac),
  VpcId: optional(parseCloudId<VpcId>),
  VSwitchId: optional(parseCloudId<VSwitchId>),
  ZoneId: optional(parseCloudId<ZoneId>),
  InstanceId: optional(parseCloudId<InstanceId>),
  Attachment: ATTACHMENT.nullish(),
  PrivateIpAddress: optional(parseIpv4),
  PrivateIpSets: setOf('PrivateIpSet', 'PrivateIpAddress', parseIpv4),
  Ipv6Sets: setOf('Ipv6Set', 'Ipv6Address', parseIpv6),
  Ipv4PrefixSets: setOf('Ipv4PrefixSet', 'Ipv4Prefix', parseCidr),
  Ipv6PrefixSets: setOf('Ipv6PrefixSet', 'Ipv6Prefix', parseCidr),
  SecurityGroupIds: listOf('SecurityGroupId', parsed(parseCloudId<SecurityGroupId>)),
  Tags: ECS_TAGS,
  NetworkInterfaceName: TEXT,
  Description: TEXT,
  NetworkInterfaceTrafficMode: TEXT,
  DeleteOnRelease: maybe(z.boolean()),
  CreationTime: TEXT,
})
type RawEni = z.infer<typeof RAW_ENI>

/** `{"Xs": {"X": [{"Field": "…"}]}}` */
function setOf<T>(name: string, field: string, parse: (text: string) => T): z.ZodType<readonly T[]> {
  return listOf(name, z.object({ [field]: optional(parse) })).transform((set) =>
    set.flatMap((item) => item[field] ?? []),
  )
}

/** The answer to CreateNetworkInterface, an item of DescribeNetworkInterfaces. */
export const ENI: z.ZodType<CloudEni> = RAW_ENI.transform(toEni)

function toEni(raw: RawEni): CloudEni {
  const primaryIp = raw.PrivateIpAddress
  return {
    id: raw.NetworkInterfaceId,
    status: oneOf([...STATUSES, ...UNDOCUMENTED_STATUSES], raw.Status, 'Unknown'),
    type: oneOf(ENI_TYPES, raw.Type, 'Unknown'),
    ips: [...(primaryIp === undefined ? [] : [primaryIp]), ...raw.PrivateIpSets.filter((ip) => ip !== primaryIp)],
    ipv6s: raw.Ipv6Sets,
    ipv4Prefixes: raw.Ipv4PrefixSets,
    ipv6Prefixes: raw.Ipv6PrefixSets,
    securityGroupIds: raw.SecurityGroupIds,
    tags: raw.Tags,
    name: raw.NetworkInterfaceName,
    description: raw.Description,
    ...attachmentOf(raw),
    ...present({
      ...{ mac: raw.MacAddress, primaryIp, vpcId: raw.VpcId, vSwitchId: raw.VSwitchId, zoneId: raw.ZoneId },
      trafficMode: oneOf(TRAFFIC_MODES, raw.NetworkInterfaceTrafficMode, undefined),
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
function timeOf(text: string): number | undefined {
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

/** Of an ENI that is not understood: the id, and nothing that could be mistaken for a fact. */
export const UNKNOWN_ENI: z.ZodType<CloudEni> = RAW_ENI.pick({ NetworkInterfaceId: true }).transform((raw) =>
  toEni(RAW_ENI.parse(raw)),
)

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
  Attachment: ATTACHMENT.extend(MEMBERS.shape).nullish(),
}).transform((raw) => ({ ...toEni(raw), memberIds: raw.Attachment?.MemberNetworkInterfaceIds ?? [] }))
