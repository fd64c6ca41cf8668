/** Finding ENIs. */

import { membersOf } from '../cloud/attach-rules.ts'
import type { Cloud } from '../cloud/cloud.ts'
import { addressesOf, type Eni, type EniStatus, instanceOf } from '../cloud/eni.ts'
import { ApiError } from '../cloud/error.ts'
import { type Action, type Answer, type CallContext, ECS } from './action.ts'
import { eniAttributeJson, eniJson } from './eni-json.ts'
import { choice, equalTo, taggedAs } from './filters.ts'
import { pageByNumber, pageByToken } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** DescribeNetworkInterfaces documentation. */
const MAX_IDS = 100
const PAGE = { min: 10, max: 500, default: 10 }
const NUMBERED_PAGE = { min: 1, max: 500, default: 10 }
const TYPES: readonly Eni['type'][] = ['Primary', 'Secondary', 'Trunk', 'Member']
const STATUSES: readonly EniStatus[] = ['Available', 'Attaching', 'InUse', 'Detaching', 'Deleting']

const DESCRIBE = [
  'NetworkInterfaceId.N',
  'InstanceId',
  'Type',
  'Status',
  'VpcId',
  'VSwitchId',
  'SecurityGroupId',
  'PrimaryIpAddress',
  'PrivateIpAddress.N',
  'Ipv6Address.N',
  'NetworkInterfaceName',
  'ResourceGroupId',
  'ServiceManaged',
  'Tag.N.Key',
  'Tag.N.Value',
  'MaxResults',
  'NextToken',
  'PageNumber',
  'PageSize',
]

/** Every filter that is given must match; ids that do not exist are simply not found. */
function matching(cloud: Cloud, parameters: Parameters, { enis }: CallContext): readonly Eni[] {
  const ids = new Set(parameters.list('NetworkInterfaceId', MAX_IDS))
  const ips = parameters.ips('PrivateIpAddress', MAX_IDS)
  const ipv6s = parameters.ipv6s('Ipv6Address', MAX_IDS)
  const group = parameters.optional('SecurityGroupId') ?? ''
  choice(parameters, 'Type', { values: TYPES })
  choice(parameters, 'Status', { values: STATUSES })
  const equal = equalTo<Eni>(parameters, {
    InstanceId: (eni) => instanceOf(eni) ?? '',
    Type: (eni) => eni.type,
    Status: (eni) => eni.state.status,
    VpcId: () => cloud.region.vpc.id,
    VSwitchId: (eni) => eni.vSwitchId,
    PrimaryIpAddress: (eni) => eni.primaryIp,
    NetworkInterfaceName: (eni) => eni.name,
    ResourceGroupId: (eni) => eni.resourceGroupId,
  })
  const tagged = taggedAs(parameters)
  // No cloud product but the caller's own makes ENIs here.
  if (parameters.boolean('ServiceManaged') === true) return []
  return enis
    .filter((eni) => ids.size === 0 || ids.has(eni.id))
    .filter((eni) => ips.length === 0 || addressesOf(eni).some((ip) => ips.includes(ip)))
    .filter((eni) => ipv6s.length === 0 || eni.ipv6s.some((ip) => ipv6s.includes(ip)))
    .filter((eni) => group === '' || eni.securityGroupIds.some((id) => id === group))
    .filter((eni) => tagged(eni.tags))
    .filter(equal)
}

function describe(cloud: Cloud, parameters: Parameters, context: CallContext): Answer {
  const enis = context.shown(matching(cloud, parameters, context))
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

/** `basic` is in no documentation; callers send it and get the same as without. */
const ATTRIBUTES = ['attachment', 'basic'] as const

function attribute(cloud: Cloud, parameters: Parameters, { enis, shown }: CallContext): Answer {
  const id = parameters.eniId()
  const asked = choice(parameters, 'Attribute', { values: ATTRIBUTES, code: 'UnsupportedParameter' })
  const [eni] = shown(enis.filter((candidate) => candidate.id === id))
  if (eni === undefined) throw new ApiError('InvalidEniId.NotFound', `The ENI ${id} does not exist.`)
  return eniAttributeJson(eni, cloud.region, asked === 'attachment' ? membersOf(enis, id) : undefined)
}

const common = { version: ECS, regionId: 'required' } as const

export const DESCRIBE_NETWORK_INTERFACE_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeNetworkInterfaces: { ...common, parameters: DESCRIBE, handle: describe },
  DescribeNetworkInterfaceAttribute: { ...common, parameters: ['NetworkInterfaceId', 'Attribute'], handle: attribute },
}
