/** The devices that an attachment's objects hang on. */
import type { Family, Ip } from '../../inet/address.ts'
import type { DeviceRef } from '../../netlink/plan.ts'
import type { Addresses, Attachment, Datapath, EniFacts } from './attachment.ts'
import { LINK_LOCAL_GATEWAYS } from './constants.ts'

/** The interface in the pod. */
export function podDevice({ ifname, indexes }: Pick<Attachment, 'ifname' | 'indexes'>): DeviceRef {
  return { netns: 'pod', name: ifname, ifindex: indexes.link }
}

export function eniDevice({ link, ifindex }: Pick<EniFacts, 'link' | 'ifindex'>): DeviceRef {
  return { netns: 'host', name: link, ifindex }
}

/** @throws Error for an attachment that `problemsOf` would have refused. */
export function eniOf({ datapath, ifname, eni }: Attachment): EniFacts {
  if (eni === undefined) throw new Error(`${datapath} of ${ifname} has no ENI`)
  return eni
}

/** Whether the interface is a veth, so that all of the pod's packets pass the stack of the node. */
export function passesNode(datapath: Datapath): boolean {
  switch (datapath) {
    case 'policy-route':
    case 'vlan-tag':
    case 'route':
      return true
    case 'exclusive':
    case 'vlan':
    case 'ipvlan':
      return false
  }
}

/** Where the interface's packets go: to the node, or to the router of the ENI's vSwitch. */
export function gatewaysOf(attachment: Attachment): Addresses {
  return passesNode(attachment.datapath) ? LINK_LOCAL_GATEWAYS : eniOf(attachment).gateways
}

/** @throws Error for an attachment that `problemsOf` would have refused. */
export function gatewayOf(gateways: Addresses, family: Family): Ip {
  const gateway = gateways[family]
  if (gateway === undefined) throw new Error(`there is no ${family} gateway`)
  return gateway
}

/** @throws Error for an attachment that `problemsOf` would have refused. */
export function vlanIdOf({ id, vlanId }: EniFacts): number {
  if (vlanId === undefined) throw new Error(`${id} has no VLAN id`)
  return vlanId
}
