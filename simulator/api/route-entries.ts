/** Entries of route tables: one by one, and in batches that may succeed in part. */
import { AddressError, type Cidr, cidrOf, familyOf, hostCidr, parseIp, splitCidr } from '../../inet/address.ts'
import type { Cloud } from '../cloud/cloud.ts'
import { ApiError, type ErrorCode } from '../cloud/error.ts'
import {
  type NewRoute,
  type NextHop,
  nextHopId,
  type RouteEntry,
  type RouteOutcomes,
  type RouteSelector,
  type SystemRoute,
} from '../cloud/route-tables.ts'
import type { EniId, InstanceId, RouteEntryId, RouteTableId } from '../region/ids.ts'
import { type Action, type Answer, type Json, VPC } from './action.ts'
import { timeJson } from './eni-json.ts'
import { choice, equalTo } from './filters.ts'
import { pageByToken } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** Of one batch (CreateRouteEntries documentation). */
const MAX_BATCH = 50
/** DescribeRouteEntryList documentation. */
const PAGE = { min: 1, max: 100, default: 10, parameter: 'MaxResult' } as const
const MAX_DESTINATIONS = 20

/** CreateRouteEntry documentation; the region of the simulator has the first two. */
const NEXT_HOP_TYPES = [
  'Instance',
  'NetworkInterface',
  'HaVip',
  'RouterInterface',
  'VpnGateway',
  'IPv6Gateway',
  'NatGateway',
  'Attachment',
  'VpcPeer',
  'Ipv4Gateway',
  'GatewayEndpoint',
  'GatewayLoadBalancerEndpoint',
  'Ecr',
] as const

/** The same thing has different names in the single action and in the batch. */
interface Names {
  readonly destination: 'DestinationCidrBlock' | 'DstCidrBlock'
  readonly nextHop: 'NextHopId' | 'NextHop'
  readonly name: 'RouteEntryName' | 'Name'
}
const SINGLE: Names = { destination: 'DestinationCidrBlock', nextHop: 'NextHopId', name: 'RouteEntryName' }
const BATCH: Names = { destination: 'DstCidrBlock', nextHop: 'NextHop', name: 'Name' }

/** Codes of batches. Where the documentation names none, the code of the single action is the best guess. */
const BATCH_CODES: Readonly<Partial<Record<ErrorCode, string>>> = {
  'InvalidCIDRBlock.Duplicate': 'VPC_ROUTE_ENTRY_CIDR_BLOCK_DUPLICATE',
  IncorrectRouteEntryStatus: 'VPC_ROUTE_ENTRY_STATUS_ERROR',
  'InvalidRouteEntry.NotFound': 'VPC_ROUTER_ENTRY_NOT_EXIST',
  'InvalidRouteEntryId.NotFound': 'VPC_ROUTER_ENTRY_NOT_EXIST',
}

const DESCRIBE = [
  ...[
    'RouteTableId',
    'RouteEntryId',
    'RouteEntryName',
    'RouteEntryType',
    'DestinationCidrBlock',
    'DestCidrBlockList.N',
  ],
  ...['IpVersion', 'NextHopId', 'NextHopType', 'ServiceType', 'MaxResult', 'NextToken'],
]
/** Several next hops (NextHopList.N) need router interfaces, which the region does not have. */
const CREATE = [
  ...['ClientToken', 'RouteTableId', 'DestinationCidrBlock', 'NextHopId', 'NextHopType', 'RouteEntryName'],
  ...['Description', 'DryRun'],
]
const DELETE = ['RouteEntryId', 'RouteTableId', 'DestinationCidrBlock', 'NextHopId', 'DryRun']
const inBatch = (fields: readonly string[]) => ['DryRun', ...fields.map((field) => `RouteEntries.N.${field}`)]
const CREATE_ALL = inBatch([
  ...['RouteTableId', 'DstCidrBlock', 'NextHop', 'NextHopType', 'IpVersion', 'Name', 'Description'],
])
const DELETE_ALL = inBatch(['RouteEntryId', 'RouteTableId', 'DstCidrBlock', 'NextHop'])

function create(cloud: Cloud, parameters: Parameters): Answer {
  if (!parameters.has('NextHopId') && !parameters.has('NextHopType')) {
    throw new ApiError('InvalidNexthopTypeAndList.BothNull', 'A next hop must be given.')
  }
  const route = newRoute(parameters, parameters.required('RouteTableId'), SINGLE)
  return { RouteEntryId: cloud.routes.create(route, dryRun(parameters)).id }
}

function createAll(cloud: Cloud, parameters: Parameters): Answer {
  const items = batch(parameters)
  const routes = items.map((item) => {
    const table = item.optional('RouteTableId') ?? ''
    if (table === '') throw new ApiError('MissingParam.RouteTableId', 'An entry has no RouteTableId.')
    const route = newRoute(item, table, BATCH)
    checkIpVersion(item, route.destination)
    return route
  })
  const outcomes = cloud.routes.createAll(routes, dryRun(parameters))
  const created = outcomes.flatMap((outcome) => (outcome instanceof ApiError ? [] : [outcome.id]))
  const failed = failuresJson(outcomes, items, ['DstCidrBlock', 'NextHop'])
  return {
    SuccessCount: created.length,
    FailedCount: failed.length,
    // Plain arrays, unlike everywhere else.
    RouteEntryIds: created,
    FailedRouteEntries: failed,
  }
}

function remove(cloud: Cloud, parameters: Parameters): Answer {
  if (parameters.has('RouteEntryId') && (parameters.has('RouteTableId') || parameters.has('DestinationCidrBlock'))) {
    const code = 'ParamExclusive.RouteEntryIdAndRouteTableIdOrDestCidrBlock'
    throw new ApiError(code, 'RouteEntryId excludes RouteTableId and DestinationCidrBlock.')
  }
  cloud.routes.remove(selector(parameters, SINGLE), dryRun(parameters))
  return {}
}

function removeAll(cloud: Cloud, parameters: Parameters): Answer {
  const items = batch(parameters)
  const selectors = items.map((item) => selector(item, BATCH))
  const outcomes = cloud.routes.removeAll(selectors, dryRun(parameters))
  const failed = failuresJson(outcomes, items, ['RouteEntryId', 'DstCidrBlock', 'NextHop'])
  return { SuccessCount: outcomes.length - failed.length, FailedCount: failed.length, FailedRouteEntries: failed }
}

function describe(cloud: Cloud, parameters: Parameters): Answer {
  const table = parameters.required('RouteTableId') as RouteTableId
  const all = [...cloud.routes.systemRoutes(table), ...cloud.routes.entries().filter((e) => e.routeTable === table)]
  const found = all.filter(matching(parameters)).sort((a, b) => (a.id < b.id ? -1 : 1))
  const { items, nextToken } = pageByToken(found, parameters, PAGE)
  const entries = items.map((entry) => entryJson(cloud, entry))
  return { RouteEntrys: { RouteEntry: entries }, NextToken: nextToken, TotalCount: found.length }
}

function matching(parameters: Parameters): (entry: RouteEntry | SystemRoute) => boolean {
  choice(parameters, 'RouteEntryType', {
    values: ['Custom', 'System', 'BGP', 'CEN', 'ECR'],
    code: 'IllegalParam.RouteEntryType',
  })
  choice(parameters, 'IpVersion', { values: ['IPv4', 'IPv6'], code: 'IllegalParam.IpVersion' })
  const one = parameters.optional('DestinationCidrBlock') ?? ''
  const some = parameters.list('DestCidrBlockList', MAX_DESTINATIONS).map(parseDestination)
  const destination = one === '' ? undefined : parseDestination(one)
  const equal = equalTo<RouteEntry | SystemRoute>(parameters, {
    RouteEntryId: ({ id }) => id,
    RouteEntryName: (entry) => ('name' in entry ? entry.name : ''),
    RouteEntryType: typeOf,
    IpVersion: ipVersionOf,
    NextHopId: (entry) => hopOf(entry).NextHopId,
    NextHopType: (entry) => hopOf(entry).NextHopType,
    ServiceType: () => '',
  })
  return (entry) =>
    equal(entry) &&
    (destination === undefined || entry.destination === destination) &&
    (some.length === 0 || some.includes(entry.destination))
}

function entryJson({ startedAt }: Cloud, entry: RouteEntry | SystemRoute): Json {
  const custom = 'nextHop' in entry
  return {
    RouteEntryId: entry.id,
    RouteEntryName: custom ? entry.name : '',
    RouteTableId: entry.routeTable,
    DestinationCidrBlock: entry.destination,
    IpVersion: ipVersionOf(entry),
    Status: custom ? entry.state : 'Available',
    Type: typeOf(entry),
    Description: custom ? entry.description : '',
    Origin: custom ? 'CustomCreate' : 'SystemCreate',
    ServiceType: '',
    GmtModified: timeJson(custom ? entry.changedAt : startedAt),
    NextHops: { NextHop: [{ ...hopOf(entry), NextHopRelatedInfo: {} }] },
  }
}

function typeOf(entry: RouteEntry | SystemRoute): 'Custom' | 'System' {
  return 'nextHop' in entry ? 'Custom' : 'System'
}

function ipVersionOf({ destination }: RouteEntry | SystemRoute): 'IPv4' | 'IPv6' {
  return familyOf(destination) === 'ipv4' ? 'IPv4' : 'IPv6'
}

function hopOf(entry: RouteEntry | SystemRoute): { readonly NextHopId: string; readonly NextHopType: string } {
  if (!('nextHop' in entry)) return { NextHopId: '', NextHopType: entry.nextHopType }
  const type = 'instanceId' in entry.nextHop ? 'Instance' : 'NetworkInterface'
  return { NextHopId: nextHopId(entry.nextHop), NextHopType: type }
}

function batch(parameters: Parameters): readonly Parameters[] {
  const items = parameters.records('RouteEntries', MAX_BATCH)
  if (items.length > 0) return items
  throw new ApiError('MissingParameter', 'The parameter "RouteEntries" is mandatory and was not given.')
}

function newRoute(parameters: Parameters, table: string, names: Names): NewRoute {
  return {
    routeTable: table as RouteTableId,
    destination: parseDestination(parameters.required(names.destination)),
    nextHop: parseNextHop(parameters, names),
    name: label(parameters, names.name, 128),
    description: label(parameters, 'Description', 256),
  }
}

function parseNextHop(parameters: Parameters, names: Names): NextHop {
  const type = choice(parameters, 'NextHopType', { values: NEXT_HOP_TYPES, code: 'InvalidNextHopType' })
  const id = parameters.required(names.nextHop)
  if (type === undefined || type === 'Instance') return { instanceId: id as InstanceId }
  if (type === 'NetworkInterface') return { eniId: id as EniId }
  throw new ApiError('UnsupportedParameter', `The simulator does not support the NextHopType ${type}.`)
}

/** By its id, or by all the rest; what is given must fit in any case. */
function selector(parameters: Parameters, names: Names): RouteSelector {
  const id = parameters.optional('RouteEntryId') ?? ''
  const read = (name: string) => (id === '' ? parameters.required(name) : (parameters.optional(name) ?? ''))
  const table = read('RouteTableId')
  const destination = read(names.destination)
  const hop = read(names.nextHop)
  return {
    ...(id === '' ? {} : { id: id as RouteEntryId }),
    ...(table === '' ? {} : { routeTable: table as RouteTableId }),
    ...(destination === '' ? {} : { destination: parseDestination(destination) }),
    ...(hop === '' ? {} : { nextHopId: hop }),
  }
}

/** A bare address stands for itself. @throws ApiError when it is no prefix, or has bits beyond its length. */
function parseDestination(text: string): Cidr {
  try {
    const [, address = '', length] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? []
    const ip = parseIp(address)
    const cidr = length === undefined ? hostCidr(ip) : cidrOf(ip, Number(length))
    if (splitCidr(cidr).network === ip) return cidr
  } catch (error) {
    if (!(error instanceof AddressError)) throw error // the other ones mean what the end of this function says
  }
  throw new ApiError('InvalidCidrBlock.Malformed', `${JSON.stringify(text)} is not a prefix like 10.0.0.0/24.`)
}

/** CreateRouteEntry documentation, RouteEntryName and Description. */
function label(parameters: Parameters, name: string, max: number): string {
  const text = parameters.text(name, { min: 1, max })
  if (!/^https?:\/\//.test(text)) return text
  throw new ApiError('InvalidParameter', `The parameter ${name} must not be a link.`)
}

function checkIpVersion(item: Parameters, destination: Cidr): void {
  const version = item.integer('IpVersion', { min: 4, max: 6 })
  if (version === undefined || version === (familyOf(destination) === 'ipv4' ? 4 : 6)) return
  throw new ApiError('InvalidParameter', `${destination} is not of the IpVersion ${version}.`)
}

function dryRun(parameters: Parameters): { readonly dryRun: boolean } {
  return { dryRun: parameters.boolean('DryRun') ?? false }
}

/** `echoed`: the parameters of an item that the answer repeats. */
function failuresJson(outcomes: RouteOutcomes, items: readonly Parameters[], echoed: readonly string[]): Answer[] {
  return outcomes.flatMap((outcome, index): Answer[] => {
    if (!(outcome instanceof ApiError)) return []
    const item = Object.fromEntries(echoed.map((name) => [name, items[index]?.optional(name) ?? '']))
    return [{ ...item, FailedCode: BATCH_CODES[outcome.code] ?? outcome.code, FailedMessage: outcome.message }]
  })
}

const common = { version: VPC } as const

export const ROUTE_ENTRY_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeRouteEntryList: { ...common, regionId: 'required', parameters: DESCRIBE, handle: describe },
  CreateRouteEntry: { ...common, regionId: 'optional', parameters: CREATE, handle: create },
  DeleteRouteEntry: { ...common, regionId: 'optional', parameters: DELETE, handle: remove },
  CreateRouteEntries: { ...common, regionId: 'required', parameters: CREATE_ALL, handle: createAll },
  DeleteRouteEntries: { ...common, regionId: 'required', parameters: DELETE_ALL, handle: removeAll },
}
