/** VPCs and their vSwitches: only looked at. */
import { z } from 'zod'
import { type Cidr, parseCidr } from '../../inet/address.ts'
import { listOf, optional, parsed, present } from '../answer.ts'
import { CloudError } from '../error.ts'
import { parseCloudId, type RouteTableId, type VpcId, type VRouterId, type VSwitchId, type ZoneId } from '../ids.ts'
import { LEFT_OUT, listByNumber, type NumberedListing, numberedPage } from '../listing.ts'
import type { CallOptions, Transport } from '../transport.ts'

export interface VSwitch {
  readonly id: VSwitchId
  readonly vpcId: VpcId
  readonly zoneId: ZoneId
  readonly cidr: Cidr
  /** Absent unless the vSwitch has IPv6. */
  readonly ipv6Cidr?: Cidr
  /** IPv4 addresses that nobody has. */
  readonly availableIps: number
}

export type DescribeVSwitches =
  /** Ids that do not exist are missing from the answer. The API takes one at a time: one call for each. */
  { readonly ids: readonly VSwitchId[] } | { readonly vpcId: VpcId; readonly zoneId?: ZoneId }

export interface VpcDetails {
  readonly id: VpcId
  readonly cidr: Cidr
  readonly secondaryCidrs: readonly Cidr[]
  /** Networks beyond the VPC that its owner has named. */
  readonly userCidrs: readonly Cidr[]
  readonly ipv6Cidr?: Cidr
  readonly routerId?: VRouterId
  readonly routeTableIds: readonly RouteTableId[]
  readonly vSwitchIds: readonly VSwitchId[]
}

/** Every function throws CloudError, or the signal's reason. */
export interface VSwitchActions {
  /** All pages. Of a VPC's or a zone's those are missing that are not understood; by their ids they are an error. */
  describeVSwitches(filter: DescribeVSwitches, options?: CallOptions): Promise<VSwitch[]>
  /** Fails with `InvalidVSwitchId.NotFound` when it does not exist. */
  describeVSwitch(id: VSwitchId, options?: CallOptions): Promise<VSwitch>
  /** Undefined when it does not exist. */
  describeVpc(id: VpcId, options?: CallOptions): Promise<VpcDetails | undefined>
}

export function vSwitchActions(transport: Transport): VSwitchActions {
  const describeOne = async (id: VSwitchId, options: CallOptions | undefined) => {
    const listed = await listByNumber(transport, VSWITCHES, { VSwitchId: id }, options)
    return listed.filter((vSwitch) => vSwitch.id === id)
  }
  return {
    async describeVSwitches(filter, options) {
      if ('ids' in filter) return (await Promise.all(filter.ids.map((id) => describeOne(id, options)))).flat()
      const query = { VpcId: filter.vpcId, ...present({ ZoneId: filter.zoneId }) }
      return await listByNumber(transport, { ...VSWITCHES, instead: LEFT_OUT }, query, options)
    },
    async describeVSwitch(id, options) {
      const [found] = await describeOne(id, options)
      if (found !== undefined) return found
      throw new CloudError(`${id} does not exist`, { action: VSWITCHES.action, code: 'InvalidVSwitchId.NotFound' })
    },
    async describeVpc(id, options) {
      const listed = await listByNumber(transport, VPCS, { VpcId: id }, options)
      return listed.find((vpc) => vpc.id === id)
    },
  }
}

const VSWITCH: z.ZodType<VSwitch> = z
  .object({
    VSwitchId: parsed(parseCloudId<VSwitchId>),
    VpcId: parsed(parseCloudId<VpcId>),
    ZoneId: parsed(parseCloudId<ZoneId>),
    CidrBlock: parsed(parseCidr),
    Ipv6CidrBlock: optional(parseCidr),
    AvailableIpAddressCount: z.int(),
  })
  .transform((raw) => ({
    id: raw.VSwitchId,
    vpcId: raw.VpcId,
    zoneId: raw.ZoneId,
    cidr: raw.CidrBlock,
    availableIps: raw.AvailableIpAddressCount,
    ...present({ ipv6Cidr: raw.Ipv6CidrBlock }),
  }))

const VSWITCHES: NumberedListing<VSwitch> = {
  service: 'vpc',
  action: 'DescribeVSwitches',
  page: numberedPage('VSwitches', 'VSwitch'),
  item: VSWITCH,
  idOf: ({ id }) => id,
}

const VPC: z.ZodType<VpcDetails> = z
  .object({
    VpcId: parsed(parseCloudId<VpcId>),
    CidrBlock: parsed(parseCidr),
    SecondaryCidrBlocks: listOf('SecondaryCidrBlock', parsed(parseCidr)),
    UserCidrs: listOf('UserCidr', parsed(parseCidr)),
    Ipv6CidrBlock: optional(parseCidr),
    VRouterId: optional(parseCloudId<VRouterId>),
    // The list and its wrapper have the same name here.
    RouterTableIds: listOf('RouterTableIds', parsed(parseCloudId<RouteTableId>)),
    VSwitchIds: listOf('VSwitchId', parsed(parseCloudId<VSwitchId>)),
  })
  .transform((raw) => ({
    id: raw.VpcId,
    cidr: raw.CidrBlock,
    secondaryCidrs: raw.SecondaryCidrBlocks,
    userCidrs: raw.UserCidrs,
    routeTableIds: raw.RouterTableIds,
    vSwitchIds: raw.VSwitchIds,
    ...present({ ipv6Cidr: raw.Ipv6CidrBlock, routerId: raw.VRouterId }),
  }))

const VPCS: NumberedListing<VpcDetails> = {
  service: 'vpc',
  action: 'DescribeVpcs',
  page: numberedPage('Vpcs', 'Vpc'),
  item: VPC,
  idOf: ({ id }) => id,
}
