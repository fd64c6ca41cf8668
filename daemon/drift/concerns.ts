/**
 * Whose plans an event of the kernel may have broken. What is as a plan has it concerns nobody, so that making and
 * repairing a pod's network calls for no look at it.
 */
import type { Address } from '../../netlink/address.ts'
import type { Link } from '../../netlink/link.ts'
import type { KernelEvent } from '../../netlink/monitor.ts'
import type { Neighbour } from '../../netlink/neighbour.ts'
import type { AddressSpec, NeighbourSpec, RouteSpec } from '../../netlink/plan.ts'
import type { Route } from '../../netlink/route.ts'
import type { Extent } from './extent.ts'
import { type PlanOwner, placeOfLink, placeOfRoute, placeOfRule, placeOnLink } from './places.ts'
import type { HostLinkSpec, PlanIndex } from './plan-index.ts'

export interface Concern {
  readonly owners: ReadonlySet<PlanOwner> | 'all'
  /** Events speak of the host; the end of a link in the pod may be what is wrong with the other. */
  readonly extent: Extent
}

/** Undefined: nobody's. */
export function concernOf(event: KernelEvent, index: PlanIndex): Concern | undefined {
  if (event.kind === 'overrun') return { owners: 'all', extent: 'whole' }
  const owners = new Set(ownersOf(event, index))
  return owners.size === 0 ? undefined : { owners, extent: extentOf(event, index) }
}

/** A link that is ours, only down or with another MTU, needs nothing of the pod. */
function extentOf(event: Exclude<KernelEvent, { kind: 'overrun' }>, { links }: PlanIndex): Extent {
  if (event.kind !== 'link') return 'host'
  const { link, change } = event
  const planned = [...links.at(placeOfLink(link.ifindex)).values()]
  const isOurs = change === 'new' && planned.length > 0 && planned.every((spec) => isOwnLink(spec, link))
  return isOurs && !lacksPeer(link) ? 'node' : 'whole'
}

function ownersOf(event: Exclude<KernelEvent, { kind: 'overrun' }>, index: PlanIndex): Iterable<PlanOwner> {
  const isNew = event.change === 'new'
  switch (event.kind) {
    case 'link':
      return ofLink(event.link, { isNew, index })
    case 'address':
      return ofAddress(event.address, { isNew, index })
    case 'route': {
      const planned = index.routes.at(placeOfRoute(event.route))
      return isNew ? differing(planned, (spec) => isSameRoute(spec, event.route)) : planned.keys()
    }
    case 'neighbour': {
      const { ifindex, address } = event.neighbour
      const planned = index.neighbours.at(placeOnLink(ifindex, address))
      return isNew ? differing(planned, (spec) => isSameNeighbour(spec, event.neighbour)) : planned.keys()
    }
    case 'rule':
      // A new one stands beside the others, and its own kind is not ours.
      return isNew || event.rule.special ? [] : index.rules.at(placeOfRule(event.rule)).keys()
    case 'qdisc':
      // What takes the place of another makes the kernel tell of both.
      return isNew ? [] : index.qdiscs.at(placeOfLink(event.ifindex)).keys()
  }
}

function differing<Spec>(planned: ReadonlyMap<PlanOwner, Spec>, isSame: (spec: Spec) => boolean): PlanOwner[] {
  return [...planned].flatMap(([owner, spec]) => (isSame(spec) ? [] : [owner]))
}

interface Look {
  readonly isNew: boolean
  readonly index: PlanIndex
}

/** Of a link that goes down the kernel drops the IPv4 routes, and does not say so (`fib_sync_down_dev`). */
function ofLink(link: Link, { isNew, index }: Look): PlanOwner[] {
  const place = placeOfLink(link.ifindex)
  const isSame = (spec: HostLinkSpec) => isNew && isSameLink(spec, link)
  return [
    ...differing(index.links.at(place), isSame),
    // The name of a link that is gone may have passed to another before.
    ...(isNew ? differing(index.linkNames.at(link.name), isSame) : []),
    ...(isNew && link.up ? [] : index.devices.at(place).keys()),
  ]
}

/**
 * With an address of the node go the routes that give it to packets (`fib_sync_down_addr`), and with the last IPv4
 * address of a link everything of IPv4 on the link (`fib_disable_ip`): of neither the kernel says anything.
 */
function ofAddress(address: Address, { isNew, index }: Look): PlanOwner[] {
  const planned = index.addresses.at(placeOnLink(address.ifindex, address.address))
  if (isNew) return differing(planned, (spec) => isSameAddress(spec, address))
  return [
    ...planned.keys(),
    ...index.sources.at(address.address).keys(),
    ...(address.family === 'ipv4' ? index.devices.at(placeOfLink(address.ifindex)).keys() : []),
  ]
}

/** Only of a veth pair the other end is ours too: that of an ENI is a cable. */
function isSameLink(spec: HostLinkSpec, link: Link): boolean {
  const hasMtu = spec.mtu === undefined || link.mtu === spec.mtu
  return link.up && hasMtu && isOwnLink(spec, link) && !(spec.kind === 'veth' && lacksPeer(link))
}

/** Whatever its state is. */
function isOwnLink(spec: HostLinkSpec, link: Link): boolean {
  if (link.name !== spec.name || link.ifindex !== spec.ifindex) return false
  if (spec.kind === 'existing') return true
  return link.kind === spec.kind && (spec.kind !== 'veth' || link.mac === spec.mac)
}

/** Of a veth: its other end is down. While this one is down, nothing tells. */
const lacksPeer = ({ up, running }: Link): boolean => up && !running

function isSameAddress(spec: AddressSpec, { family, prefixLength, scope }: Address): boolean {
  // The kernel derives the scope of an IPv6 address from the address.
  return spec.prefixLength === prefixLength && (family === 'ipv6' || spec.scope === scope)
}

function isSameRoute(spec: RouteSpec, route: Route): boolean {
  if (route.type !== (spec.type ?? 'unicast')) return false
  if (route.type === 'blackhole') return true
  return (
    route.ifindex === spec.device.ifindex &&
    route.gateway === spec.gateway &&
    route.onlink === (spec.onlink ?? false) &&
    route.preferredSource === spec.source &&
    // IPv6 routes have no scope of their own.
    (route.family === 'ipv6' || route.scope === spec.scope)
  )
}

function isSameNeighbour(spec: NeighbourSpec, { mac, state }: Neighbour): boolean {
  return mac === spec.mac && state === 'permanent'
}
