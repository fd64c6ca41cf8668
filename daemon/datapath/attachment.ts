/** What a datapath works from: plain values, kept in the journal, from which the plan can be made again at any time. */
import type { EniId } from '../../cloud/ids.ts'
import type { Cidr, Ipv4, Ipv6, Mac } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'

/**
 * How an interface of a pod is connected.
 * - `policy-route`: a veth, and routes and rules by which its packets leave by the ENI that owns its address
 * - `ipvlan`: an IPVlan slave of the shared ENI; the node and services are reached by a slave on the host
 * - `exclusive`: the ENI itself is in the pod, with a second veth for the node and services
 * - `vlan`: the 802.1Q subinterface of a member ENI on the node's trunk, with the same second veth
 * - `vlan-tag`: a veth as in `policy-route`; packets get the member's VLAN tag as they leave the trunk ENI
 * - `route`: a veth; the address is of the node's own prefix, which the VPC routes to the node
 */
export type Datapath = 'policy-route' | 'ipvlan' | 'exclusive' | 'vlan' | 'vlan-tag' | 'route'

/** One of each family that the pod has. */
export interface Addresses {
  readonly ipv4?: Ipv4
  readonly ipv6?: Ipv6
}

/** An ENI as datapaths see it. */
export interface EniFacts {
  readonly id: EniId
  readonly mac: Mac
  /** On the node; of a member: its trunk's. */
  readonly link: LinkName
  readonly ifindex: number
  /** Bytes, of the link. */
  readonly mtu: number
  /** Of its vSwitch. */
  readonly cidrs: { readonly ipv4: Cidr; readonly ipv6?: Cidr }
  readonly gateways: Addresses
  /** Of packets that leave by it; within SOURCE_MARK_MASK, different for each link. */
  readonly mark: number
  /** Of a member: 802.1Q id on the trunk. */
  readonly vlanId?: number
  /** Of a member whose pods use the node's path: gateways of the trunk's vSwitch, whose MAC address they share. */
  readonly trunkGateways?: Addresses
}

/** One direction's limit. */
export interface RateLimit {
  /** Bytes per second. */
  readonly rate: number
  /** Bytes; the default of the rate when absent. */
  readonly burst?: number
}

/** Seen from the pod: `ingress` is to it. */
export interface BandwidthLimits {
  readonly ingress?: RateLimit
  readonly egress?: RateLimit
}

/** Whose packets leave the ENI first. */
export type NetworkPriority = 'guaranteed' | 'burstable' | 'best-effort'

export interface Attachment {
  readonly datapath: Datapath
  readonly containerId: string
  /** Name of the interface in the pod. */
  readonly ifname: LinkName
  /** Path of the pod's namespace. */
  readonly netns: string
  /** Name of the link on the node, where the datapath has one. */
  readonly hostLink: LinkName
  /**
   * Link indexes that are free in both namespaces: `link` of the interface in the pod, `peer` of the node's end where it
   * is a veth, otherwise of the second veth's end in the pod, whose end on the node has `link`; `shaper` of what shapes
   * its traffic.
   */
  readonly indexes: { readonly link: number; readonly peer: number; readonly shaper: number }
  readonly addresses: Addresses
  /** Bytes; at most the ENI's. */
  readonly mtu: number
  /** Absent for `route`. */
  readonly eni?: EniFacts
  /** One interface of a pod has the default route. */
  readonly defaultRoute: boolean
  /** The pod has several: what comes from the address of this one leaves by it. */
  readonly sourceRouting: boolean
  /** Destinations reached by this interface besides. */
  readonly extraRoutes: readonly Cidr[]
  /** Destinations reached through the stack of the node. */
  readonly hostStackCidrs: readonly Cidr[]
  /** `exclusive` and `vlan`: whether the pod has the second veth. */
  readonly hostPeer: boolean
  readonly bandwidth: BandwidthLimits
  /** Undefined: packets are not classified. */
  readonly priority?: NetworkPriority
}

/** The node as datapaths see it; the same for all pods. */
export interface HostFacts {
  readonly addresses: Addresses
  /** The link with the node's own addresses and default route. */
  readonly primaryLink: LinkName
  /** Whether the kernel takes the node's IPv6 default route from there, `accept_ra` of the primary link being 1 or 2. */
  readonly acceptsRouterAdvertisements?: boolean
  /** Of Kubernetes' services, of any family. */
  readonly serviceCidrs: readonly Cidr[]
  /** Families that pods have. */
  readonly families: readonly ('ipv4' | 'ipv6')[]
  /**
   * `map`: one rule to a table of pod routes, packets marked by source, one rule for each ENI: a packet's way does not
   * grow with the pods. `rules`: two rules for each pod, where Cilium's chaining looks for them.
   */
  readonly policyRoute: 'map' | 'rules'
  /** Prefixes of the node itself, in VPC route mode. */
  readonly podCidrs: readonly Cidr[]
}
