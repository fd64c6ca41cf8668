/** An ENI as the fabric sees it, and the commands that make it real. */
import type { Cidr, Ipv4, Mac } from '../../inet/address.ts'
import { splitCidr } from '../../inet/address.ts'
import type { EniId, NodeName } from '../region/ids.ts'

export interface Plug {
  readonly eniId: EniId
  readonly mac: Mac
  readonly node: NodeName
  /** The guest configures its primary ENI at boot; it leaves the others to whoever wants them. */
  readonly kind: 'primary' | 'secondary'
  /** The primary address first. */
  readonly ips: readonly Ipv4[]
  readonly vSwitch: { readonly cidr: Cidr; readonly gateway: Ipv4 }
}

/** Every gateway of a VPC has this address. */
const GATEWAY_MAC = 'ee:ff:ff:ff:ff:ff'
/** Bytes; what an ENI has unless jumbo frames were asked for. */
const MTU = 1500

/** In the VPC: a link to the node, born with its name and address on both ends. It is down on the node. */
export function plugCommands(plug: Plug, guest: { readonly netns: string; readonly link: string }): string[] {
  const end = plug.eniId
  return [
    `link add name ${end} address ${GATEWAY_MAC} mtu ${MTU} type veth peer name ${guest.link} address ${plug.mac} mtu ${MTU} netns ${guest.netns}`,
    // Without it the router would wait up to 0.8 s before it answers for another host (proxy_delay of arp(7)).
    `ntable change name arp_cache dev ${end} proxy_delay 0`,
    `link set dev ${end} up`,
    `address add ${plug.vSwitch.gateway}/32 dev ${end}`,
    ...announceCommands(plug.eniId, { mac: plug.mac, ips: plug.ips }),
  ]
}

/** In the node: what cloud-init and DHCP do with the first interface. */
export function bootCommands(plug: Plug, link: string): string[] {
  const [primary] = plug.ips
  return [
    `address add ${primary}/${splitCidr(plug.vSwitch.cidr).length} dev ${link}`,
    `link set dev ${link} up`,
    `route add default via ${plug.vSwitch.gateway} dev ${link}`,
  ]
}

/** In the VPC: packets to the addresses go to the ENI, without asking it. */
export function announceCommands(
  eni: EniId,
  { mac, ips }: { readonly mac: Mac; readonly ips: readonly Ipv4[] },
): string[] {
  return ips.flatMap((ip) => [
    `neighbour replace ${ip} lladdr ${mac} dev ${eni} nud permanent`,
    `route replace ${ip}/32 dev ${eni}`,
  ])
}

/** In the VPC: packets to the addresses go nowhere. */
export function withdrawCommands(eni: EniId, ips: readonly Ipv4[]): string[] {
  return ips.flatMap((ip) => [`route del ${ip}/32 dev ${eni}`, `neighbour del ${ip} dev ${eni}`])
}

/** The name a kernel would give to the next interface. */
export function nextLinkName(taken: readonly string[]): string {
  for (let index = 0; ; index++) if (!taken.includes(`eth${index}`)) return `eth${index}`
}
