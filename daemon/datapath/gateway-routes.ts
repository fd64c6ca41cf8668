/** Routes by a gateway. */
import { type Cidr, familyOf, hostCidr, type Ip } from '../../inet/address.ts'
import type { DeviceRef, RouteSpec } from '../../netlink/plan.ts'
import { DEFAULT_ROUTES, isLinkLocalGateway } from './constants.ts'

export interface Way {
  readonly device: DeviceRef
  readonly gateway: Ip
  readonly table: number
}

/** The gateway is on the link, whatever the addresses say. */
export function routeVia({ device, gateway, table }: Way, destination: Cidr): RouteSpec {
  return { device, destination, gateway, onlink: true, table, scope: 'global' }
}

/**
 * The default route of a table that is a link's own.
 *
 * An IPv6 gateway is looked up in the main table even when it is said to be on the link, and refused where another link
 * leads to it (ip6_route_check_nh_onlink of net/ipv6/route.c), as when two ENIs are in one vSwitch. Without `onlink` it
 * is looked up in the route's own table first, so that gets a route to it.
 */
export function ownDefaultRoutes(way: Way): RouteSpec[] {
  const { device, gateway, table } = way
  const family = familyOf(gateway)
  if (family === 'ipv4' || isLinkLocalGateway(gateway)) return [routeVia(way, DEFAULT_ROUTES[family])]
  return [
    { device, destination: hostCidr(gateway), table, scope: 'link' },
    { device, destination: DEFAULT_ROUTES[family], gateway, table, scope: 'global' },
  ]
}
