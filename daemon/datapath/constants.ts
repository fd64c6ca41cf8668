/**
 * Names and numbers that other programs know a node by: operators' tools and Cilium's chaining look for these
 * priorities, tables, addresses and names, so they are as Terway has always had them.
 */
import { type Family, type Ip, parseCidr, parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'

/** Of rules that lead packets to a pod, and of a pod's own rules. */
export const TO_POD_PRIORITY = 512
/** Of rules that lead packets of a pod to the table of its ENI. */
export const FROM_POD_PRIORITY = 2048
/** Table of a link: this and the link's index in the namespace of the table. */
const TABLE_BASE = 1000
/** Routes to the pods whose packets the node forwards. No link has it as its table, since indexes begin at 1. */
export const POD_TABLE = TABLE_BASE

export function tableOf(ifindex: number): number {
  return TABLE_BASE + ifindex
}

/** The node, as pods see it: it has no such address, the pod knows its MAC address. */
export const LINK_LOCAL_GATEWAYS = { ipv4: parseIpv4('169.254.1.1'), ipv6: parseIpv6('fe80::1') } as const
export const DEFAULT_ROUTES = { ipv4: parseCidr('0.0.0.0/0'), ipv6: parseCidr('::/0') } as const

export const LOOPBACK = parseLinkName('lo')
/** The kernel gives `lo` index 1 in every namespace. */
export const LOOPBACK_INDEX = 1
/** In the pod: the second veth of a pod whose first interface does not pass the node. */
export const HOST_PEER = parseLinkName('veth1')

/** On the node: the IPVlan slave by which pods on the ENI and the node reach each other. */
export function ipvlanHostLink(eniIfindex: number): LinkName {
  return parseLinkName(`ipvl_${eniIfindex}`)
}

/** Above every index that is chosen for a pod's links, so that an ENI's slave always has the same. */
const IPVLAN_INDEX_BASE = 0x7000_0000

export function ipvlanHostIndex(eniIfindex: number): number {
  return IPVLAN_INDEX_BASE + eniIfindex
}

/** Priorities of filters; the smaller, the earlier. The kernel lets one hold filters of a single protocol. */
export const FILTER_PRIORITIES = {
  /** To a class of the ENI's prio qdiscs. */
  class: { ipv4: 1, ipv6: 2 },
  /** The same for packets that have a VLAN tag by then. */
  taggedClass: 3,
  /** Takes the tag off what arrives on a trunk. */
  untag: 20_000,
  /** From an IPVlan pod to the stack of the node. */
  toHostStack: { ipv4: 40_000, ipv6: 40_001 },
  /** Gives a pod's packets the tag of their member ENI. */
  tag: { ipv4: 50_001, ipv6: 50_002 },
  /**
   * To the device that shapes. Later than the programs of a chained plugin (Cilium's have 25000 at most): what comes
   * back from there is not classified again.
   */
  shape: 60_000,
} as const

/** RFC 8200 §5: bytes that every link with IPv6 carries. */
export const IPV6_MTU_MIN = 1280

/** What there is of each family, IPv4 first. */
export function ofFamilies<T>(values: Partial<Record<Family, T>>): { readonly family: Family; readonly value: T }[] {
  return (['ipv4', 'ipv6'] as const).flatMap((family) => {
    const value = values[family]
    return value === undefined ? [] : [{ family, value }]
  })
}

/** Of IPv4's and IPv6's link-local block: the kernel takes such a gateway without a route to it. */
export function isLinkLocalGateway(ip: Ip): boolean {
  return Object.values<Ip>(LINK_LOCAL_GATEWAYS).includes(ip)
}
