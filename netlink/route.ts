/** Routes. */
import {
  type Cidr,
  cidrOf,
  type Family,
  familyOf,
  type Ip,
  ipFromBytes,
  ipToBytes,
  splitCidr,
} from '../inet/address.ts'
import { decodeAttributes, encode, formatRouteMessage, MessageType, readU32 } from './codec.ts'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import { familyFromNumber, familyNumber } from './family.ts'
import { type Message, NLM_F_CREATE, NLM_F_REPLACE, type Request } from './message.ts'
import { RT_TABLE_MAIN, type Scope } from './plan.ts'
import { formatScope, SCOPE_NUMBERS } from './scope.ts'
import type { Dumper } from './socket.ts'

/** linux/rtnetlink.h */
const RTA_DST = 1
const RTA_SRC = 2
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RTA_PRIORITY = 6
const RTA_PREFSRC = 7
const RTA_TABLE = 15
const RTNH_F_ONLINK = 0x4
const RTPROT_BOOT = 3
const RT_SCOPE_NOWHERE = 255
/** `enum` of RTN_… */
const ROUTE_TYPES = ['unspec', 'unicast', 'local', 'broadcast', 'anycast', 'multicast', 'blackhole', 'unreachable']
const HEADER = 12

export interface RouteAddition {
  readonly destination: Cidr
  readonly ifindex: number
  readonly gateway?: Ip
  /** RTNH_F_ONLINK: the gateway needs no route of its own. */
  readonly onlink?: boolean
  /** RT_TABLE_MAIN when absent. */
  readonly table?: number
  /** `global` when absent. Without meaning for IPv6. */
  readonly scope?: Scope
  /** Metric; 0 is lowest for IPv4, the kernel makes it 1024 for IPv6. */
  readonly priority?: number
  /** Source address of packets that the host itself sends by this route. */
  readonly preferredSource?: Ip
  /** `unicast` when absent. `blackhole` drops packets: it has no gateway, and no device that means anything. */
  readonly type?: RouteType
}

export type RouteType = 'unicast' | 'blackhole'

/** What identifies a route for deletion; the fewer fields, the more it matches (the kernel deletes one). */
export interface RouteKey {
  readonly destination: Cidr
  readonly table?: number
  readonly ifindex?: number
  readonly gateway?: Ip
  readonly type?: RouteType
}

/** A route of the kernel. */
export interface Route {
  readonly family: Family
  readonly destination: Cidr
  readonly table: number
  /** `unicast`, `local`, `blackhole`, …, or a number. */
  readonly type: string
  readonly scope: string
  /** RTPROT_…: 2 made by the kernel, 3 and 4 by a program or an administrator. */
  readonly protocol: number
  readonly onlink: boolean
  /** Absent for multipath routes and for types that lead nowhere. */
  readonly ifindex?: number
  readonly gateway?: Ip
  readonly priority?: number
  readonly preferredSource?: Ip
  readonly source?: Cidr
}

interface Selector extends RouteKey {
  readonly scope?: number
  readonly protocol?: number
  readonly onlink?: boolean
  readonly priority?: number
  readonly preferredSource?: Ip
}

const bytesOf = (ip: Ip): Buffer => Buffer.from(ipToBytes(ip))

/** IPv4 refuses a device on a blackhole; IPv6 gives it `lo`, by which it is told from a route that leads somewhere. */
function leadsNowhere({ type, destination }: Selector): boolean {
  return type === 'blackhole' && familyOf(destination) === 'ipv4'
}

function payload(route: Selector): Buffer {
  const { network, length } = splitCidr(route.destination)
  const data = {
    family: familyNumber(familyOf(network)),
    dstLen: length,
    scope: route.scope ?? 0,
    protocol: route.protocol ?? 0,
    type: route.type === undefined ? 0 : ROUTE_TYPES.indexOf(route.type),
    // The package knows no RTNH_F_… names in this field.
    ...(route.onlink === true ? { flags: { __unknown: RTNH_F_ONLINK } } : {}),
  }
  const attrs = {
    ...(length === 0 ? {} : { dst: bytesOf(network) }),
    ...(route.ifindex === undefined || leadsNowhere(route) ? {} : { oif: route.ifindex }),
    ...(route.gateway === undefined ? {} : { gateway: bytesOf(route.gateway) }),
    ...(route.priority === undefined ? {} : { priority: route.priority }),
    ...(route.preferredSource === undefined ? {} : { prefsrc: bytesOf(route.preferredSource) }),
    // The header's field holds one byte; tables of ENIs begin at 1000.
    table: route.table ?? RT_TABLE_MAIN,
  }
  return encode((out) => formatRouteMessage({ kind: 'route', data, attrs }, out))
}

/** As iproute2 writes it; `device` is a name, or the index where no name is known. */
export function describeRoute(
  route: Pick<Route, 'destination'> & Partial<Pick<Route, 'type' | 'gateway' | 'table' | 'preferredSource' | 'onlink'>>,
  device?: string | number,
): string {
  const { network, length } = splitCidr(route.destination)
  const { type = 'unicast' } = route
  const words: string[] = [length === 0 ? `default (${familyOf(network)})` : route.destination]
  if (type !== 'unicast') words.unshift(type)
  if (route.gateway !== undefined) words.push('via', route.gateway)
  if (device !== undefined && type !== 'blackhole') words.push('dev', String(device))
  words.push('table', String(route.table ?? RT_TABLE_MAIN))
  if (route.preferredSource !== undefined) words.push('src', route.preferredSource)
  if (route.onlink === true) words.push('onlink')
  return words.join(' ')
}

/** Replaces a route of the same destination, table and metric. ENODEV, ENETDOWN, or ENETUNREACH for a bad gateway. */
export function addRoute(route: RouteAddition): Request {
  const { scope = 'global', type = 'unicast', ...rest } = route
  return {
    type: MessageType.NEWROUTE,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    payload: payload({ ...rest, scope: SCOPE_NUMBERS[scope], protocol: RTPROT_BOOT, type }),
    text: `add route ${describeRoute(route, route.ifindex)}`,
  }
}

/** ESRCH when there is no such route. */
export function deleteRoute(key: RouteKey): Request {
  const { destination, table, ifindex, gateway, type } = key
  const selector = {
    ...{ destination, scope: RT_SCOPE_NOWHERE },
    ...(table === undefined ? {} : { table }),
    ...(ifindex === undefined ? {} : { ifindex }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(type === undefined ? {} : { type }),
  }
  return {
    type: MessageType.DELROUTE,
    flags: 0,
    payload: payload(selector),
    text: `delete route ${describeRoute(key, key.ifindex)}`,
  }
}

export interface RouteFilter {
  readonly family: Family
  /** All tables when absent, `local` (255) included. */
  readonly table?: number
}

/** @throws NetlinkError. A table that does not exist has no routes. */
export function listRoutes(socket: Dumper, { family, table }: RouteFilter): Route[] {
  const attrs = table === undefined ? {} : { table }
  const data = { family: familyNumber(family) }
  const request: Request = {
    type: MessageType.GETROUTE,
    flags: 0,
    payload: encode((out) => formatRouteMessage({ kind: 'route', data, attrs }, out)),
    text: `list ${family} routes${table === undefined ? '' : ` of table ${table}`}`,
  }
  try {
    const routes = socket.dump(request).flatMap((message) => parseRoute(message) ?? [])
    // Kernels before 4.20 list all tables.
    return table === undefined ? routes : routes.filter((route) => route.table === table)
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === Errno.ENOENT && table !== undefined) return []
    throw error
  }
}

/** Decodes RTM_NEWROUTE or RTM_DELROUTE; `undefined` for families other than IPv4 and IPv6. */
export function parseRoute({ payload: bytes }: Message): Route | undefined {
  const family = familyFromNumber(bytes.readUInt8(0))
  if (family === undefined) return undefined
  const attributes = decodeAttributes(bytes.subarray(HEADER))
  const ip = (type: number) => {
    const value = attributes.get(type)
    return value === undefined ? undefined : ipFromBytes(value)
  }
  const number = (type: number) => {
    const value = attributes.get(type)
    return value === undefined ? undefined : readU32(value)
  }
  const any = ipFromBytes(Buffer.alloc(family === 'ipv4' ? 4 : 16))
  const [ifindex, gateway, priority] = [number(RTA_OIF), ip(RTA_GATEWAY), number(RTA_PRIORITY)]
  const [preferredSource, source] = [ip(RTA_PREFSRC), ip(RTA_SRC)]
  const type = bytes.readUInt8(7)
  return {
    family,
    destination: cidrOf(ip(RTA_DST) ?? any, bytes.readUInt8(1)),
    table: number(RTA_TABLE) ?? bytes.readUInt8(4),
    type: ROUTE_TYPES[type] ?? String(type),
    scope: formatScope(bytes.readUInt8(6)),
    protocol: bytes.readUInt8(5),
    onlink: (readU32(bytes, 8) & RTNH_F_ONLINK) !== 0,
    ...(ifindex === undefined ? {} : { ifindex }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(priority === undefined ? {} : { priority }),
    ...(preferredSource === undefined ? {} : { preferredSource }),
    ...(source === undefined ? {} : { source: cidrOf(source, bytes.readUInt8(2)) }),
  }
}
