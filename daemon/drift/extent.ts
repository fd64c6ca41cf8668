/** Which part of a plan is compared and made again, and why no more: what is done in a pod costs ten times as much. */
import { type LinkSpec, type NetworkPlan, networkPlan } from '../../netlink/plan.ts'

/**
 * - `marks`: source marks, when nftables have changed
 * - `host`: what the kernel tells of besides links: it can be compared, and made again, without the pod
 * - `node`: all that needs nothing of the pod: that, the marks, and of links on the host what can be set on this end
 * - `whole`: links with their ends in the pod, and what the kernel tells nothing of, like sysctls
 */
export type Extent = 'marks' | 'host' | 'node' | 'whole'

export function partOf(plan: NetworkPlan, extent: Extent): NetworkPlan {
  switch (extent) {
    case 'whole':
      return plan
    case 'marks':
      return networkPlan({ marks: plan.marks })
    case 'host':
      return networkPlan(hostObjects(plan))
    case 'node':
      return networkPlan({ ...hostObjects(plan), marks: plan.marks, links: plan.links.flatMap(hostLink) })
  }
}

/** What has to be compared when one reason for a look calls for this and another for that. */
export function widest(one: Extent, other: Extent): Extent {
  if (one === other) return one
  return one === 'whole' || other === 'whole' ? 'whole' : 'node'
}

function hostObjects(plan: NetworkPlan): Partial<NetworkPlan> {
  const isHere = ({ device }: { readonly device: { readonly netns: string } }) => device.netns === 'host'
  return {
    addresses: plan.addresses.filter(isHere),
    neighbours: plan.neighbours.filter(isHere),
    routes: plan.routes.filter(isHere),
    rules: plan.rules.filter(({ netns }) => netns === 'host'),
    qdiscs: plan.qdiscs.filter(isHere),
    filters: plan.filters.filter(isHere),
  }
}

function hostLink(link: LinkSpec): LinkSpec[] {
  if (link.netns !== 'host') return []
  if (link.kind !== 'veth') return [link]
  const { netns, name, ifindex, mtu } = link
  return [{ kind: 'existing', netns, name, ifindex, mtu }]
}
