/** An ENI as the fabric sees it, and the commands that give it a link. */
import { type Cidr, type Ipv4, type Ipv6, ipFromBytes, type Mac, macToBytes, splitCidr } from '../../inet/address.ts'
import type { EniId, NodeName, RouteTableId, SecurityGroupId } from '../region/ids.ts'
import type { VSwitch } from '../region/region.ts'

/** The guest configures its primary ENI at boot; it leaves the others to whoever wants them. */
export type Place =
  | { readonly kind: 'primary' | 'secondary' | 'trunk' }
  /** No link of its own: frames with the VLAN id on the link of the trunk ENI. */
  | { readonly kind: 'member'; readonly trunk: EniId; readonly vlan: number }

export type Plug = Place & {
  readonly eniId: EniId
  readonly mac: Mac
  readonly node: NodeName
  /** The primary address first. */
  readonly ips: readonly Ipv4[]
  readonly ipv6s: readonly Ipv6[]
  readonly ipv4Prefixes: readonly Cidr[]
  readonly ipv6Prefixes: readonly Cidr[]
  readonly securityGroupIds: readonly SecurityGroupId[]
  /** Only the ENI's own addresses and prefixes may come and go, not what route entries send through it. */
  readonly sourceDestCheck: boolean
  readonly vSwitch: Pick<VSwitch, 'id' | 'cidr' | 'gateway' | 'ipv6'>
}

/** An entry of a route table: the destination is behind the guest that has the ENI. */
export interface FabricRoute {
  readonly destination: Cidr
  readonly routeTable: RouteTableId
  readonly eni: EniId
}

/** Every gateway of a VPC has this address. */
export const GATEWAY_MAC = 'ee:ff:ff:ff:ff:ff' as Mac
/**
 * Bytes; the largest a veth takes. A link drops in silence what is too big for it, the router says so (RFC 1191, RFC
 * 8201): so the VPC's ends take everything and the router's routes have the VPC's MTU.
 */
const END_MTU = 65_535

/** Bytes an 802.1Q tag takes of the MTU of the link that carries it. */
const VLAN_TAG = 4

/** In the VPC: a link to the node, born with its name and address on both ends. It is down on the node. */
export function linkCommand(
  plug: Plug,
  guest: { readonly netns: string; readonly link: string; readonly mtu: number },
): string {
  if (plug.kind === 'member') {
    return `link add link ${plug.trunk} name ${plug.eniId} address ${GATEWAY_MAC} mtu ${END_MTU - VLAN_TAG} type vlan id ${plug.vlan}`
  }
  const peer = `name ${guest.link} address ${plug.mac} mtu ${guest.mtu} netns ${guest.netns}`
  return `link add name ${plug.eniId} address ${GATEWAY_MAC} mtu ${END_MTU} type veth peer ${peer}`
}

/** In the VPC: the link becomes the vSwitch's gateway for its guest. */
export function gatewayCommands({ eniId: end, mac, ips: [primary], vSwitch }: Plug): string[] {
  const commands = [
    // Without it the router would wait up to 0.8 s before it answers for another host (proxy_delay of arp(7)).
    `ntable change name arp_cache dev ${end} proxy_delay 0`,
    `link set dev ${end} up`,
    `address add ${vSwitch.gateway}/32 dev ${end}`,
    // The guest's next hops: nobody has to be asked for its address.
    `neighbour replace ${primary} lladdr ${mac} dev ${end} nud permanent`,
  ]
  if (vSwitch.ipv6 === undefined) return commands
  return [
    ...commands,
    `address add ${vSwitch.ipv6.gateway}/128 dev ${end} nodad`,
    `neighbour replace ${linkLocalOf(mac)} lladdr ${mac} dev ${end} nud permanent`,
  ]
}

/** In the node: what cloud-init and DHCP do with the first interface. */
export function bootCommands({ ips: [primary], ipv6s: [primary6], vSwitch }: Plug, link: string): string[] {
  const commands = [
    `address add ${primary}/${splitCidr(vSwitch.cidr).length} dev ${link}`,
    `link set dev ${link} up`,
    `route add default via ${vSwitch.gateway} dev ${link}`,
  ]
  if (primary6 === undefined || vSwitch.ipv6 === undefined) return commands
  return [
    ...commands,
    // The VPC gives an address to one ENI: there is no duplicate to look for.
    `address add ${primary6}/${splitCidr(vSwitch.ipv6.cidr).length} dev ${link} nodad`,
    `route add default via ${vSwitch.ipv6.gateway} dev ${link}`,
  ]
}

/** The address that a link gives itself (RFC 4291 appendix A); here the name of the next hop, whether the guest has it or not. */
export function linkLocalOf(mac: Mac): Ipv6 {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = macToBytes(mac)
  return ipFromBytes(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f)) as Ipv6
}

/** The name a kernel would give to the next interface. */
export function nextLinkName(taken: readonly string[]): string {
  for (let index = 0; ; index++) if (!taken.includes(`eth${index}`)) return `eth${index}`
}
