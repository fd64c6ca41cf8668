/** What a plan asks of the kernel, as netlink requests for one namespace. */
import { addAddress, deleteAddress } from './address.ts'
import { setLink } from './link.ts'
import type { Request } from './message.ts'
import { addNeighbour, deleteNeighbour } from './neighbour.ts'
import type { DeviceRef, LinkSpec, NetworkPlan, PlanNetns } from './plan.ts'
import {
  describeAddress,
  describeLink,
  describeNeighbour,
  describePlannedRoute,
  describePlannedRule,
} from './plan-text.ts'
import { addRoute, deleteRoute } from './route.ts'
import { addRule, deleteRule } from './rule.ts'

const named = (request: Request, text: string): Request => ({ ...request, text })

/**
 * Brings the link up and to its attributes. `fresh` links were just made with all of them, the host's end already up;
 * for a fresh veth only the peer is left to do.
 */
function linkRequests(link: LinkSpec, { netns, fresh }: { netns: PlanNetns; fresh: boolean }): Request[] {
  const text = `set link ${describeLink(link)} up`
  switch (link.kind) {
    case 'existing': {
      if (link.netns !== netns) return []
      const change = { up: true, ...(link.mtu === undefined ? {} : { mtu: link.mtu }) }
      return [named(setLink(link.ifindex, change), text)]
    }
    case 'veth': {
      const end = netns === 'host' ? link : link.peer
      if (fresh) return netns === 'host' ? [] : [named(setLink(end.ifindex, { up: true }), `set link ${end.name} up`)]
      const change = { up: true, mtu: end.mtu, mac: end.mac }
      return [named(setLink(end.ifindex, change), `set link ${end.name} up mtu ${end.mtu} address ${end.mac}`)]
    }
  }
}

/** In the order that works: links up, addresses, neighbours, routes, rules. All but the rules replace what is there. */
export function applyRequests(
  plan: NetworkPlan,
  { netns, kept }: { readonly netns: PlanNetns; readonly kept: ReadonlySet<LinkSpec> },
): Request[] {
  const here = (object: { readonly device: DeviceRef }) => object.device.netns === netns
  return [
    ...plan.links.flatMap((link) => linkRequests(link, { netns, fresh: !kept.has(link) })),
    ...plan.addresses
      .filter(here)
      .map((spec) =>
        named(addAddress({ ...spec, ifindex: spec.device.ifindex }), `add address ${describeAddress(spec)}`),
      ),
    ...plan.neighbours
      .filter(here)
      .map((spec) =>
        named(addNeighbour({ ...spec, ifindex: spec.device.ifindex }), `add neighbour ${describeNeighbour(spec)}`),
      ),
    ...plan.routes
      .filter(here)
      .map((spec) =>
        named(addRoute({ ...spec, ifindex: spec.device.ifindex }), `add route ${describePlannedRoute(spec)}`),
      ),
    ...plan.rules
      .filter((rule) => rule.netns === netns)
      .map((rule) => named(addRule(rule), `add rule ${describePlannedRule(rule)}`)),
  ]
}

/** The reverse, for objects on the devices that `holds` accepts. Links are not in it. */
export function removeRequests(
  plan: NetworkPlan,
  { netns, holds }: { readonly netns: PlanNetns; readonly holds: (device: DeviceRef) => boolean },
): Request[] {
  const here = ({ device }: { readonly device: DeviceRef }) => device.netns === netns && holds(device)
  return [
    ...plan.rules
      .filter((rule) => rule.netns === netns)
      .map((rule) => named(deleteRule(rule), `delete rule ${describePlannedRule(rule)}`)),
    ...plan.routes
      .filter(here)
      .map((spec) =>
        named(deleteRoute({ ...spec, ifindex: spec.device.ifindex }), `delete route ${describePlannedRoute(spec)}`),
      ),
    ...plan.neighbours
      .filter(here)
      .map((spec) =>
        named(
          deleteNeighbour({ ...spec, ifindex: spec.device.ifindex }),
          `delete neighbour ${describeNeighbour(spec)}`,
        ),
      ),
    ...plan.addresses
      .filter(here)
      .map((spec) =>
        named(deleteAddress({ ...spec, ifindex: spec.device.ifindex }), `delete address ${describeAddress(spec)}`),
      ),
  ]
}

/** Whether the plan wants anything of the namespace. */
export function touches(plan: NetworkPlan, netns: PlanNetns): boolean {
  const onDevice = [...plan.addresses, ...plan.neighbours, ...plan.routes].some(({ device }) => device.netns === netns)
  const direct = [...plan.rules, ...plan.sysctls].some((object) => object.netns === netns)
  return onDevice || direct || plan.links.some((link) => link.netns === netns || link.kind === 'veth')
}
