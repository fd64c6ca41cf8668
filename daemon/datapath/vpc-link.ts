/** The part that interfaces have in common which are links to the VPC themselves. */
import { bitsOf, type Ip } from '../../inet/address.ts'
import { type AddressSpec, joinPlans, type LinkSpec, type NetworkPlan, networkPlan } from '../../netlink/plan.ts'
import type { Attachment, HostFacts } from './attachment.ts'
import { planBandwidth } from './bandwidth.ts'
import { ofFamilies } from './constants.ts'
import { podDevice } from './devices.ts'
import { hostPeerRoutes, planHostPeer } from './host-peer.ts'
import { linkSysctls } from './link-sysctls.ts'
import { planPodNamespace, planPodRouting } from './pod-routing.ts'

/** The VPC's router is the gateway, and the second veth leads to the node. */
export function planVpcLink(attachment: Attachment, host: HostFacts, link: LinkSpec): NetworkPlan {
  const device = podDevice(attachment)
  const addresses = ofFamilies<Ip>(attachment.addresses).map(
    ({ family, value }): AddressSpec => ({
      ...{ device, address: value, prefixLength: bitsOf(family), scope: 'global' },
    }),
  )
  const sysctls = linkSysctls(device, attachment.addresses.ipv6 !== undefined)
  return joinPlans([
    planPodNamespace(attachment),
    networkPlan({ links: [link], sysctls, addresses }),
    planHostPeer(attachment),
    planPodRouting(attachment, hostPeerRoutes(attachment, host)),
    planBandwidth(attachment),
  ])
}
