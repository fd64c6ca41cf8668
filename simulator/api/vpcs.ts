/** VPCs, of which a region has one. */
import type { Cloud } from '../cloud/cloud.ts'
import { ApiError } from '../cloud/error.ts'
import type { Vpc } from '../region/region.ts'
import { type Action, type Answer, VPC } from './action.ts'
import { timeJson } from './eni-json.ts'
import { equalTo, NO_TAGS, TAG_PARAMETERS, taggedAs } from './filters.ts'
import { PAGE_PARAMETERS, pageByNumber } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** DescribeVpcs documentation. */
const PAGE = { min: 1, max: 50, default: 10 }
const MAX_IDS = 20

const DESCRIBE = ['VpcId', 'VpcName', 'ResourceGroupId', 'IsDefault', ...TAG_PARAMETERS, ...PAGE_PARAMETERS]

/** A VPC has one router. */
export function routerOf(vpc: Vpc): string {
  return `vrt-${vpc.id.slice('vpc-'.length)}`
}

function describe(cloud: Cloud, parameters: Parameters): Answer {
  const ids = (parameters.optional('VpcId') ?? '').split(',').filter((id) => id !== '')
  if (ids.length > MAX_IDS) throw new ApiError('InvalidParameter', `VpcId holds ${ids.length} ids of ${MAX_IDS}.`)
  const matches = equalTo<Vpc>(parameters, {
    VpcName: ({ id }) => id,
    ResourceGroupId: () => '',
    IsDefault: () => 'false',
  })
  const tagged = taggedAs(parameters)
  const found = [cloud.region.vpc]
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .filter(matches)
    .filter(() => tagged(NO_TAGS))
  const { items, number, size } = pageByNumber(found, parameters, PAGE)
  const vpcs = items.map((vpc) => vpcJson(cloud, vpc))
  return { Vpcs: { Vpc: vpcs }, TotalCount: found.length, PageNumber: number, PageSize: size }
}

function vpcJson({ region, startedAt }: Cloud, vpc: Vpc): Answer {
  const { ipv6Cidr } = vpc
  return {
    VpcId: vpc.id,
    VpcName: vpc.id,
    RegionId: region.id,
    CidrBlock: vpc.cidr,
    SecondaryCidrBlocks: { SecondaryCidrBlock: [] },
    UserCidrs: { UserCidr: [] },
    Ipv6CidrBlock: ipv6Cidr ?? '',
    Ipv6CidrBlocks: {
      Ipv6CidrBlock: ipv6Cidr === undefined ? [] : [{ Ipv6CidrBlock: ipv6Cidr, Ipv6Isp: 'BGP' }],
    },
    EnabledIpv6: ipv6Cidr !== undefined,
    Status: 'Available',
    Description: '',
    IsDefault: false,
    OwnerId: Number(region.account),
    ResourceGroupId: '',
    VRouterId: routerOf(vpc),
    // The list and the items have one name.
    RouterTableIds: { RouterTableIds: vpc.routeTables.map(({ id }) => id) },
    VSwitchIds: { VSwitchId: [...region.vSwitches.keys()] },
    NatGatewayIds: { NatGatewayIds: [] },
    CreationTime: timeJson(startedAt),
    Tags: { Tag: [] },
  }
}

export const VPC_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeVpcs: { version: VPC, regionId: 'required', parameters: DESCRIBE, handle: describe },
}
