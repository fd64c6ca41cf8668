/** A veth between a pod and the node: the pair, the pod's address on it, and two ends that know each other. */
import { bitsOf, hostCidr, type Ip } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import { type DeviceRef, type NetworkPlan, networkPlan, type RouteSpec } from '../../netlink/plan.ts'
import type { Attachment } from './attachment.ts'
import { LINK_LOCAL_GATEWAYS, ofFamilies } from './constants.ts'
import { passesNode } from './devices.ts'
import { linkSysctls } from './link-sysctls.ts'
import { podMacs } from './macs.ts'

export interface PodEnd {
  readonly name: LinkName
  readonly ifindex: number
}

/**
 * The node's end. Its index is another one than that of the pod's end: the kernel takes a link whose peer has its own
 * index for one without a peer, and tells of a lost carrier up to a second later (linkwatch_urgent_event of
 * net/core/link_watch.c).
 */
export function hostEnd({ hostLink, datapath, indexes }: Attachment): DeviceRef {
  return { netns: 'host', name: hostLink, ifindex: passesNode(datapath) ? indexes.peer : indexes.link }
}

/**
 * Both ends have each other's MAC address as a permanent neighbour, so nobody asks for one, and the node needs no
 * address on its end, not even the link-local gateway's: that is a name for the MAC address. `rp_filter` stays as the
 * node has it: also a strict one finds the pod behind this link.
 */
export function planVeth(attachment: Attachment, { name, ifindex }: PodEnd): NetworkPlan {
  const { containerId, mtu } = attachment
  const macs = podMacs(containerId, name)
  const inside: DeviceRef = { netns: 'pod', name, ifindex }
  const outside = hostEnd(attachment)
  const addresses = ofFamilies<Ip>(attachment.addresses)
  const usesIpv6 = attachment.addresses.ipv6 !== undefined
  return networkPlan({
    links: [
      {
        ...{ kind: 'veth', netns: 'host', name: outside.name, ifindex: outside.ifindex, mac: macs.host, mtu },
        peer: { name, ifindex, mac: macs.pod, mtu },
      },
    ],
    sysctls: [...linkSysctls(inside, usesIpv6), ...linkSysctls(outside, usesIpv6)],
    addresses: addresses.map(({ family, value }) => ({
      ...{ device: inside, address: value, prefixLength: bitsOf(family), scope: 'global' },
    })),
    neighbours: addresses.flatMap(({ family, value }) => [
      { device: inside, address: LINK_LOCAL_GATEWAYS[family], mac: macs.host },
      { device: outside, address: value, mac: macs.pod },
    ]),
  })
}

/** On the node: the pod's addresses are behind the device. */
export function routesToPod({ addresses }: Attachment, device: DeviceRef, table: number): RouteSpec[] {
  return ofFamilies<Ip>(addresses).map(({ value }) => ({ device, destination: hostCidr(value), table, scope: 'link' }))
}
