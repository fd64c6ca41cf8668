/** Route tables and their entries, as the API describes them. */
import { z } from 'zod'
import { type Cidr, parseCidr } from '../../inet/address.ts'
import { listOf, oneOf, optional, parsed, present, TEXT } from '../answer.ts'
import {
  type EniId,
  type InstanceId,
  parseCloudId,
  type RouteEntryId,
  type RouteTableId,
  type VpcId,
  type VRouterId,
  type VSwitchId,
} from '../ids.ts'
import { LEFT_OUT, type NumberedListing, numberedPage, type TokenListing, tokenPage } from '../listing.ts'

/** Where packets to a prefix go. */
export interface Route {
  readonly cidr: Cidr
  readonly nextHop: NextHop
  /** 2 to 128 characters. */
  readonly name?: string
  /** 2 to 256 characters. */
  readonly description?: string
}

export type NextHop =
  | { readonly type: 'Instance'; readonly id: InstanceId }
  | { readonly type: 'NetworkInterface'; readonly id: EniId }

export interface RouteTable {
  readonly id: RouteTableId
  readonly vpcId?: VpcId
  /** `System`: the one that every VPC is born with. */
  readonly type: 'System' | 'Custom' | 'Unknown'
  readonly routerId?: VRouterId
  readonly vSwitchIds: readonly VSwitchId[]
}

export interface RouteEntry {
  readonly id: RouteEntryId
  readonly cidr: Cidr
  /** `changing` until a creation or deletion has ended; the API calls the end of a creation Available or Created. */
  readonly status: 'settled' | 'changing'
  /** `Custom`, `System`, `BGP` and others. */
  readonly type: string
  readonly name: string
  /** Ids of any kind of next hop, since others make routes as well; more than one for ECMP. */
  readonly nextHopIds: readonly string[]
}

const CHANGING = ['Pending', 'Creating', 'Modifying', 'Deleting'] as const

const ROUTE_TABLE: z.ZodType<RouteTable> = z
  .object({
    RouteTableId: parsed(parseCloudId<RouteTableId>),
    VpcId: optional(parseCloudId<VpcId>),
    RouteTableType: TEXT,
    RouterId: optional(parseCloudId<VRouterId>),
    VSwitchIds: listOf('VSwitchId', parsed(parseCloudId<VSwitchId>)),
  })
  .transform((raw) => ({
    id: raw.RouteTableId,
    type: oneOf(['System', 'Custom'] as const, raw.RouteTableType, 'Unknown' as const),
    vSwitchIds: raw.VSwitchIds,
    ...present({ vpcId: raw.VpcId, routerId: raw.RouterId }),
  }))

/** "Router" is how the API spells it here. */
export const ROUTE_TABLES: NumberedListing<RouteTable> = {
  service: 'vpc',
  action: 'DescribeRouteTableList',
  page: numberedPage('RouterTableList', 'RouterTableListType'),
  item: ROUTE_TABLE,
  idOf: ({ id }) => id,
}

const ROUTE_ENTRY: z.ZodType<RouteEntry> = z
  .object({
    RouteEntryId: parsed(parseCloudId<RouteEntryId>),
    DestinationCidrBlock: parsed(parseCidr),
    Status: TEXT,
    Type: TEXT,
    RouteEntryName: TEXT,
    NextHops: listOf('NextHop', z.object({ NextHopId: TEXT })),
  })
  .transform((raw) => ({
    id: raw.RouteEntryId,
    cidr: raw.DestinationCidrBlock,
    status: oneOf(CHANGING, raw.Status, undefined) === undefined ? 'settled' : 'changing',
    type: raw.Type,
    name: raw.RouteEntryName,
    nextHopIds: raw.NextHops.flatMap(({ NextHopId }) => (NextHopId ? [NextHopId] : [])),
  }))

/**
 * The page's size and the wrapper have names of their own here. An entry may lead to a prefix list instead of a prefix;
 * no entry of ours does.
 */
export const ROUTE_ENTRIES: TokenListing<RouteEntry> = {
  service: 'vpc',
  action: 'DescribeRouteEntryList',
  pageSize: { MaxResult: 100 },
  page: tokenPage('RouteEntrys', 'RouteEntry'),
  item: ROUTE_ENTRY,
  instead: LEFT_OUT,
  idOf: ({ id }) => id,
}
