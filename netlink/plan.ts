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

/** Every link of a plan is brought up. */
export type LinkSpec = VethSpec | ExistingLinkSpec

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
}

export interface RuleSpec {
  readonly netns: PlanNetns
  readonly family: 'ipv4' | 'ipv6'
  readonly priority: number
  readonly source?: Cidr
  readonly destination?: Cidr
  readonly inputDevice?: LinkName
  readonly outputDevice?: LinkName
  readonly table: number
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
}

export interface NetworkPlan {
  /** Path of the pod's namespace; absent when nothing of the plan lives in a pod. */
  readonly podNetns?: string
  readonly links: readonly LinkSpec[]
  readonly sysctls: readonly SysctlSpec[]
  readonly addresses: readonly AddressSpec[]
  readonly neighbours: readonly NeighbourSpec[]
  readonly routes: readonly RouteSpec[]
  readonly rules: readonly RuleSpec[]
}

/** linux/rtnetlink.h */
export const RT_TABLE_MAIN = 254

/** One way in which the kernel is not as the plan says. */
export interface Difference {
  readonly netns: PlanNetns
  readonly object: 'netns' | 'link' | 'address' | 'neighbour' | 'route' | 'rule' | 'sysctl'
  /** The object as an operator would write it for iproute2, `10.0.1.7/32 dev calic95a4947e07`. */
  readonly subject: string
  readonly problem: 'missing' | 'different'
  /** What was found instead, when `different`. */
  readonly found?: string
}
