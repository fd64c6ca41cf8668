/** What an ENI that stays on the node needs once, whatever pods use it. */
import { bitsOf, type Cidr, familyOf, type Ip } from '../../inet/address.ts'
import {
  type AddressSpec,
  type DeviceRef,
  type FilterAction,
  type FilterSpec,
  type NetworkPlan,
  networkPlan,
  type RuleSpec,
  SOURCE_MARK_MASK,
  type SysctlSpec,
} from '../../netlink/plan.ts'
import type { EniFacts, HostFacts } from './attachment.ts'
import { FILTER_PRIORITIES, FROM_POD_PRIORITY, ofFamilies, tableOf } from './constants.ts'
import { eniDevice } from './devices.ts'
import { ownDefaultRoutes } from './gateway-routes.ts'
import { ipvlanHostDevice } from './ipvlan.ts'
import { linkSysctls } from './link-sysctls.ts'

/** The node's addresses of the families that pods have, each as a host's. */
function nodeAddresses(host: HostFacts): { readonly address: Ip; readonly prefixLength: number }[] {
  return ofFamilies<Ip>(host.addresses)
    .filter(({ family }) => host.families.includes(family))
    .map(({ family, value }) => ({ address: value, prefixLength: bitsOf(family) }))
}

/**
 * A shared or a trunk ENI: up, with a table that has its default route. It carries the node's addresses, the sources of
 * its requests for neighbours.
 */
export function planEni(eni: EniFacts, host: HostFacts): NetworkPlan {
  const device = eniDevice(eni)
  const table = tableOf(eni.ifindex)
  const mark = { value: eni.mark, mask: SOURCE_MARK_MASK }
  // A vSwitch without IPv6 is a problem of the pods that want it, not of the others.
  const ways = ofFamilies<Ip>(eni.gateways).filter(({ family }) => host.families.includes(family))
  return networkPlan({
    links: [{ kind: 'existing', ...device, mtu: eni.mtu }],
    sysctls: [...linkSysctls(device, host.families.includes('ipv6')), ...reversePath(eni, host)],
    addresses: nodeAddresses(host).map((address): AddressSpec => ({ device, ...address, scope: 'global' })),
    routes: ways.flatMap(({ value }) => ownDefaultRoutes({ device, gateway: value, table })),
    rules:
      host.policyRoute === 'rules'
        ? []
        : ways.map(({ family }): RuleSpec => ({ netns: 'host', family, priority: FROM_POD_PRIORITY, mark, table })),
  })
}

/**
 * The way back to who sent a packet is looked up without a mark, so it is the node's own and not by this ENI: a strict
 * filter would drop what is for pods. The larger of this and that of `all` counts (ip-sysctl.rst), so 2, loose, always
 * does. A rule by source address is found on the way back as well.
 */
function reversePath({ link }: EniFacts, { families, policyRoute }: HostFacts): SysctlSpec[] {
  if (policyRoute === 'rules' || !families.includes('ipv4')) return []
  return [{ netns: 'host', key: ['net', 'ipv4', 'conf', link, 'rp_filter'], value: '2' }]
}

/**
 * What an ENI needs for IPVlan pods besides: the node's slave on it, and filters by which packets to services and to
 * `host_stack_cidrs` turn back there into the stack of the node.
 */
export function planIpvlanEni(eni: EniFacts, host: HostFacts, hostStackCidrs: readonly Cidr[]): NetworkPlan {
  const device = eniDevice(eni)
  const slave = ipvlanHostDevice(eni)
  const cidrs = [...new Set([...host.serviceCidrs, ...hostStackCidrs])]
  return networkPlan({
    links: [{ kind: 'ipvlan', ...slave, parent: device, mtu: eni.mtu, noArp: true }],
    sysctls: linkSysctls(slave, host.families.includes('ipv6')),
    addresses: nodeAddresses(host).map((address): AddressSpec => ({ device: slave, ...address, scope: 'host' })),
    qdiscs: [{ kind: 'clsact', device }],
    filters: cidrs
      .filter((cidr) => host.families.includes(familyOf(cidr)))
      .map((destination): FilterSpec => {
        const protocol = familyOf(destination)
        const priority = FILTER_PRIORITIES.toHostStack[protocol]
        return { device, direction: 'egress', priority, protocol, destination, actions: turnBackTo(slave) }
      }),
  })
}

/** The router's MAC address is on it, and a tunnel's metadata may be, so it is made to look as if it was for the node. */
function turnBackTo(slave: DeviceRef): FilterAction[] {
  return [
    { kind: 'unset-tunnel-key' },
    { kind: 'packet-to-host' },
    { kind: 'redirect', to: slave, direction: 'ingress' },
  ]
}

/**
 * What a trunk needs for `vlan-tag` pods besides: the tag comes off what arrives, and the node takes it though it is
 * addressed to the member's MAC address. From then on no VLAN subinterface of the trunk gets anything, so pods with
 * `vlan` cannot be on it.
 */
export function planTrunkTags(trunk: EniFacts): NetworkPlan {
  const device = eniDevice(trunk)
  return networkPlan({
    qdiscs: [{ kind: 'clsact', device }],
    filters: [
      {
        ...{ device, direction: 'ingress', priority: FILTER_PRIORITIES.untag, protocol: '802.1Q' },
        actions: [{ kind: 'vlan-pop' }, { kind: 'packet-to-host' }],
      },
    ],
  })
}
