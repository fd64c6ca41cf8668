/** Security groups and their rules, as the region file has them. */
import { familyOf } from '../../inet/address.ts'
import type { Cloud } from '../cloud/cloud.ts'
import { ApiError } from '../cloud/error.ts'
import type { SecurityGroup, SecurityGroupRule } from '../region/security-group.ts'
import { type Action, type Answer, ECS, type Json } from './action.ts'
import { tagsJson, timeJson } from './eni-json.ts'
import { choice, equalTo, TAG_PARAMETERS, taggedAs } from './filters.ts'
import { PAGE_PARAMETERS, pageByNumber, pageByToken } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** DescribeSecurityGroups documentation. */
const MAX_IDS = 100
const PAGE = { min: 1, max: 100, default: 10 }
const BY_NUMBER = { min: 1, max: 50, default: 10 }
/** DescribeSecurityGroupAttribute documentation. */
const RULE_PAGE = { min: 1, max: 1000, default: 500 }

const DESCRIBE = [
  ...['SecurityGroupIds', 'SecurityGroupId', 'SecurityGroupName', 'SecurityGroupType', 'VpcId', 'ResourceGroupId'],
  ...['DryRun', 'MaxResults', 'NextToken'],
  ...TAG_PARAMETERS,
  ...PAGE_PARAMETERS,
]
const ATTRIBUTE = ['SecurityGroupId', 'Direction', 'NicType', 'MaxResults', 'NextToken']

function describe(cloud: Cloud, parameters: Parameters): Answer {
  const found = matching(cloud, parameters)
  if (parameters.boolean('DryRun') === true) {
    throw new ApiError('DryRunOperation', 'The request is valid; nothing was done, as DryRun asks for.')
  }
  const groups = (items: readonly SecurityGroup[]) => ({
    SecurityGroups: { SecurityGroup: items.map((group) => groupJson(cloud, group)) },
    RegionId: cloud.region.id,
    TotalCount: found.length,
  })
  if (parameters.has('PageNumber') || parameters.has('PageSize')) {
    const { items, number, size } = pageByNumber(found, parameters, BY_NUMBER)
    return { ...groups(items), PageNumber: number, PageSize: size, NextToken: '' }
  }
  const { items, nextToken } = pageByToken(found, parameters, PAGE)
  return { ...groups(items), NextToken: nextToken }
}

/** Sorted by id. */
function matching(cloud: Cloud, parameters: Parameters): readonly SecurityGroup[] {
  const ids = parameters.jsonList('SecurityGroupIds', MAX_IDS)
  choice(parameters, 'SecurityGroupType', { values: ['normal', 'enterprise'] })
  const equal = equalTo<SecurityGroup>(parameters, {
    SecurityGroupId: ({ id }) => id,
    SecurityGroupName: ({ id }) => id,
    SecurityGroupType: ({ type }) => type,
    VpcId: () => cloud.region.vpc.id,
    ResourceGroupId: () => '',
  })
  const tagged = taggedAs(parameters)
  return [...cloud.region.securityGroups.values()]
    .filter(({ id }) => ids === undefined || ids.includes(id))
    .filter(equal)
    .filter(({ id }) => tagged(cloud.securityGroupTags.of(id)))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

function groupJson(cloud: Cloud, { id, type, rules }: SecurityGroup): Answer {
  return {
    SecurityGroupId: id,
    SecurityGroupName: id,
    SecurityGroupType: type,
    VpcId: cloud.region.vpc.id,
    Description: '',
    CreationTime: timeJson(cloud.startedAt),
    ResourceGroupId: '',
    ServiceManaged: false,
    Tags: tagsJson(cloud.securityGroupTags.of(id)),
    RuleCount: rules.length,
    GroupToGroupRuleCount: rules.filter(({ peer }) => 'group' in peer).length,
  }
}

function attribute(cloud: Cloud, parameters: Parameters): Answer {
  const wanted = parameters.required('SecurityGroupId')
  const group = [...cloud.region.securityGroups.values()].find(({ id }) => id === wanted)
  if (group === undefined) {
    throw new ApiError('InvalidSecurityGroupId.NotFound', `The security group ${wanted} does not exist.`)
  }
  const direction = choice(parameters, 'Direction', { values: ['ingress', 'egress', 'all'] }) ?? 'all'
  // In a VPC every rule is one of the intranet, whatever is asked for.
  choice(parameters, 'NicType', { values: ['intranet', 'internet'] })
  const rules = group.rules
    .map((rule, index) => ({ id: ruleId(group, index), rule }))
    .filter(({ rule }) => direction === 'all' || rule.direction === direction)
  const { items, nextToken } = pageByToken(rules, parameters, RULE_PAGE)
  return {
    SecurityGroupId: group.id,
    SecurityGroupName: group.id,
    RegionId: cloud.region.id,
    VpcId: cloud.region.vpc.id,
    Description: '',
    // Whether members may talk to each other without a rule.
    InnerAccessPolicy: group.type === 'normal' ? 'Accept' : 'Drop',
    Permissions: { Permission: items.map(({ id, rule }) => ({ SecurityGroupRuleId: id, ...ruleJson(cloud, rule) })) },
    NextToken: nextToken,
  }
}

/** In the order of the rules. */
function ruleId({ id }: SecurityGroup, index: number): string {
  return `sgr-${id.slice('sg-'.length)}-${String(index).padStart(6, '0')}`
}

const PROTOCOLS: Readonly<Record<SecurityGroupRule['protocol'], string>> = {
  all: 'ALL',
  tcp: 'TCP',
  udp: 'UDP',
  icmp: 'ICMP',
  icmpv6: 'ICMPv6',
}

function ruleJson({ startedAt }: Cloud, rule: SecurityGroupRule): Readonly<Record<string, Json>> {
  const ingress = rule.direction === 'ingress'
  const none = { group: '', cidr: '', ipv6: '' }
  const peer = peerOf(rule)
  const [source, destination] = ingress ? [peer, none] : [none, peer]
  return {
    Direction: rule.direction,
    Policy: rule.policy === 'accept' ? 'Accept' : 'Drop',
    IpProtocol: PROTOCOLS[rule.protocol],
    PortRange: portRange(rule),
    SourcePortRange: '-1/-1',
    // Text, though it is a number.
    Priority: String(rule.priority),
    NicType: 'intranet',
    SourceCidrIp: source.cidr,
    Ipv6SourceCidrIp: source.ipv6,
    SourceGroupId: source.group,
    DestCidrIp: destination.cidr,
    Ipv6DestCidrIp: destination.ipv6,
    DestGroupId: destination.group,
    Description: '',
    CreateTime: timeJson(startedAt),
  }
}

function peerOf({ peer }: SecurityGroupRule): { readonly group: string; readonly cidr: string; readonly ipv6: string } {
  if ('group' in peer) return { group: peer.group, cidr: '', ipv6: '' }
  const ipv4 = familyOf(peer.cidr) === 'ipv4'
  return { group: '', cidr: ipv4 ? peer.cidr : '', ipv6: ipv4 ? '' : peer.cidr }
}

/** -1/-1 where a protocol has no ports; all of them are 1/65535. */
function portRange({ protocol, ports }: SecurityGroupRule): string {
  if (ports !== undefined) return `${ports.from}/${ports.to}`
  return protocol === 'tcp' || protocol === 'udp' ? '1/65535' : '-1/-1'
}

const common = { version: ECS, regionId: 'required' } as const

export const SECURITY_GROUP_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeSecurityGroups: { ...common, parameters: DESCRIBE, handle: describe },
  DescribeSecurityGroupAttribute: { ...common, parameters: ATTRIBUTE, handle: attribute },
}
