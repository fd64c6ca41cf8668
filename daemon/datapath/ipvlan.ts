/**
 * An IPVlan slave of the shared ENI, with the vSwitch as its network. The ENI and the node are out of its reach, so the
 * node has a slave of its own on the ENI (`planIpvlanEni`), which also takes what the pod sends to services.
 */
import { hostCidr, type Ip, splitCidr } from '../../inet/address.ts'
import {
  type DeviceRef,
  joinPlans,
  type NetworkPlan,
  networkPlan,
  type RouteSpec,
  RT_TABLE_MAIN,
} from '../../netlink/plan.ts'
import type { Attachment, EniFacts, HostFacts } from './attachment.ts'
import { planBandwidth } from './bandwidth.ts'
import { ipvlanHostIndex, ipvlanHostLink, ofFamilies } from './constants.ts'
import { eniDevice, eniOf, podDevice } from './devices.ts'
import { linkSysctls } from './link-sysctls.ts'
import { planPodNamespace, planPodRouting } from './pod-routing.ts'
import { planPriority } from './priority.ts'
import { routesToPod } from './veth.ts'

/** The node's slave on the ENI. */
export function ipvlanHostDevice({ ifindex }: Pick<EniFacts, 'ifindex'>): DeviceRef {
  return { netns: 'host', name: ipvlanHostLink(ifindex), ifindex: ipvlanHostIndex(ifindex) }
}

function nodeIps({ addresses }: Attachment, host: HostFacts): Ip[] {
  return ofFamilies<Ip>(host.addresses).flatMap(({ family, value }) => (addresses[family] === undefined ? [] : [value]))
}

/**
 * The pod's routes to the node. It is a neighbour with the MAC address that the pod has itself: the driver hands such a
 * frame over to the slave that has the IP address.
 */
export function ipvlanNodeRoutes(attachment: Attachment, host: HostFacts): RouteSpec[] {
  const device = podDevice(attachment)
  return nodeIps(attachment, host).map((node) => ({
    ...{ device, destination: hostCidr(node), table: RT_TABLE_MAIN, scope: 'link' },
  }))
}

export function planIpvlan(attachment: Attachment, host: HostFacts): NetworkPlan {
  const eni = eniOf(attachment)
  const device = podDevice(attachment)
  return joinPlans([
    planPodNamespace(attachment),
    networkPlan({
      links: [{ kind: 'ipvlan', ...device, parent: eniDevice(eni), mtu: attachment.mtu }],
      sysctls: linkSysctls(device, attachment.addresses.ipv6 !== undefined),
      addresses: ofFamilies<Ip>(attachment.addresses).map(({ family, value }) => ({
        ...{ device, address: value, prefixLength: vSwitchLength(eni, family), scope: 'global' },
      })),
      neighbours: nodeIps(attachment, host).map((address) => ({ device, address, mac: eni.mac })),
      // As with the second veth of an exclusive ENI: for the node's own packets, other pods' go through the VPC.
      routes: routesToPod(attachment, ipvlanHostDevice(eni), RT_TABLE_MAIN),
    }),
    planPodRouting(attachment, ipvlanNodeRoutes(attachment, host)),
    planBandwidth(attachment),
    planPriority(attachment),
  ])
}

/** @throws Error for an attachment that `problemsOf` would have refused. */
function vSwitchLength({ id, cidrs }: EniFacts, family: 'ipv4' | 'ipv6'): number {
  const cidr = cidrs[family]
  if (cidr === undefined) throw new Error(`the vSwitch of ${id} has no ${family} prefix`)
  return splitCidr(cidr).length
}
