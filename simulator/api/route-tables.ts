/** Route tables; their entries are in route-entries.ts. */
import type { Cloud } from '../cloud/cloud.ts'
import type { RouteTable } from '../region/region.ts'
import { type Action, type Answer, VPC } from './action.ts'
import { timeJson } from './eni-json.ts'
import { choice, equalTo, NO_TAGS, TAG_PARAMETERS, taggedAs } from './filters.ts'
import { PAGE_PARAMETERS, pageByNumber } from './paging.ts'
import type { Parameters } from './parameters.ts'
import { routerOf } from './vpcs.ts'

/** DescribeRouteTableList documentation. */
const PAGE = { min: 1, max: 50, default: 10 }

const DESCRIBE = [
  ...['VpcId', 'RouterId', 'RouterType', 'RouteTableId', 'RouteTableName', 'RouteTableType', 'ResourceGroupId'],
  ...TAG_PARAMETERS,
  ...PAGE_PARAMETERS,
]

function describe(cloud: Cloud, parameters: Parameters): Answer {
  choice(parameters, 'RouteTableType', { values: ['System', 'Custom'] })
  choice(parameters, 'RouterType', { values: ['VRouter', 'VBR'] })
  const { vpc } = cloud.region
  const matches = equalTo<RouteTable>(parameters, {
    VpcId: () => vpc.id,
    RouterId: () => routerOf(vpc),
    RouterType: () => 'VRouter',
    RouteTableId: ({ id }) => id,
    RouteTableName: ({ id }) => id,
    RouteTableType: ({ type }) => type,
    ResourceGroupId: () => '',
  })
  const tagged = taggedAs(parameters)
  const found = vpc.routeTables.filter(matches).filter(() => tagged(NO_TAGS))
  const { items, number, size } = pageByNumber(found, parameters, PAGE)
  const tables = items.map((table) => tableJson(cloud, table))
  // "Router…" is how the API spells it.
  return {
    RouterTableList: { RouterTableListType: tables },
    TotalCount: found.length,
    PageNumber: number,
    PageSize: size,
  }
}

function tableJson({ region, startedAt }: Cloud, table: RouteTable): Answer {
  return {
    RouteTableId: table.id,
    RouteTableName: table.id,
    RouteTableType: table.type,
    RouterId: routerOf(region.vpc),
    RouterType: 'VRouter',
    VpcId: region.vpc.id,
    VSwitchIds: { VSwitchId: table.vSwitches },
    AssociateType: 'VSwitch',
    Status: 'Available',
    Description: '',
    OwnerId: Number(region.account),
    ResourceGroupId: '',
    CreationTime: timeJson(startedAt),
    Tags: { Tag: [] },
  }
}

export const ROUTE_TABLE_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeRouteTableList: { version: VPC, regionId: 'required', parameters: DESCRIBE, handle: describe },
}
