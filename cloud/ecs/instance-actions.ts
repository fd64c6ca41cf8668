/** Instances, instance types and security groups: only looked at, never changed. */
import { z } from 'zod'
import { type Ipv4, type Mac, parseIpv4, parseMac } from '../../inet/address.ts'
import { chunksOf, listOf, oneOf, optional, parsed, present, TEXT } from '../answer.ts'
import { CloudError } from '../error.ts'
import {
  type EniId,
  type InstanceId,
  parseCloudId,
  type SecurityGroupId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../ids.ts'
import { INSTANCE_TYPE, type InstanceType } from '../instance/instance-type.ts'
import { LEFT_OUT, listByToken, type TokenListing, tokenPage } from '../listing.ts'
import { ECS_TAGS, type Tags, tagQuery } from '../tags.ts'
import type { CallOptions, Transport } from '../transport.ts'
import { ENI_TYPES, type EniType } from './eni.ts'

const STATUSES = ['Pending', 'Running', 'Starting', 'Stopping', 'Stopped'] as const
export type InstanceStatus = (typeof STATUSES)[number] | 'Unknown'

export interface Instance {
  readonly id: InstanceId
  readonly name: string
  readonly status: InstanceStatus
  /** `ecs.g7.xlarge` */
  readonly type: string
  readonly zoneId: ZoneId
  /** Absent for an instance of the classic network, like its vSwitch. */
  readonly vpcId?: VpcId
  readonly vSwitchId?: VSwitchId
  readonly enis: readonly InstanceEni[]
  readonly securityGroupIds: readonly SecurityGroupId[]
  readonly tags: Tags
}

export interface InstanceEni {
  readonly id: EniId
  readonly mac?: Mac
  readonly type: EniType
  readonly primaryIp?: Ipv4
}

/** All that are given must match. */
export interface DescribeInstances {
  /** Ids that do not exist are missing from the answer. */
  readonly ids?: readonly InstanceId[]
  readonly vpcId?: VpcId
  readonly vSwitchId?: VSwitchId
  readonly zoneId?: ZoneId
  readonly tags?: Readonly<Record<string, string>>
}

export interface SecurityGroup {
  readonly id: SecurityGroupId
  readonly name: string
  /** `enterprise` holds 65536 addresses, `normal` 2000. */
  readonly type: 'normal' | 'enterprise' | 'unknown'
  readonly vpcId?: VpcId
  readonly tags: Tags
}

/** All that are given must match. */
export interface DescribeSecurityGroups {
  readonly ids?: readonly SecurityGroupId[]
  readonly vpcId?: VpcId
  readonly tags?: Readonly<Record<string, string>>
}

/** Every function throws CloudError, or the signal's reason. */
export interface InstanceActions {
  /** All pages. A key without permission gets an empty list from this action, not an error. */
  describeInstances(filter: DescribeInstances, options?: CallOptions): Promise<Instance[]>
  /** Types that do not exist are missing from the answer. */
  describeInstanceTypes(ids: readonly string[], options?: CallOptions): Promise<InstanceType[]>
  /** Fails with `InstanceType.NotFound` when there is no such type. */
  describeInstanceType(id: string, options?: CallOptions): Promise<InstanceType>
  /** All pages. */
  describeSecurityGroups(filter: DescribeSecurityGroups, options?: CallOptions): Promise<SecurityGroup[]>
}

/** Most ids and types that a call takes: ECS API reference. */
const MAX_IDS = 100
const MAX_TYPES = 10

export function instanceActions(transport: Transport): InstanceActions {
  const describeInstanceTypes = async (ids: readonly string[], options?: CallOptions) => {
    const found: InstanceType[] = []
    // No types: nothing to ask for. Without a filter the API would list every type there is.
    for (const chunk of chunksOf(ids, MAX_TYPES)) {
      found.push(...(await listByToken(transport, TYPES, { InstanceTypes: chunk }, options)))
    }
    return found
  }
  return {
    async describeInstances({ ids, ...filter }, options) {
      const query = instancesQuery(filter)
      return await listChunks({ transport, listing: INSTANCES, idList: 'InstanceIds', ids, query, options })
    },
    describeInstanceTypes,
    async describeInstanceType(id, options) {
      const found = (await describeInstanceTypes([id], options)).find((type) => type.id === id)
      if (found !== undefined) return found
      throw new CloudError(`${id} is not in the answer`, { action: TYPES.action, code: 'InstanceType.NotFound' })
    },
    async describeSecurityGroups({ ids, ...filter }, options) {
      const query = { ...present({ VpcId: filter.vpcId }), ...tagQuery(filter.tags) }
      return await listChunks({ transport, listing: GROUPS, idList: 'SecurityGroupIds', ids, query, options })
    },
  }
}

function instancesQuery(filter: Omit<DescribeInstances, 'ids'>): Readonly<Record<string, unknown>> {
  const { vpcId, vSwitchId, zoneId, tags } = filter
  return { ...present({ VpcId: vpcId, VSwitchId: vSwitchId, ZoneId: zoneId }), ...tagQuery(tags) }
}

interface Chunks<T> {
  readonly transport: Transport
  readonly listing: TokenListing<T>
  /** Parameter that takes ids as the text of a JSON array. */
  readonly idList: string
  /** Undefined: all that match the query. */
  readonly ids: readonly string[] | undefined
  readonly query: Readonly<Record<string, unknown>>
  readonly options: CallOptions | undefined
}

async function listChunks<T>({ transport, listing, idList, ids, query, options }: Chunks<T>): Promise<T[]> {
  if (ids === undefined) return await listByToken(transport, { ...listing, instead: LEFT_OUT }, query, options)
  const found: T[] = []
  for (const chunk of chunksOf(ids, MAX_IDS)) {
    found.push(...(await listByToken(transport, listing, { ...query, [idList]: JSON.stringify(chunk) }, options)))
  }
  return found
}

const INSTANCE_ENI: z.ZodType<InstanceEni> = z
  .object({
    NetworkInterfaceId: parsed(parseCloudId<EniId>),
    MacAddress: optional(parseMac),
    Type: TEXT,
    PrimaryIpAddress: optional(parseIpv4),
  })
  .transform((raw) => ({
    id: raw.NetworkInterfaceId,
    type: oneOf(ENI_TYPES, raw.Type, 'Unknown'),
    ...present({ mac: raw.MacAddress, primaryIp: raw.PrimaryIpAddress }),
  }))

const INSTANCE: z.ZodType<Instance> = z
  .object({
    InstanceId: parsed(parseCloudId<InstanceId>),
    InstanceName: TEXT,
    Status: TEXT,
    InstanceType: z.string(),
    ZoneId: parsed(parseCloudId<ZoneId>),
    VpcAttributes: z
      .object({ VpcId: optional(parseCloudId<VpcId>), VSwitchId: optional(parseCloudId<VSwitchId>) })
      .nullish(),
    NetworkInterfaces: listOf('NetworkInterface', INSTANCE_ENI),
    SecurityGroupIds: listOf('SecurityGroupId', parsed(parseCloudId<SecurityGroupId>)),
    Tags: ECS_TAGS,
  })
  .transform((raw) => ({
    id: raw.InstanceId,
    name: raw.InstanceName,
    status: oneOf(STATUSES, raw.Status, 'Unknown'),
    type: raw.InstanceType,
    zoneId: raw.ZoneId,
    enis: raw.NetworkInterfaces,
    securityGroupIds: raw.SecurityGroupIds,
    tags: raw.Tags,
    ...present({ vpcId: raw.VpcAttributes?.VpcId, vSwitchId: raw.VpcAttributes?.VSwitchId }),
  }))

const GROUP: z.ZodType<SecurityGroup> = z
  .object({
    SecurityGroupId: parsed(parseCloudId<SecurityGroupId>),
    SecurityGroupName: TEXT,
    SecurityGroupType: TEXT,
    VpcId: optional(parseCloudId<VpcId>),
    Tags: ECS_TAGS,
  })
  .transform((raw) => ({
    id: raw.SecurityGroupId,
    name: raw.SecurityGroupName,
    type: oneOf(['normal', 'enterprise'] as const, raw.SecurityGroupType, 'unknown' as const),
    tags: raw.Tags,
    ...present({ vpcId: raw.VpcId }),
  }))

const LISTING = { service: 'ecs', pageSize: { MaxResults: 100 } } as const

const INSTANCES: TokenListing<Instance> = {
  ...LISTING,
  action: 'DescribeInstances',
  page: tokenPage('Instances', 'Instance'),
  item: INSTANCE,
  idOf: ({ id }) => id,
}
const GROUPS: TokenListing<SecurityGroup> = {
  ...LISTING,
  action: 'DescribeSecurityGroups',
  page: tokenPage('SecurityGroups', 'SecurityGroup'),
  item: GROUP,
  idOf: ({ id }) => id,
}
const TYPES: TokenListing<InstanceType> = {
  ...LISTING,
  action: 'DescribeInstanceTypes',
  page: tokenPage('InstanceTypes', 'InstanceType'),
  item: INSTANCE_TYPE,
  idOf: ({ id }) => id,
}
