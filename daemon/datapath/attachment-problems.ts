/** What is wrong with the interfaces that are asked for a pod, before anything is made. Pure. */
import { type Cidr, cidrContains, type Family, familyOf, type Ip } from '../../inet/address.ts'
import type { Attachment, EniFacts, HostFacts } from './attachment.ts'
import { DEFAULT_ROUTES, HOST_PEER, IPV6_MTU_MIN, LINK_LOCAL_GATEWAYS, LOOPBACK, ofFamilies } from './constants.ts'
import { passesNode } from './devices.ts'
import { hasHostPeer, hostPeerRoutes } from './host-peer.ts'
import { ipvlanNodeRoutes } from './ipvlan.ts'

/**
 * One sentence for each, with the interface, the value and what it must be; empty when the plan can be made. All
 * attachments of the pod, those that exist and the new one.
 */
export function problemsOf(attachments: readonly Attachment[], host: HostFacts): string[] {
  const each = attachments.flatMap((attachment) => [
    ...nameProblems(attachment),
    ...addressProblems(attachment),
    ...mtuProblems(attachment),
    ...eniProblems(attachment),
    ...extraRoutes(attachment).flatMap((route) => extraRouteProblems(route, host)),
    ...hostStackProblems(attachment, host),
  ])
  return [...each, ...nameClashes(attachments), ...defaultRouteClashes(attachments), ...routeClashes(attachments)]
}

const NAMES: Readonly<Record<Family, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' }

function nameProblems({ ifname }: Attachment): string[] {
  if (ifname === LOOPBACK) return [`the interface cannot be called ${ifname}: that is the namespace's own`]
  if (ifname === HOST_PEER) return [`the interface cannot be called ${ifname}: that is a pod's veth to its node`]
  return []
}

function addressProblems({ ifname, addresses }: Attachment): string[] {
  return ofFamilies<Ip>(addresses).length === 0 ? [`${ifname} has no address of any family`] : []
}

function mtuProblems({ ifname, mtu, eni, addresses }: Attachment): string[] {
  const tooLarge = eni !== undefined && mtu > eni.mtu
  const tooSmall = addresses.ipv6 !== undefined && mtu < IPV6_MTU_MIN
  return [
    ...(tooLarge ? [`MTU ${mtu} of ${ifname} is larger than the ${eni.mtu} of ${eni.id} (${eni.link})`] : []),
    ...(tooSmall ? [`MTU ${mtu} of ${ifname} is too small for IPv6, which needs ${IPV6_MTU_MIN}`] : []),
  ]
}

function eniProblems({ datapath, ifname, eni, addresses }: Attachment): string[] {
  if (datapath === 'route') return []
  if (eni === undefined) return [`${ifname} has no ENI, which ${datapath} needs`]
  const families = ofFamilies<Ip>(addresses).map(({ family }) => family)
  const needsTag = datapath === 'vlan' || datapath === 'vlan-tag'
  return [...families.flatMap((family) => vSwitchProblems(family, eni)), ...(needsTag ? vlanProblems(eni) : [])].map(
    (problem) => `${ifname}: ${problem}`,
  )
}

function vSwitchProblems(family: Family, { id, cidrs, gateways }: EniFacts): string[] {
  if (cidrs[family] === undefined) return [`the vSwitch of ${id} has no ${NAMES[family]} prefix`]
  return gateways[family] === undefined ? [`the vSwitch of ${id} has no ${NAMES[family]} gateway`] : []
}

/** IEEE 802.1Q §9.6: 0 and 4095 are no VLANs. */
function vlanProblems({ id, vlanId }: EniFacts): string[] {
  if (vlanId === undefined) return [`${id} has no VLAN id, so it is no member of the node's trunk`]
  const valid = Number.isInteger(vlanId) && vlanId >= 1 && vlanId <= 4094
  return valid ? [] : [`VLAN id ${vlanId} of ${id} is not one of 1 to 4094`]
}

interface ExtraRoute {
  readonly attachment: Attachment
  readonly destination: Cidr
}

const extraRoutes = (attachment: Attachment): ExtraRoute[] =>
  attachment.extraRoutes.map((destination) => ({ attachment, destination }))

function extraRouteProblems({ attachment, destination }: ExtraRoute, host: HostFacts): string[] {
  const family = familyOf(destination)
  const route = `extra route ${destination} of ${attachment.ifname}`
  if (attachment.addresses[family] === undefined) return [`${route}: the interface has no ${NAMES[family]} address`]
  if (destination === DEFAULT_ROUTES[family]) {
    return [`${route} is a default route, which an interface gets by being the pod's default`]
  }
  const gateway = LINK_LOCAL_GATEWAYS[family]
  if (cidrContains(destination, gateway)) return [`${route} covers ${gateway}, by which the pod reaches its node`]
  const taken = nodeRoutes(attachment, host).includes(destination)
  return taken ? [`${route} leads to the node already: it is the node's, of services or of the host stack`] : []
}

/** What the pod reaches past the gateway of the interface. */
function nodeRoutes(attachment: Attachment, host: HostFacts): Cidr[] {
  const routes = attachment.datapath === 'ipvlan' ? ipvlanNodeRoutes : hostPeerRoutes
  return routes(attachment, host).map(({ destination }) => destination)
}

function nameClashes(attachments: readonly Attachment[]): string[] {
  const peers = attachments.filter(hasHostPeer).map(({ ifname }) => ifname)
  return [
    ...repeated(attachments.map(({ ifname }) => ifname)).map((name) => `two interfaces are called ${name}`),
    ...(peers.length > 1 ? [`${peers.join(' and ')} both want ${HOST_PEER} to the node; a pod has one`] : []),
  ]
}

/** By the gateway of an interface, or by the node where `host_stack_cidrs` says everything. */
function defaultRouteClashes(attachments: readonly Attachment[]): string[] {
  return (['ipv4', 'ipv6'] as const).flatMap((family) => {
    const everything = DEFAULT_ROUTES[family]
    const holders = attachments.filter((attachment) => {
      const { addresses, defaultRoute, hostStackCidrs } = attachment
      const byNode = hasHostPeer(attachment) && hostStackCidrs.includes(everything)
      return addresses[family] !== undefined && (defaultRoute || byNode)
    })
    if (holders.length < 2) return []
    const names = holders.map(({ ifname }) => ifname).join(' and ')
    return [`${names} both have the ${NAMES[family]} default route; one interface of a pod can`]
  })
}

function routeClashes(attachments: readonly Attachment[]): string[] {
  const routes = attachments.flatMap(extraRoutes)
  const twice = repeated(routes.map(({ destination }) => destination)).map((destination) => {
    const names = new Set(routes.filter((route) => route.destination === destination).map(ifnameOf))
    return names.size === 1
      ? `extra route ${destination} of ${[...names].join()} is given twice`
      : `extra route ${destination} is on ${[...names].join(' and ')}; a destination has one way`
  })
  return [...twice, ...routes.flatMap((route) => attachments.flatMap((other) => gatewayClash(route, other)))]
}

const ifnameOf = ({ attachment }: ExtraRoute): string => attachment.ifname

/** The kernel refuses an IPv6 gateway that the main table leads to by another link: see `ownDefaultRoutes`. */
function gatewayClash({ attachment, destination }: ExtraRoute, other: Attachment): string[] {
  const gateway = vpcGateway(other)
  if (other === attachment || gateway === undefined || !cidrContains(destination, gateway)) return []
  return [`extra route ${destination} of ${attachment.ifname} covers ${gateway}, the gateway of ${other.ifname}`]
}

/** The same for what leads to the node by the second veth. */
function hostStackProblems(attachment: Attachment, host: HostFacts): string[] {
  const gateway = vpcGateway(attachment)
  if (gateway === undefined) return []
  return nodeRoutes(attachment, host)
    .filter((cidr) => cidr !== DEFAULT_ROUTES.ipv6 && cidrContains(cidr, gateway))
    .map(
      (cidr) => `${cidr} is to be reached through the node, but covers ${gateway}, the gateway of ${attachment.ifname}`,
    )
}

/** The IPv6 gateway of an interface whose packets go to the VPC's router. */
function vpcGateway({ datapath, addresses, eni }: Attachment): Ip | undefined {
  return passesNode(datapath) || addresses.ipv6 === undefined ? undefined : eni?.gateways.ipv6
}

/** Values that are there more than once, each once. */
function repeated<T>(values: readonly T[]): T[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))]
}
