/**
 * The second veth of a pod whose interface is not on the node: by it the pod reaches the node, services, and whatever
 * else `host_stack_cidrs` names, and the node reaches the pod. Both interfaces have the pod's address.
 */
import { type Cidr, familyOf, hostCidr, type Ip } from '../../inet/address.ts'
import { joinPlans, type NetworkPlan, networkPlan, type RouteSpec, RT_TABLE_MAIN } from '../../netlink/plan.ts'
import type { Attachment, HostFacts } from './attachment.ts'
import { HOST_PEER, LINK_LOCAL_GATEWAYS, ofFamilies } from './constants.ts'
import { routeVia } from './gateway-routes.ts'
import { hostEnd, planVeth, routesToPod } from './veth.ts'

/** Other datapaths have no use for it. */
export function hasHostPeer({ datapath, hostPeer }: Attachment): boolean {
  return hostPeer && (datapath === 'exclusive' || datapath === 'vlan')
}

const endOf = ({ indexes }: Attachment) => ({ name: HOST_PEER, ifindex: indexes.peer })

/** What the pod reaches by it, of its families, each once. */
function hostStackOf({ addresses, hostStackCidrs }: Attachment, host: HostFacts): Cidr[] {
  const node = ofFamilies<Ip>(host.addresses).map(({ value }) => hostCidr(value))
  const all = new Set([...host.serviceCidrs, ...hostStackCidrs, ...node])
  return [...all].filter((cidr) => addresses[familyOf(cidr)] !== undefined)
}

/** The pod's routes by it, in the main table. None when the pod has no such veth. */
export function hostPeerRoutes(attachment: Attachment, host: HostFacts): RouteSpec[] {
  if (!hasHostPeer(attachment)) return []
  const device = { netns: 'pod', ...endOf(attachment) } as const
  return hostStackOf(attachment, host).map((cidr) =>
    routeVia({ device, gateway: LINK_LOCAL_GATEWAYS[familyOf(cidr)], table: RT_TABLE_MAIN }, cidr),
  )
}

/**
 * The veth and the node's route to the pod. It is in the main table, where the node's own packets find it: those of
 * other pods must go through the VPC, or they would pass the security groups of the pod's ENI by, and its answers, which
 * leave by the ENI, would be answers to nothing there.
 */
export function planHostPeer(attachment: Attachment): NetworkPlan {
  if (!hasHostPeer(attachment)) return networkPlan({})
  const end = endOf(attachment)
  const routes = routesToPod(attachment, hostEnd(attachment), RT_TABLE_MAIN)
  return joinPlans([planVeth(attachment, end), networkPlan({ routes })])
}
