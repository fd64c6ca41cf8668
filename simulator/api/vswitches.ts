/** vSwitches, which are an action of the VPC product. */
import type { Cloud } from '../cloud/cloud.ts'
import { ApiError } from '../cloud/error.ts'
import { type Action, type Answer, VPC } from './action.ts'
import { pageByNumber } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** DescribeVSwitches documentation. */
const PAGE = { min: 1, max: 50, default: 10 }

function describe(cloud: Cloud, parameters: Parameters): Answer {
  const { region } = cloud
  const vpc = parameters.optional('VpcId')
  if (vpc === undefined && !parameters.has('RegionId')) {
    throw new ApiError('MissingParameter', 'One of RegionId and VpcId must be given.')
  }
  const id = parameters.optional('VSwitchId')
  const zone = parameters.optional('ZoneId')
  const found = [...region.vSwitches.values()]
    .filter(() => vpc === undefined || vpc === region.vpc.id)
    .filter((vSwitch) => id === undefined || vSwitch.id === id)
    .filter((vSwitch) => zone === undefined || vSwitch.zone === zone)
  const { items, number, size } = pageByNumber(found, parameters, PAGE)
  const vSwitches = items.map((vSwitch) => ({
    VSwitchId: vSwitch.id,
    VSwitchName: vSwitch.id,
    VpcId: region.vpc.id,
    ZoneId: vSwitch.zone,
    CidrBlock: vSwitch.cidr,
    Ipv6CidrBlock: '',
    EnabledIpv6: false,
    AvailableIpAddressCount: cloud.availableIps(vSwitch.id),
    Status: 'Available',
    Description: '',
    IsDefault: false,
    OwnerId: Number(region.account),
    Tags: { Tag: [] },
  }))
  return { VSwitches: { VSwitch: vSwitches }, TotalCount: found.length, PageNumber: number, PageSize: size }
}

export const VSWITCH_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeVSwitches: { version: VPC, regionId: 'optional', clientToken: false, handle: describe },
}
