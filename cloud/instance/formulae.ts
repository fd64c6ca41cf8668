/**
 * What a node of an instance type can carry: the quota table of the ACK documentation ("Terway network plug-in"), with
 * the corrections that the original makes to it.
 */
import type { InstanceType } from './instance-type.ts'

/** The primary ENI is the node's own. */
export function secondaryEnis({ eniQuantity }: InstanceType): number {
  return Math.max(0, eniQuantity - 1)
}

/** Pods that share ENIs, one address each. */
export function sharedPods(type: InstanceType): number {
  return secondaryEnis(type) * type.ipv4PerEni
}

/** Pods that have an ENI of their own. */
export function exclusivePods(type: InstanceType): number {
  return secondaryEnis(type)
}

/** Member ENIs beside a full set of others: what may be offered to the scheduler. */
export function trunkMembers({ eniQuantity, eniTotalQuantity, trunkSupported }: InstanceType): number {
  return trunkSupported ? Math.max(0, eniTotalQuantity - eniQuantity) : 0
}

/** Member ENIs when there are no others than the primary ENI and the trunk. */
export function maxTrunkMembers({ eniTotalQuantity, trunkSupported }: InstanceType): number {
  return trunkSupported ? Math.max(0, eniTotalQuantity - 2) : 0
}

/** Secondary ENIs that may be made with RDMA, so that enough remain without. */
export function erdmaEnis({ eniQuantity, eriQuantity }: InstanceType): number {
  if (eniQuantity <= 2) return 0
  return Math.min(eniQuantity >= 8 ? 2 : 1, eriQuantity)
}

/** Every address of a shared ENI must have its IPv6 twin. */
export function dualStackAllowed({ ipv4PerEni, ipv6PerEni }: InstanceType): boolean {
  return ipv4PerEni === ipv6PerEni
}

/** Addresses of an IPv4 prefix, which is always a /28. */
const PREFIX_SIZE = 16

/** IPv4 prefixes of an ENI: each takes the place of an address, and the primary address keeps its own. */
export function prefixesPerEni({ ipv4PerEni }: InstanceType): number {
  return ipv4PerEni - 1
}

/** Pods that share ENIs which hold prefixes only. */
export function prefixPods(type: InstanceType): number {
  return secondaryEnis(type) * prefixesPerEni(type) * PREFIX_SIZE
}
