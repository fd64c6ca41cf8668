/** The ENIs and routes of a moment, as a value: who has which address, and which sessions end with a change. */
import { isDeepStrictEqual } from 'node:util'
import type { Ip } from '../../inet/address.ts'
import type { EniId, RouteTableId } from '../region/ids.ts'
import type { VSwitch } from '../region/region.ts'
import type { FabricRoute, Plug } from './plug.ts'
import { Prefixes } from './prefixes.ts'
import { ownCidrs, routesThrough } from './routes.ts'

export interface NetworkOptions {
  readonly vSwitches: readonly Pick<VSwitch, 'cidr' | 'ipv6'>[]
  readonly plugs: ReadonlyMap<EniId, Plug>
  readonly routes: readonly FabricRoute[]
}

export class Network {
  readonly plugs: ReadonlyMap<EniId, Plug>
  readonly routes: readonly FabricRoute[]
  /** Those that lead somewhere. */
  readonly routesInForce: readonly FabricRoute[]
  readonly #options: NetworkOptions
  /** What is in a vSwitch has the ENI it is assigned to, or none. */
  readonly #assigned = new Prefixes<readonly EniId[]>()
  readonly #routed = new Map<RouteTableId, Prefixes<EniId>>()

  constructor(options: NetworkOptions) {
    const { vSwitches, plugs, routes } = options
    this.#options = options
    this.plugs = plugs
    this.routes = routes
    for (const { cidr, ipv6 } of vSwitches) {
      this.#assigned.set(cidr, [])
      if (ipv6 !== undefined) this.#assigned.set(ipv6.cidr, [])
    }
    for (const plug of plugs.values()) for (const cidr of ownCidrs(plug)) this.#assigned.set(cidr, [plug.eniId])
    this.routesInForce = routes.filter(({ eni, destination }) => {
      const plug = plugs.get(eni)
      return plug !== undefined && routesThrough(plug, destination)
    })
    for (const { routeTable, destination, eni } of this.routesInForce) this.#tableOf(routeTable).set(destination, eni)
  }

  /** What differs afterwards. */
  with(change: Partial<Pick<NetworkOptions, 'plugs' | 'routes'>>): Network {
    return new Network({ ...this.#options, ...change })
  }

  /** The ENIs that packets to the address go to; there can be one for each route table. */
  ownersOf(ip: Ip): readonly EniId[] {
    return this.#assigned.of(ip) ?? [...this.#routed.values()].flatMap((table) => table.of(ip) ?? [])
  }

  #tableOf(routeTable: RouteTableId): Prefixes<EniId> {
    const table = this.#routed.get(routeTable) ?? new Prefixes<EniId>()
    this.#routed.set(routeTable, table)
    return table
  }
}

/**
 * Whose sessions end by the change: those of an address that leaves its ENI, lest they be the next owner's, and those of
 * an ENI that is in other security groups now, because these are for running sessions as well. `undefined` when there
 * cannot be any.
 */
export function endedBy(before: Network, after: Network): ((ip: Ip) => boolean) | undefined {
  const plugs = [...before.plugs.values()]
  const changed = plugs.filter((plug) => !keepsAll(plug, after.plugs.get(plug.eniId)))
  if (changed.length === 0 && isDeepStrictEqual(before.routesInForce, after.routesInForce)) return undefined
  const regrouped = new Set(
    changed.flatMap((plug) => (hasGroupsOf(plug, after.plugs.get(plug.eniId)) ? [] : plug.eniId)),
  )
  const isEnded = (ip: Ip) => {
    const owners = after.ownersOf(ip)
    return before.ownersOf(ip).some((eni) => regrouped.has(eni) || !owners.includes(eni))
  }
  // Of many sessions, since there are fewer addresses.
  const known = new Map<Ip, boolean>()
  return (ip) => {
    const answer = known.get(ip) ?? isEnded(ip)
    known.set(ip, answer)
    return answer
  }
}

function keepsAll(plug: Plug, later: Plug | undefined): boolean {
  if (later === undefined || !hasGroupsOf(plug, later)) return false
  const left = new Set(ownCidrs(later))
  return ownCidrs(plug).every((cidr) => left.has(cidr))
}

function hasGroupsOf({ securityGroupIds }: Plug, later: Plug | undefined): boolean {
  return isDeepStrictEqual(securityGroupIds.toSorted(), later?.securityGroupIds.toSorted())
}
