/** vSwitches, which are an action of the VPC product. */
import type { Cloud } from '../cloud/cloud.ts'
import { ApiError } from '../cloud/error.ts'
import type { RouteTable, VSwitch } from '../region/region.ts'
import { type Action, type Answer, VPC } from './action.ts'
import { timeJson } from './eni-json.ts'
import { equalTo, NO_TAGS, TAG_PARAMETERS, taggedAs } from './filters.ts'
import { PAGE_PARAMETERS, pageByNumber } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** DescribeVSwitches documentation. */
const PAGE = { min: 1, max: 50, default: 10 }

const DESCRIBE = [
  ...['VpcId', 'VSwitchId', 'VSwitchName', 'ZoneId', 'RouteTableId', 'ResourceGroupId', 'IsDefault'],
  ...TAG_PARAMETERS,
  ...PAGE_PARAMETERS,
]

function describe(cloud: Cloud, parameters: Parameters): Answer {
  if (!parameters.has('VpcId') && !parameters.has('RegionId')) {
    throw new ApiError('MissingParameter', 'One of RegionId and VpcId must be given.')
  }
  const { region } = cloud
  const matches = equalTo<VSwitch>(parameters, {
    VpcId: () => region.vpc.id,
    VSwitchId: ({ id }) => id,
    VSwitchName: ({ id }) => id,
    ZoneId: ({ zone }) => zone,
    RouteTableId: (vSwitch) => tableOf(cloud, vSwitch).id,
    ResourceGroupId: () => '',
    IsDefault: () => 'false',
  })
  const tagged = taggedAs(parameters)
  const found = [...region.vSwitches.values()].filter(matches).filter(() => tagged(NO_TAGS))
  const { items, number, size } = pageByNumber(found, parameters, PAGE)
  const vSwitches = items.map((vSwitch) => vSwitchJson(cloud, vSwitch))
  return { VSwitches: { VSwitch: vSwitches }, TotalCount: found.length, PageNumber: number, PageSize: size }
}

function attributes(cloud: Cloud, parameters: Parameters): Answer {
  const wanted = parameters.required('VSwitchId')
  const vSwitch = [...cloud.region.vSwitches.values()].find(({ id }) => id === wanted)
  if (vSwitch !== undefined) return vSwitchJson(cloud, vSwitch)
  throw new ApiError('InvalidVswitchID.NotFound', `The vSwitch ${wanted} does not exist.`)
}

function vSwitchJson(cloud: Cloud, vSwitch: VSwitch): Answer {
  const { region } = cloud
  const table = tableOf(cloud, vSwitch)
  return {
    VSwitchId: vSwitch.id,
    VSwitchName: vSwitch.id,
    VpcId: region.vpc.id,
    ZoneId: vSwitch.zone,
    CidrBlock: vSwitch.cidr,
    Ipv6CidrBlock: vSwitch.ipv6?.cidr ?? '',
    EnabledIpv6: vSwitch.ipv6 !== undefined,
    AvailableIpAddressCount: cloud.availableIps(vSwitch.id, 'call'),
    Status: 'Available',
    Description: '',
    IsDefault: false,
    NetworkAclId: '',
    OwnerId: Number(region.account),
    ResourceGroupId: '',
    RouteTable: { RouteTableId: table.id, RouteTableType: table.type },
    ShareType: '',
    CreationTime: timeJson(cloud.startedAt),
    Tags: { Tag: [] },
  }
}

/** Every vSwitch is in one table. */
function tableOf({ region }: Cloud, { id }: VSwitch): RouteTable {
  const table = region.vpc.routeTables.find(({ vSwitches }) => vSwitches.includes(id))
  if (table === undefined) throw new Error(`${id} has no route table`)
  return table
}

const common = { version: VPC, regionId: 'optional' } as const

export const VSWITCH_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeVSwitches: { ...common, parameters: DESCRIBE, handle: describe },
  DescribeVSwitchAttributes: { ...common, parameters: ['VSwitchId'], handle: attributes },
}
