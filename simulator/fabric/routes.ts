/**
 * What the VPC's router knows of the ways to ENIs, as a value.
 *
 * The main table holds what every vSwitch sees: the addresses and prefixes of the ENIs, and a black hole for whatever
 * else is in a vSwitch. After it comes a table for each route table of the VPC, chosen by the mark that a packet got
 * from its vSwitch; a packet without one goes to the system table.
 */
import { type Cidr, familyOf, hostCidr } from '../../inet/address.ts'
import type { EniId, RouteTableId, VSwitchId } from '../region/ids.ts'
import type { RouteTable, VSwitch } from '../region/region.ts'
import { type FabricRoute, linkLocalOf, type Plug } from './plug.ts'

/** A way to an ENI: where to, in which table, and how. */
export interface Way {
  readonly eni: EniId
  /** As `ip route` writes it. */
  readonly via: string
}
/** By destination and table, as `ip route del` takes them. */
export type Ways = ReadonlyMap<string, Way>

/** Where the VPC's tables begin; the kernel's own end at 255. */
const FIRST_TABLE = 1000
/** `ip rule`: the main table has 32766, the mark comes after it and the system table last. */
const MARK_PRIORITY = 40_000
const SYSTEM_PRIORITY = 50_000
/** Higher than that of any way, which may be for the same prefix: 0 for IPv4, 1024 for IPv6. */
const LAST_METRIC = 65_535
/** Addresses of the cloud's services; those that exist are the router's own. */
const SERVICES = '100.64.0.0/10'

/** Numbers of the kernel's tables, which are also the marks. */
export type TableNumbers = ReadonlyMap<RouteTableId, number>

export function tableNumbers(tables: readonly RouteTable[]): TableNumbers {
  return new Map(tables.map((table, index) => [table.id, FIRST_TABLE + index]))
}

/** The table of each vSwitch that does not use the system table. */
export function marksOf(tables: readonly RouteTable[]): ReadonlyMap<VSwitchId, number> {
  const numbers = tableNumbers(tables)
  return new Map(
    tables.flatMap(({ id, type, vSwitches }) =>
      type === 'System' ? [] : vSwitches.map((vSwitch) => [vSwitch, numbers.get(id) ?? FIRST_TABLE] as const),
    ),
  )
}

/** For both families: which table comes after the main one, and that a table's end is the packet's. */
export function tableCommands(tables: readonly RouteTable[]): { readonly rules: string[]; readonly routes: string[] } {
  const numbered = tables.map((table) => ({ type: table.type, number: tableNumbers(tables).get(table.id) }))
  return {
    rules: numbered.map(({ type, number }) =>
      type === 'System'
        ? `rule add priority ${SYSTEM_PRIORITY} lookup ${number}`
        : `rule add priority ${MARK_PRIORITY} fwmark ${number} lookup ${number}`,
    ),
    routes: numbered.map(({ number }) => `route add blackhole default table ${number} metric ${LAST_METRIC}`),
  }
}

/** No route entry leads out of a vSwitch, or to the cloud's services. */
export function localCommands(vSwitches: readonly Pick<VSwitch, 'cidr' | 'ipv6'>[]): string[] {
  const cidrs = vSwitches.flatMap(({ cidr, ipv6 }) => (ipv6 === undefined ? [cidr] : [cidr, ipv6.cidr]))
  return [SERVICES, ...cidrs].map((cidr) => `route add blackhole ${cidr} metric ${LAST_METRIC}`)
}

export interface WaysOptions {
  readonly routes: readonly FabricRoute[]
  readonly tables: TableNumbers
  /** Bytes. */
  readonly mtu: number
}

export function waysTo(plugs: Iterable<Plug>, { routes, tables, mtu }: WaysOptions): Ways {
  const ways = new Map<string, Way>()
  const byEni = new Map<EniId, Plug>()
  const add = (plug: Plug, destination: Cidr, table: number | 'main') => {
    const via = `${nextHop(plug, destination)} dev ${plug.eniId} mtu lock ${mtu}`
    ways.set(`${destination} table ${table}`, { eni: plug.eniId, via })
  }
  for (const plug of plugs) {
    byEni.set(plug.eniId, plug)
    for (const own of ownCidrs(plug)) add(plug, own, 'main')
  }
  for (const { destination, routeTable, eni } of routes) {
    const plug = byEni.get(eni)
    const table = tables.get(routeTable)
    if (plug !== undefined && table !== undefined && routesThrough(plug, destination)) add(plug, destination, table)
  }
  return ways
}

/** What is assigned to the ENI. */
export function ownCidrs({ ips, ipv6s, ipv4Prefixes, ipv6Prefixes }: Plug): readonly Cidr[] {
  return [...[...ips, ...ipv6s].map(hostCidr), ...ipv4Prefixes, ...ipv6Prefixes]
}

/** Whether a route entry for the destination may lead to the ENI. */
export function routesThrough(plug: Plug, destination: Cidr): boolean {
  return !plug.sourceDestCheck && (familyOf(destination) === 'ipv4' || plug.vSwitch.ipv6 !== undefined)
}

/** One of the two neighbours that the router has for every ENI; the primary address is its own. */
function nextHop({ ips: [primary], mac }: Plug, destination: Cidr): string {
  if (familyOf(destination) === 'ipv6') return `via ${linkLocalOf(mac)}`
  return destination === `${primary}/32` ? 'scope link' : `via ${primary} onlink`
}

/** From one set of ways to another: what is gone first. */
export function wayCommands(from: Ways, to: Ways): string[] {
  const gone = [...from.keys()].filter((key) => !to.has(key))
  const fresh = [...to].filter(([key, way]) => from.get(key)?.via !== way.via)
  return [...gone.map((key) => `route del ${key}`), ...fresh.map(([key, { via }]) => `route replace ${key} ${via}`)]
}
