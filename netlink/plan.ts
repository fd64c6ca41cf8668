/**
 * What must exist in the kernel for one endpoint or one ENI, as a plain value.
 *
 * A datapath makes it, the journal stores it as JSON, and one interpreter applies, verifies, repairs and removes it.
 * Order inside a list is the order of creation. Links are named by namespace and name; `host` is the namespace the
 * process lives in, `pod` the one at `podNetns`.
 */
import type { Cidr, Ip, Mac } from '../inet/address.ts'
import type { LinkName } from '../inet/link-name.ts'

export type PlanNetns = 'host' | 'pod'

/** Both ends are made by one RTM_NEWLINK; the peer is born in the pod's namespace under its final name. */
export interface VethSpec {
  readonly kind: 'veth'
  readonly netns: 'host'
  readonly name: LinkName
  /** Chosen by the planner, so that no read-back is needed; unique in the host namespace. */
  readonly ifindex: number
  readonly mac: Mac
  /** Bytes. */
  readonly mtu: number
  readonly peer: {
    readonly name: LinkName
    readonly ifindex: number
    readonly mac: Mac
    readonly mtu: number
  }
}

/** A link made by somebody else (an ENI, `lo`): only its state is ours, and removal leaves it alone. */
export interface ExistingLinkSpec {
  readonly kind: 'existing'
  readonly netns: PlanNetns
  readonly name: LinkName
  readonly ifindex: number
  readonly mtu?: number
}

/** An IPVlan slave in mode L2 (linux/if_link.h, IPVLAN_MODE_L2) on a link of the host; it has the parent's MAC. */
export interface IpvlanSpec {
  readonly kind: 'ipvlan'
  readonly netns: PlanNetns
  readonly name: LinkName
  readonly ifindex: number
  readonly parent: DeviceRef
  /** Bytes; at most the parent's. */
  readonly mtu: number
  /** IFF_NOARP: nobody is asked for a neighbour on it. */
  readonly noArp?: true
}

/** An 802.1Q subinterface of a link of the host, which may have the name that the pod wants. */
export interface VlanSpec {
  readonly kind: 'vlan'
  readonly netns: 'pod'
  readonly name: LinkName
  readonly ifindex: number
  readonly parent: DeviceRef
  /** 1 to 4094 */
  readonly vlanId: number
  readonly mac: Mac
  readonly mtu: number
}

/**
 * A link of the host that lives in the pod as long as the plan does; it is known by its MAC address. Removal, and any
 * failure while the plan is applied, bring it back. Older kernels (before 5.13) choose its index in the pod themselves,
 * so objects of the plan name the device, and the interpreter finds the index that it has.
 */
export interface MovedLinkSpec {
  readonly kind: 'moved'
  readonly netns: 'pod'
  /** In the pod. */
  readonly name: LinkName
  /** In the pod, where the kernel lets it be chosen. */
  readonly ifindex: number
  readonly mac: Mac
  readonly mtu: number
  /** On the host; when the name is taken as it comes back, it gets one of the kernel's. */
  readonly home: { readonly name: LinkName; readonly ifindex: number }
}

/** An intermediate functional block: packets redirected to it pass its qdisc and go on where they were taken from. */
export interface IfbSpec {
  readonly kind: 'ifb'
  readonly netns: PlanNetns
  readonly name: LinkName
  readonly ifindex: number
  readonly mtu: number
}

/** Every link of a plan is brought up. */
export type LinkSpec = VethSpec | ExistingLinkSpec | IpvlanSpec | VlanSpec | MovedLinkSpec | IfbSpec

/** The device that an object hangs on. */
export interface DeviceRef {
  readonly netns: PlanNetns
  readonly name: LinkName
  readonly ifindex: number
}

export type Scope = 'global' | 'link' | 'host'

export interface AddressSpec {
  readonly device: DeviceRef
  readonly address: Ip
  readonly prefixLength: number
  readonly scope: Scope
}

export interface RouteSpec {
  readonly device: DeviceRef
  /** `0.0.0.0/0` or `::/0` is the default route. */
  readonly destination: Cidr
  readonly gateway?: Ip
  /** RTNH_F_ONLINK: the gateway needs no route of its own. */
  readonly onlink?: boolean
  /** RT_TABLE_MAIN is 254. */
  readonly table: number
  readonly scope: Scope
  /** Address that packets of the node itself get (`src` of iproute2). */
  readonly source?: Ip
  /** `blackhole` drops what no longer prefix takes; its device is `lo` and means nothing. Unicast unless given. */
  readonly type?: 'unicast' | 'blackhole'
}

export interface RuleSpec {
  readonly netns: PlanNetns
  readonly family: 'ipv4' | 'ipv6'
  readonly priority: number
  readonly source?: Cidr
  readonly destination?: Cidr
  readonly inputDevice?: LinkName
  readonly outputDevice?: LinkName
  /** Matches packets whose mark has this value in the bits of the mask. */
  readonly mark?: { readonly value: number; readonly mask: number }
  readonly table: number
  /** One of the kernel's own (RTPROT_KERNEL of linux/rtnetlink.h): without, it would get a second one beside it. */
  readonly protocol?: 'kernel'
}

/** A permanent neighbour (NUD_PERMANENT). */
export interface NeighbourSpec {
  readonly device: DeviceRef
  readonly address: Ip
  readonly mac: Mac
}

export interface SysctlSpec {
  readonly netns: PlanNetns
  /** Components below /proc/sys, one each, since link names may hold dots. */
  readonly key: readonly string[]
  readonly value: string
  /** `at-least`: a number, and a larger one is as good and left alone. `equal` unless given. */
  readonly want?: 'equal' | 'at-least'
  /** A kernel or namespace that has no such sysctl, or does not let it be written, is fine. */
  readonly optional?: true
}

/** Token bucket filter as the root qdisc, handle 1: (linux/pkt_sched.h, TCA_TBF_*). */
export interface TbfSpec {
  readonly kind: 'tbf'
  readonly device: DeviceRef
  /** Bytes per second. */
  readonly rate: number
  /** Bytes that may go at once. */
  readonly burst: number
  /** Bytes that may wait. */
  readonly limit: number
}

/** The place of filters on the way in and out; removed with its link, never by a plan. */
export interface ClsactSpec {
  readonly kind: 'clsact'
  readonly device: DeviceRef
}

/**
 * Three bands, the first served first (sch_prio), handle 1:, on every transmission queue of a multiqueue device, or as
 * the root of one with a single queue. Never removed by a plan.
 */
export interface PrioSpec {
  readonly kind: 'prio'
  readonly device: DeviceRef
}

export type QdiscSpec = TbfSpec | ClsactSpec | PrioSpec

export type FilterAction =
  /** Goes on as if it left (`egress`) or arrived on (`ingress`) that device; the last action (act_mirred). */
  | { readonly kind: 'redirect'; readonly to: DeviceRef; readonly direction: 'ingress' | 'egress' }
  /** act_vlan */
  | { readonly kind: 'vlan-push'; readonly vlanId: number }
  | { readonly kind: 'vlan-pop' }
  /** PACKET_HOST of linux/if_packet.h: the stack takes it as addressed to itself (act_skbedit). */
  | { readonly kind: 'packet-to-host' }
  /** act_tunnel_key */
  | { readonly kind: 'unset-tunnel-key' }

/**
 * One u32 filter. Filters of one device, direction and priority are told apart by what they match, so another plan's are
 * left alone. A priority serves one direction of a device only: u32 mixes up those of both (filter.ts).
 */
export interface FilterSpec {
  readonly device: DeviceRef
  /** Of clsact; `classes`: of the device's prio qdiscs, all of them. */
  readonly direction: 'ingress' | 'egress' | 'classes'
  readonly priority: number
  /** A u32 priority holds filters of one protocol. */
  readonly protocol: 'all' | 'ipv4' | 'ipv6' | '802.1Q'
  /** All packets of the protocol when absent. */
  readonly source?: Cidr
  readonly destination?: Cidr
  /** In this order; empty for `classes`. */
  readonly actions: readonly FilterAction[]
  /** Of `classes`: band 1 to 3, class 1:1 to 1:3. */
  readonly band?: 1 | 2 | 3
}

/**
 * Packets of the node's pods with this source address get this mark before they are routed (nftables, prerouting).
 * Other bits of the mark stay as they are: see SOURCE_MARK_MASK.
 */
export interface SourceMarkSpec {
  readonly netns: 'host'
  readonly source: Ip
  /** Within SOURCE_MARK_MASK. */
  readonly mark: number
}

/** Bits of a packet's mark that are ours: between those of kube-proxy (0xc000) and those that mesh and VPN tools use. */
export const SOURCE_MARK_MASK = 0x0ff0_0000

export interface NetworkPlan {
  /** Path of the pod's namespace; absent when nothing of the plan lives in a pod. */
  readonly podNetns?: string
  /** Identity of that namespace (see Netns): another one at the path is not the pod's, and counts as gone. */
  readonly podNetnsId?: string
  readonly links: readonly LinkSpec[]
  readonly sysctls: readonly SysctlSpec[]
  readonly addresses: readonly AddressSpec[]
  readonly neighbours: readonly NeighbourSpec[]
  readonly routes: readonly RouteSpec[]
  readonly rules: readonly RuleSpec[]
  readonly qdiscs: readonly QdiscSpec[]
  readonly filters: readonly FilterSpec[]
  readonly marks: readonly SourceMarkSpec[]
}

const NOTHING: NetworkPlan = {
  ...{ links: [], sysctls: [], addresses: [], neighbours: [], routes: [], rules: [], qdiscs: [], filters: [] },
  marks: [],
}

/** A plan with what is given and nothing else. */
export function networkPlan(parts: Partial<NetworkPlan>): NetworkPlan {
  return { ...NOTHING, ...parts }
}

/** Everything of several plans, in their order. All of them are for the same pod, or for none. */
export function joinPlans(plans: readonly NetworkPlan[]): NetworkPlan {
  const podNetns = plans.find((plan) => plan.podNetns !== undefined)?.podNetns
  const podNetnsId = plans.find((plan) => plan.podNetnsId !== undefined)?.podNetnsId
  return {
    ...(podNetns === undefined ? {} : { podNetns }),
    ...(podNetnsId === undefined ? {} : { podNetnsId }),
    links: plans.flatMap(({ links }) => links),
    sysctls: plans.flatMap(({ sysctls }) => sysctls),
    addresses: plans.flatMap(({ addresses }) => addresses),
    neighbours: plans.flatMap(({ neighbours }) => neighbours),
    routes: plans.flatMap(({ routes }) => routes),
    rules: plans.flatMap(({ rules }) => rules),
    qdiscs: plans.flatMap(({ qdiscs }) => qdiscs),
    filters: plans.flatMap(({ filters }) => filters),
    marks: plans.flatMap(({ marks }) => marks),
  }
}

/** linux/rtnetlink.h */
export const RT_TABLE_MAIN = 254

export type PlanObject =
  | 'netns'
  | 'link'
  | 'sysctl'
  | 'address'
  | 'neighbour'
  | 'route'
  | 'rule'
  | 'qdisc'
  | 'filter'
  | 'mark'

/** One object of a plan beside what the kernel has. */
export interface Comparison {
  readonly netns: PlanNetns
  readonly object: PlanObject
  /** The object as an operator would write it for iproute2, `10.0.1.7/32 dev calic95a4947e07`. */
  readonly subject: string
  /** Absent when the kernel is as the plan says. */
  readonly problem?: 'missing' | 'different'
  /** What was found instead, when `different`. */
  readonly found?: string
}

/** One way in which the kernel is not as the plan says. */
export interface Difference extends Comparison {
  readonly problem: 'missing' | 'different'
}
