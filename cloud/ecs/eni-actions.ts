/** The life of an ENI: created, attached, described, changed, detached, deleted. */
import { z } from 'zod'
import type { Cidr, Ipv4, Ipv6 } from '../../inet/address.ts'
import type { Action } from '../actions.ts'
import { ask, badAnswer, callOf, chunksOf, present, read } from '../answer.ts'
import { hasCode, NO_ENI, NO_ENI_OR_INSTANCE, unlessGone } from '../gone.ts'
import type { EniId, InstanceId, ResourceGroupId, SecurityGroupId, VpcId, VSwitchId } from '../ids.ts'
import { listByToken, type TokenListing, tokenPage } from '../listing.ts'
import { tagQuery } from '../tags.ts'
import type { CallOptions, Transport } from '../transport.ts'
import { type Amount, amountQuery, IPS, IPV4_PREFIXES, IPV6_PREFIXES, IPV6S } from './amount.ts'
import {
  type CloudEni,
  ENI,
  ENI_DETAILS,
  type EniDetails,
  type EniType,
  type FilterStatus,
  isWhole,
  type TrafficMode,
  UNKNOWN_ENI,
  type WholeEni,
} from './eni.ts'

export interface CreateEni {
  readonly vSwitchId: VSwitchId
  /** 1 to 5, up to 16 with a raised quota. */
  readonly securityGroupIds: readonly SecurityGroupId[]
  /** `Secondary` unless given. */
  readonly type?: 'Secondary' | 'Trunk'
  readonly primaryIp?: Ipv4
  /** Secondary addresses: 0 to 49, or a list of at most 10. */
  readonly secondaryIps?: Amount<Ipv4>
  /** At most 10, like the prefixes. */
  readonly ipv6s?: Amount<Ipv6>
  readonly ipv4Prefixes?: Amount<Cidr>
  readonly ipv6Prefixes?: Amount<Cidr>
  /** 2 to 128 characters. */
  readonly name?: string
  /** 2 to 256 characters. */
  readonly description?: string
  readonly resourceGroupId?: ResourceGroupId
  /** At most 20. */
  readonly tags?: Readonly<Record<string, string>>
  /** It dies with its instance. */
  readonly deleteOnRelease?: boolean
  readonly trafficMode?: TrafficMode
  readonly sourceDestCheck?: boolean
  /** At most 64 ASCII characters; the same token with the same request gives the same ENI. */
  readonly clientToken: string
}

/** All that are given must match. */
export interface DescribeEnis {
  /** Ids that do not exist are missing from the answer. */
  readonly ids?: readonly EniId[]
  readonly instanceId?: InstanceId
  readonly type?: Exclude<EniType, 'Unknown'>
  readonly status?: FilterStatus
  readonly vpcId?: VpcId
  readonly vSwitchId?: VSwitchId
  readonly securityGroupId?: SecurityGroupId
  /** At most 100. */
  readonly ips?: readonly Ipv4[]
  /** The API answers for at most 1000 resources with these tags. */
  readonly tags?: Readonly<Record<string, string>>
}

/** What is left out stays as it is. */
export interface ModifyEni {
  /** The whole new list. It takes effect some time later. */
  readonly securityGroupIds?: readonly SecurityGroupId[]
  readonly name?: string
  readonly description?: string
  readonly deleteOnRelease?: boolean
  readonly sourceDestCheck?: boolean
}

export interface DetachOptions extends CallOptions {
  /** Of a member: the trunk that carries it. */
  readonly trunk?: EniId
}

export interface AttachOptions extends DetachOptions {
  /** Index of a network card of the instance; its first one unless given. */
  readonly networkCard?: number
}

/** Every function throws CloudError, or the signal's reason. */
export interface EniActions {
  /** Transient when the cloud answered without creating anything: the same request may be made again. */
  createEni(request: CreateEni, options?: CallOptions): Promise<WholeEni>
  /** Only asks for it: the ENI is attached when its status says InUse, and back to Available when that failed. */
  attachEni(eni: EniId, instance: InstanceId, options?: AttachOptions): Promise<void>
  /** Only asks for it. Success also when the ENI or the instance is gone. */
  detachEni(eni: EniId, instance: InstanceId, options?: DetachOptions): Promise<void>
  /** Only asks for it. Success also when the ENI is gone. */
  deleteEni(eni: EniId, options?: CallOptions): Promise<void>
  /** All pages, each ENI once; also those that are not understood, by their ids. */
  describeEnis(filter: DescribeEnis, options?: CallOptions): Promise<CloudEni[]>
  /** Undefined when it does not exist. Allowed far more often than `describeEnis`. */
  describeEni(eni: EniId, options?: CallOptions): Promise<EniDetails | undefined>
  modifyEni(eni: EniId, change: ModifyEni, options?: CallOptions): Promise<void>
}

/** An ENI of a listing whose description is not as documented. */
export interface OddEni {
  readonly id: EniId
  readonly problem: string
}

/** @param onOddEni told of each of them in each listing. Must not throw. */
export function eniActions(transport: Transport, onOddEni: (odd: OddEni) => void): EniActions {
  const listing: TokenListing<CloudEni> = {
    ...ENIS,
    instead: (raw, error) => {
      // Without an id it may be any of ours, which would then look gone: no such answer can be believed.
      const eni = read(ENIS.action, raw, UNKNOWN_ENI)
      onOddEni({ id: eni.id, problem: z.prettifyError(error) })
      return [eni]
    },
  }
  const send = (action: Action, query: Readonly<Record<string, unknown>>, options: CallOptions | undefined) =>
    transport(callOf('ecs', action, query), options)
  return {
    createEni: (request, options) => createEni(transport, request, options),
    async attachEni(eni, instance, options = {}) {
      const { trunk, networkCard } = options
      const place = { NetworkInterfaceId: eni, InstanceId: instance }
      const query = { ...place, ...trunkQuery(trunk), ...present({ NetworkCardIndex: networkCard }) }
      await send('AttachNetworkInterface', query, options)
    },
    async detachEni(eni, instance, options = {}) {
      const query = { NetworkInterfaceId: eni, InstanceId: instance, ...trunkQuery(options.trunk) }
      await unlessGone(send('DetachNetworkInterface', query, options), NO_ENI_OR_INSTANCE)
    },
    async deleteEni(eni, options) {
      await unlessGone(send('DeleteNetworkInterface', { NetworkInterfaceId: eni }, options), NO_ENI)
    },
    describeEnis: (filter, options) => describeEnis(transport, listing, filter, options),
    describeEni: (eni, options) => describeEni(transport, eni, options),
    async modifyEni(eni, change, options) {
      await send('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: eni, ...modifyQuery(change) }, options)
    },
  }
}

/** The request says "NetworkInstance" where answers say "NetworkInterface". */
function trunkQuery(trunk: EniId | undefined) {
  return present({ TrunkNetworkInstanceId: trunk })
}

/** The singular name holds the whole list here. */
function modifyQuery({ securityGroupIds, name, description, deleteOnRelease, sourceDestCheck }: ModifyEni) {
  return present({
    SecurityGroupId: securityGroupIds,
    NetworkInterfaceName: name,
    Description: description,
    DeleteOnRelease: deleteOnRelease,
    SourceDestCheck: sourceDestCheck,
  })
}

const CREATED_ID = z.object({ NetworkInterfaceId: z.string().nullish() })

async function createEni(transport: Transport, request: CreateEni, options: CallOptions | undefined) {
  const call = callOf('ecs', 'CreateNetworkInterface', createQuery(request))
  const body = await transport(call, options)
  const id = CREATED_ID.safeParse(body)
  // Seen with HTTP status 200: nothing was created, and the same token may be used again.
  if (id.success && !id.data.NetworkInterfaceId) throw badAnswer(call.action, 'it names no ENI: nothing was created')
  const eni = read(call.action, body, ENI)
  // The same token gives the same ENI, when it has got what it lacks.
  if (!isWhole(eni)) throw badAnswer(call.action, `${eni.id} lacks a MAC, an address or its place`)
  return eni
}

function createQuery(request: CreateEni): Readonly<Record<string, unknown>> {
  return {
    VSwitchId: request.vSwitchId,
    SecurityGroupIds: request.securityGroupIds,
    ...amountQuery(request.secondaryIps, IPS),
    ...amountQuery(request.ipv6s, IPV6S),
    ...amountQuery(request.ipv4Prefixes, IPV4_PREFIXES),
    ...amountQuery(request.ipv6Prefixes, IPV6_PREFIXES),
    ...present({
      InstanceType: request.type,
      PrimaryIpAddress: request.primaryIp,
      NetworkInterfaceName: request.name,
      Description: request.description,
      ResourceGroupId: request.resourceGroupId,
      DeleteOnRelease: request.deleteOnRelease,
      NetworkInterfaceTrafficMode: request.trafficMode,
      SourceDestCheck: request.sourceDestCheck,
    }),
    ...tagQuery(request.tags),
    ClientToken: request.clientToken,
  }
}

const ENIS: TokenListing<CloudEni> = {
  service: 'ecs',
  action: 'DescribeNetworkInterfaces',
  pageSize: { MaxResults: 500 },
  page: tokenPage('NetworkInterfaceSets', 'NetworkInterfaceSet'),
  item: ENI,
  idOf: ({ id }) => id,
}
/** Most ids that it takes: ECS API reference. */
const MAX_IDS = 100

async function describeEnis(
  transport: Transport,
  listing: TokenListing<CloudEni>,
  filter: DescribeEnis,
  options: CallOptions | undefined,
) {
  if (filter.ids === undefined) return await listByToken(transport, listing, enisQuery(filter), options)
  const found: CloudEni[] = []
  // No ids: nothing to ask for. Without a filter the API would list the whole region.
  for (const ids of chunksOf(filter.ids, MAX_IDS)) {
    const query = { ...enisQuery(filter), NetworkInterfaceId: ids }
    found.push(...(await listByToken(transport, listing, query, options)))
  }
  return found
}

function enisQuery(filter: DescribeEnis): Readonly<Record<string, unknown>> {
  return {
    ...present({
      InstanceId: filter.instanceId,
      Type: filter.type,
      Status: filter.status,
      VpcId: filter.vpcId,
      VSwitchId: filter.vSwitchId,
      SecurityGroupId: filter.securityGroupId,
      PrivateIpAddress: filter.ips,
    }),
    ...tagQuery(filter.tags),
  }
}

async function describeEni(transport: Transport, eni: EniId, options: CallOptions | undefined) {
  // The attribute adds the members of a trunk to what is answered anyway.
  const query = { NetworkInterfaceId: eni, Attribute: 'attachment' }
  try {
    return await ask(transport, callOf('ecs', 'DescribeNetworkInterfaceAttribute', query), ENI_DETAILS, options)
  } catch (error) {
    if (hasCode(error, NO_ENI)) return undefined
    throw error
  }
}
