/** Routes and rules of an interface inside its pod. */
import { familyOf, hostCidr, type Ip } from '../../inet/address.ts'
import { type NetworkPlan, networkPlan, type RouteSpec, RT_TABLE_MAIN } from '../../netlink/plan.ts'
import type { Attachment } from './attachment.ts'
import { DEFAULT_ROUTES, LOOPBACK, LOOPBACK_INDEX, ofFamilies, TO_POD_PRIORITY, tableOf } from './constants.ts'
import { gatewayOf, gatewaysOf, podDevice } from './devices.ts'
import { ownDefaultRoutes, routeVia } from './gateway-routes.ts'
import { podSysctls } from './link-sysctls.ts'

/** Its namespace: `lo` is up, IPv6 on where the pod has it. */
export function planPodNamespace({ netns, addresses }: Attachment): NetworkPlan {
  return networkPlan({
    podNetns: netns,
    links: [{ kind: 'existing', netns: 'pod', name: LOOPBACK, ifindex: LOOPBACK_INDEX }],
    sysctls: podSysctls(addresses.ipv6 !== undefined),
  })
}

/**
 * The default route when the pod's is here, the extra routes, and what a pod with several interfaces needs besides.
 * `past`: routes of the main table past the gateway; one that is a default route takes the place of the gateway's.
 */
export function planPodRouting(attachment: Attachment, past: readonly RouteSpec[] = []): NetworkPlan {
  const device = podDevice(attachment)
  const gateways = gatewaysOf(attachment)
  const replaced = new Set(past.map(({ destination }) => destination))
  const via = (table: number) =>
    ofFamilies<Ip>(attachment.addresses)
      .filter(({ family }) => !replaced.has(DEFAULT_ROUTES[family]))
      .map(({ family }) => ({ device, gateway: gatewayOf(gateways, family), table }))
  const defaults = attachment.defaultRoute
    ? via(RT_TABLE_MAIN).map((way) => routeVia(way, DEFAULT_ROUTES[familyOf(way.gateway)]))
    : []
  const extra = attachment.extraRoutes.map((destination) =>
    routeVia({ device, gateway: gatewayOf(gateways, familyOf(destination)), table: RT_TABLE_MAIN }, destination),
  )
  const main = [...defaults, ...extra, ...past]
  if (!attachment.sourceRouting) return networkPlan({ routes: main })
  const table = tableOf(attachment.indexes.link)
  // Its rules come before the main table, so what leads past the gateway has to be here too.
  const own = [...via(table).flatMap(ownDefaultRoutes), ...past.map((route) => ({ ...route, table }))]
  return networkPlan({ routes: [...main, ...own], rules: sourceRules(attachment, table) })
}

/** What comes from the interface's address, or from a socket that is bound to it, leaves by it. */
function sourceRules({ addresses, ifname }: Attachment, table: number): NetworkPlan['rules'] {
  return ofFamilies<Ip>(addresses).flatMap(({ family, value }) => {
    const rule = { netns: 'pod', family, priority: TO_POD_PRIORITY, table } as const
    return [
      { ...rule, source: hostCidr(value) },
      { ...rule, outputDevice: ifname },
    ]
  })
}
