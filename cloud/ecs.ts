/** The ECS and VPC actions the daemon needs, as typed functions in the project's own terms. */
import { z } from 'zod'
import { type Cidr, type Ipv4, type Mac, parseCidr, parseIpv4, parseMac } from '../inet/address.ts'
import { CloudError } from './error.ts'
import { type EniId, type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId, type ZoneId } from './ids.ts'
import type { CloudCall, Transport } from './transport.ts'

export type EniStatus = 'Available' | 'Attaching' | 'InUse' | 'Detaching' | 'Deleting' | 'Unknown'

export interface CloudEni {
  readonly id: EniId
  readonly mac: Mac
  readonly status: EniStatus
  /** `Primary`, `Secondary`, `Trunk` or `Member`. */
  readonly type: string
  readonly vSwitchId: VSwitchId
  readonly instanceId?: InstanceId
  readonly primaryIp: Ipv4
  /** The primary first, then the secondary addresses. */
  readonly ips: readonly Ipv4[]
  readonly securityGroupIds: readonly SecurityGroupId[]
  readonly tags: ReadonlyMap<string, string>
}

export interface VSwitch {
  readonly id: VSwitchId
  readonly zoneId: ZoneId
  readonly cidr: Cidr
  readonly availableIps: number
}

/** Limits of an instance type; an ENI's address counts include its primary address. */
export interface InstanceType {
  readonly id: string
  /** ENIs in all, the primary one included. */
  readonly eniQuantity: number
  readonly ipv4PerEni: number
}

export interface CreateEni {
  readonly vSwitchId: VSwitchId
  readonly securityGroupIds: readonly SecurityGroupId[]
  /** Secondary addresses made with it, 0 to 49. */
  readonly secondaryIps: number
  readonly tags: Readonly<Record<string, string>>
  readonly name: string
  /** At most 64 ASCII characters; the same token gives the same ENI. */
  readonly clientToken: string
}

export interface DescribeEnis {
  readonly instanceId?: InstanceId
  readonly ids?: readonly EniId[]
  readonly tags?: Readonly<Record<string, string>>
}

/** Every function throws CloudError. */
export interface Ecs {
  createEni(request: CreateEni, signal?: AbortSignal): Promise<CloudEni>
  attachEni(eni: EniId, instance: InstanceId, signal?: AbortSignal): Promise<void>
  /** Success also when the ENI or the instance is gone. */
  detachEni(eni: EniId, instance: InstanceId, signal?: AbortSignal): Promise<void>
  /** Success also when the ENI is gone. */
  deleteEni(eni: EniId, signal?: AbortSignal): Promise<void>
  /** All pages. ENIs that do not exist are missing from the answer. */
  describeEnis(filter: DescribeEnis, signal?: AbortSignal): Promise<CloudEni[]>
  assignIps(eni: EniId, count: number, clientToken: string, signal?: AbortSignal): Promise<Ipv4[]>
  /** Success also when an address or the ENI is gone. */
  unassignIps(eni: EniId, ips: readonly Ipv4[], signal?: AbortSignal): Promise<void>
  describeInstanceType(type: string, signal?: AbortSignal): Promise<InstanceType>
  describeVSwitch(id: VSwitchId, signal?: AbortSignal): Promise<VSwitch>
}

const TAG_LIST = z.object({ Tag: z.array(z.object({ TagKey: z.string(), TagValue: z.string() })) }).partial()
const IP_LIST = z.array(z.object({ PrivateIpAddress: z.string(), Primary: z.boolean() }))
const ENI = z.object({
  NetworkInterfaceId: z.string(),
  Status: z.string(),
  Type: z.string(),
  MacAddress: z.string(),
  VSwitchId: z.string(),
  PrivateIpAddress: z.string(),
  InstanceId: z.string().optional(),
  Attachment: z.object({ InstanceId: z.string() }).partial().optional(),
  PrivateIpSets: z.object({ PrivateIpSet: IP_LIST }).partial(),
  SecurityGroupIds: z.object({ SecurityGroupId: z.array(z.string()) }).partial(),
  Tags: TAG_LIST.optional(),
})
const ENI_PAGE = z.object({
  NetworkInterfaceSets: z.object({ NetworkInterfaceSet: z.array(ENI) }),
  NextToken: z.string().optional(),
})
const ASSIGNED = z.object({
  AssignedPrivateIpAddressesSet: z.object({ PrivateIpSet: z.object({ PrivateIpAddress: z.array(z.string()) }) }),
})
const INSTANCE_TYPES = z.object({
  InstanceTypes: z.object({
    InstanceType: z.array(
      z.object({ InstanceTypeId: z.string(), EniQuantity: z.int(), EniPrivateIpAddressQuantity: z.int() }),
    ),
  }),
})
const VSWITCHES = z.object({
  VSwitches: z.object({
    VSwitch: z.array(
      z.object({ VSwitchId: z.string(), ZoneId: z.string(), CidrBlock: z.string(), AvailableIpAddressCount: z.int() }),
    ),
  }),
})

const STATUSES: readonly string[] = ['Available', 'Attaching', 'InUse', 'Detaching', 'Deleting'] satisfies EniStatus[]
/** Largest page of DescribeNetworkInterfaces. */
const PAGE = 500

/** Detach, delete and unassign answer with these when there is nothing left to do. */
const ALREADY_GONE: ReadonlySet<string> = new Set([
  'InvalidEniId.NotFound',
  'InvalidEcsId.NotFound',
  'InvalidInstanceId.NotFound',
  'InvalidIp.IpUnassigned',
])

export function createEcs(transport: Transport): Ecs {
  const call = async <T>(request: CloudCall, shape: z.ZodType<T>, signal: AbortSignal | undefined): Promise<T> => {
    const body = await transport(request, signal)
    const parsed = shape.safeParse(body)
    if (parsed.success) return parsed.data
    const fields = { action: request.action, code: 'BadAnswer', cause: parsed.error }
    throw new CloudError(`the answer is not as documented: ${z.prettifyError(parsed.error)}`, fields)
  }
  const ecs = (action: string, query: Record<string, unknown>): CloudCall => ({ service: 'ecs', action, query })
  const remove = async (request: CloudCall, signal: AbortSignal | undefined): Promise<void> => {
    try {
      await transport(request, signal)
    } catch (error) {
      if (!(error instanceof CloudError && ALREADY_GONE.has(error.code))) throw error
    }
  }

  return {
    async createEni(request, signal) {
      const query = {
        VSwitchId: request.vSwitchId,
        SecurityGroupIds: request.securityGroupIds,
        ...(request.secondaryIps > 0 ? { SecondaryPrivateIpAddressCount: request.secondaryIps } : {}),
        NetworkInterfaceName: request.name,
        Tag: Object.entries(request.tags).map(([Key, Value]) => ({ Key, Value })),
        ClientToken: request.clientToken,
      }
      return toEni(await call(ecs('CreateNetworkInterface', query), ENI, signal))
    },
    async attachEni(eni, instance, signal) {
      await transport(ecs('AttachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: instance }), signal)
    },
    async detachEni(eni, instance, signal) {
      await remove(ecs('DetachNetworkInterface', { NetworkInterfaceId: eni, InstanceId: instance }), signal)
    },
    async deleteEni(eni, signal) {
      await remove(ecs('DeleteNetworkInterface', { NetworkInterfaceId: eni }), signal)
    },
    async describeEnis(filter, signal) {
      const found: CloudEni[] = []
      const query = {
        ...(filter.instanceId === undefined ? {} : { InstanceId: filter.instanceId }),
        ...(filter.ids === undefined ? {} : { NetworkInterfaceId: filter.ids }),
        ...(filter.tags === undefined
          ? {}
          : { Tag: Object.entries(filter.tags).map(([Key, Value]) => ({ Key, Value })) }),
        MaxResults: PAGE,
      }
      for (let token = ''; ; ) {
        const next = token === '' ? query : { ...query, NextToken: token }
        const page = await call(ecs('DescribeNetworkInterfaces', next), ENI_PAGE, signal)
        found.push(...page.NetworkInterfaceSets.NetworkInterfaceSet.map(toEni))
        token = page.NextToken ?? ''
        if (token === '') return found
      }
    },
    async assignIps(eni, count, clientToken, signal) {
      const query = { NetworkInterfaceId: eni, SecondaryPrivateIpAddressCount: count, ClientToken: clientToken }
      const answer = await call(ecs('AssignPrivateIpAddresses', query), ASSIGNED, signal)
      return answer.AssignedPrivateIpAddressesSet.PrivateIpSet.PrivateIpAddress.map(parseIpv4)
    },
    async unassignIps(eni, ips, signal) {
      await remove(ecs('UnassignPrivateIpAddresses', { NetworkInterfaceId: eni, PrivateIpAddress: ips }), signal)
    },
    async describeInstanceType(type, signal) {
      const answer = await call(ecs('DescribeInstanceTypes', { InstanceTypes: [type] }), INSTANCE_TYPES, signal)
      const found = answer.InstanceTypes.InstanceType.find((candidate) => candidate.InstanceTypeId === type)
      if (found === undefined) {
        throw new CloudError(`${type} is not in the answer`, {
          action: 'DescribeInstanceTypes',
          code: 'InstanceType.NotFound',
        })
      }
      return { id: type, eniQuantity: found.EniQuantity, ipv4PerEni: found.EniPrivateIpAddressQuantity }
    },
    async describeVSwitch(id, signal) {
      const answer = await call(
        { service: 'vpc', action: 'DescribeVSwitches', query: { VSwitchId: id } },
        VSWITCHES,
        signal,
      )
      const found = answer.VSwitches.VSwitch.find((candidate) => candidate.VSwitchId === id)
      if (found === undefined) {
        throw new CloudError(`${id} does not exist`, { action: 'DescribeVSwitches', code: 'InvalidVSwitchId.NotFound' })
      }
      return {
        id,
        zoneId: parseCloudId<ZoneId>(found.ZoneId),
        cidr: parseCidr(found.CidrBlock),
        availableIps: found.AvailableIpAddressCount,
      }
    },
  }
}

function toEni(raw: z.infer<typeof ENI>): CloudEni {
  const primaryIp = parseIpv4(raw.PrivateIpAddress)
  const ips = (raw.PrivateIpSets.PrivateIpSet ?? []).map((set) => parseIpv4(set.PrivateIpAddress))
  const instanceId = raw.Attachment?.InstanceId || raw.InstanceId
  return {
    id: parseCloudId<EniId>(raw.NetworkInterfaceId),
    mac: parseMac(raw.MacAddress),
    status: STATUSES.includes(raw.Status) ? (raw.Status as EniStatus) : 'Unknown',
    type: raw.Type,
    vSwitchId: parseCloudId<VSwitchId>(raw.VSwitchId),
    ...(instanceId ? { instanceId: parseCloudId<InstanceId>(instanceId) } : {}),
    primaryIp,
    ips: [primaryIp, ...ips.filter((ip) => ip !== primaryIp)],
    securityGroupIds: (raw.SecurityGroupIds.SecurityGroupId ?? []).map((id) => parseCloudId<SecurityGroupId>(id)),
    tags: new Map((raw.Tags?.Tag ?? []).map((tag) => [tag.TagKey, tag.TagValue])),
  }
}
