/** Finding ENIs. */
import type { Cloud } from '../cloud/cloud.ts'
import { addressesOf, type Eni, instanceOf } from '../cloud/eni.ts'
import { type Action, type Answer, ECS } from './action.ts'
import { eniJson } from './eni-json.ts'
import { pageByNumber, pageByToken } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** DescribeNetworkInterfaces documentation. */
const MAX_IDS = 100
const PAGE = { min: 10, max: 500, default: 10 }
const NUMBERED_PAGE = { min: 1, max: 500, default: 10 }

/** Filters that compare one parameter with one property. */
const EQUALS: Readonly<Record<string, (eni: Eni, cloud: Cloud) => string | undefined>> = {
  InstanceId: instanceOf,
  Type: (eni) => eni.type,
  Status: (eni) => eni.state.status,
  VpcId: (_, cloud) => cloud.region.vpc.id,
  VSwitchId: (eni) => eni.vSwitchId,
  PrimaryIpAddress: (eni) => eni.primaryIp,
  NetworkInterfaceName: (eni) => eni.name,
}

/** Every filter that is given must match; ids that do not exist are simply not found. */
function matching(cloud: Cloud, parameters: Parameters): readonly Eni[] {
  const ids = parameters.list('NetworkInterfaceId', MAX_IDS)
  const ips = parameters.ips('PrivateIpAddress', MAX_IDS)
  const group = parameters.optional('SecurityGroupId')
  const tags = [...parameters.tags()]
  const equals = Object.entries(EQUALS).flatMap(([name, property]) => {
    const wanted = parameters.optional(name) ?? ''
    return wanted === '' ? [] : [(eni: Eni) => property(eni, cloud) === wanted]
  })
  return cloud
    .enis()
    .filter((eni) => ids.length === 0 || ids.includes(eni.id))
    .filter((eni) => ips.length === 0 || addressesOf(eni).some((ip) => ips.includes(ip)))
    .filter((eni) => group === undefined || eni.securityGroupIds.some((id) => id === group))
    .filter((eni) => tags.every(([key, value]) => hasTag(eni, key, value)))
    .filter((eni) => equals.every((matches) => matches(eni)))
}

/** A filter without a value asks only for the key. */
function hasTag(eni: Eni, key: string, value: string): boolean {
  return value === '' ? eni.tags.has(key) : eni.tags.get(key) === value
}

function describe(cloud: Cloud, parameters: Parameters): Answer {
  const enis = matching(cloud, parameters)
  const sets = (items: readonly Eni[]) => ({ NetworkInterfaceSet: items.map((eni) => eniJson(eni, cloud.region)) })
  if (parameters.has('PageNumber') || parameters.has('PageSize')) {
    const { items, number, size } = pageByNumber(enis, parameters, NUMBERED_PAGE)
    return {
      NetworkInterfaceSets: sets(items),
      TotalCount: enis.length,
      PageNumber: number,
      PageSize: size,
      NextToken: '',
    }
  }
  const { items, nextToken } = pageByToken(enis, parameters, PAGE)
  return { NetworkInterfaceSets: sets(items), TotalCount: enis.length, NextToken: nextToken }
}

function attribute(cloud: Cloud, parameters: Parameters): Answer {
  return eniJson(cloud.eni(parameters.eniId()), cloud.region)
}

const common = { version: ECS, regionId: 'required', clientToken: false } as const

export const DESCRIBE_NETWORK_INTERFACE_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeNetworkInterfaces: { ...common, handle: describe },
  DescribeNetworkInterfaceAttribute: { ...common, handle: attribute },
}
