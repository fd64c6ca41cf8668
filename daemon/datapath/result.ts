/** What ADD answers: the attachment's plan in the words of the CNI specification. */
import { familyOf } from '../../inet/address.ts'
import { type LinkSpec, type NetworkPlan, RT_TABLE_MAIN } from '../../netlink/plan.ts'
import type { NetnsPath } from '../../proto/cni-environment.ts'
import type { AddResult, ResultInterface } from '../cni/result.ts'
import type { Attachment } from './attachment.ts'
import { eniOf, gatewayOf, gatewaysOf } from './devices.ts'

/**
 * The links that are made for the pod, its addresses on the interface that was asked for, and the routes of its main
 * table. @param plan of the attachment
 */
export function resultOf(attachment: Attachment, plan: NetworkPlan): Pick<AddResult, 'interfaces' | 'ips' | 'routes'> {
  const interfaces = plan.links.flatMap((link) => interfacesOf(link, attachment))
  const own = interfaces.findIndex(({ name, sandbox }) => name === attachment.ifname && sandbox !== undefined)
  const gateways = gatewaysOf(attachment)
  const main = plan.routes.filter(({ device, table }) => device.netns === 'pod' && table === RT_TABLE_MAIN)
  return {
    interfaces,
    ips: plan.addresses
      .filter(({ device }) => device.netns === 'pod' && device.name === attachment.ifname)
      .map(({ address, prefixLength }) => {
        const gateway = gatewayOf(gateways, familyOf(address))
        return { address, prefixLength, gateway, interface: own }
      }),
    routes: main.map(({ destination: dst, gateway: gw }) => (gw === undefined ? { dst } : { dst, gw })),
  }
}

/** As the links stand when the plan is carried out. What only shapes traffic is nobody's interface. */
function interfacesOf(link: LinkSpec, attachment: Attachment): ResultInterface[] {
  // The path that the runtime gave, checked when it came in.
  const sandbox = attachment.netns as NetnsPath
  switch (link.kind) {
    case 'existing':
    case 'ifb':
      return []
    case 'veth': {
      const { name, mac, mtu, peer } = link
      return [
        { name, mac, mtu },
        { name: peer.name, mac: peer.mac, mtu: peer.mtu, sandbox },
      ]
    }
    case 'ipvlan':
      return [{ name: link.name, mac: eniOf(attachment).mac, mtu: link.mtu, sandbox }]
    case 'vlan':
    case 'moved':
      return [{ name: link.name, mac: link.mac, mtu: link.mtu, sandbox }]
  }
}
