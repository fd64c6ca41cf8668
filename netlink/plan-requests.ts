/** What a plan asks of the kernel, as netlink requests for one namespace. */
import { addAddress, deleteAddress } from './address.ts'
import { Errno } from './errno.ts'
import type { NetlinkError } from './error.ts'
import { describeChange, type LinkChange, setLink } from './link.ts'
import type { Message, Request } from './message.ts'
import { addNeighbour, deleteNeighbour } from './neighbour.ts'
import type { DeviceRef, LinkSpec, NetworkPlan, PlanNetns, VethSpec } from './plan.ts'
import { eniGone, refused } from './plan-error.ts'
import {
  describeAddress,
  describeLink,
  describeNeighbour,
  describePlannedRoute,
  describePlannedRule,
  plannedRoute,
} from './plan-text.ts'
import { addRoute, deleteRoute } from './route.ts'
import { addRule, deleteRule } from './rule.ts'
import type { NetlinkSocket } from './socket.ts'

/** One request of a plan. */
export interface Step {
  readonly request: Request
  /** Whether what the kernel refused is as good as done. */
  readonly accept?: (error: NetlinkError) => boolean
  /** Modules of the kernel that the request needs. */
  readonly modules?: readonly string[]
  /** It changes an ENI, which may have gone. */
  readonly eni?: true
  /** Called when it is done, with what the kernel told of it: nothing, unless the request asks for an echo. */
  readonly done?: (told: readonly Message[]) => void
}

const named = (request: Request, text: string): Request => ({ ...request, text })

/** What the kernel answers when the object to be deleted, or the link it hung on, is not there. */
const ABSENT: readonly number[] = [Errno.ESRCH, Errno.ENOENT, Errno.ENODEV, Errno.EADDRNOTAVAIL]
export const isAbsent = ({ errno }: NetlinkError): boolean => ABSENT.includes(errno)

/** Rules are the one kind that is added exclusively: an equal one is there already. */
const isThere = ({ errno }: NetlinkError): boolean => errno === Errno.EEXIST

/**
 * Carries the steps out, with as few datagrams as possible: those that follow a failed one are carried out too.
 * @throws PlanError for the first that was refused.
 */
export function execute(socket: NetlinkSocket, where: string, steps: readonly Step[]): void {
  requireDone(where, steps, send(socket, steps))
}

/** What was refused, in the order of the steps. */
export function send(socket: NetlinkSocket, steps: readonly Step[]): (NetlinkError | undefined)[] {
  return socket.request(steps.map(({ request }) => request)).map(({ error, messages }, index) => {
    if (error === undefined) steps[index]?.done?.(messages)
    return error
  })
}

/** @throws PlanError */
export function requireDone(
  where: string,
  steps: readonly Step[],
  errors: readonly (NetlinkError | undefined)[],
): void {
  for (const [index, { accept, modules, eni, request }] of steps.entries()) {
    const error = errors[index]
    if (error === undefined || accept?.(error) === true) continue
    if (eni !== true || error.errno !== Errno.ENODEV) throw refused(where, error, modules)
    throw eniGone(where, { request: request.text, reason: 'the link does not exist', cause: error })
  }
}

interface Here {
  readonly netns: PlanNetns
  /** Links that were just made with all their attributes, the host's end of a veth already up. */
  readonly fresh: ReadonlySet<LinkSpec>
}

function vethChanges(link: VethSpec, { netns, fresh }: Here): LinkChange[] {
  const { mtu, mac } = netns === 'host' ? link : link.peer
  if (!fresh.has(link)) return [{ up: true, mtu, mac }]
  return netns === 'host' ? [] : [{ up: true }]
}

/** What is done to bring the link up, in this order. */
function changes(link: Exclude<LinkSpec, VethSpec>): LinkChange[] {
  switch (link.kind) {
    case 'existing':
      return [{ up: true, ...(link.mtu === undefined ? {} : { mtu: link.mtu }) }]
    case 'ipvlan':
      // In mode L2 it forgets IFF_NOARP as it comes up (ipvlan_open of drivers/net/ipvlan/ipvlan_main.c).
      return [{ up: true, mtu: link.mtu }, ...(link.noArp === true ? [{ arp: false }] : [])]
    case 'vlan':
      return [{ up: true, mtu: link.mtu, mac: link.mac }]
    case 'moved':
    case 'ifb':
      return [{ up: true, mtu: link.mtu }]
  }
}

/** Brings the links up and to their attributes. */
export function linkSteps(plan: NetworkPlan, here: Here): Step[] {
  return plan.links.flatMap((link) => {
    if (link.kind === 'veth') {
      const end = here.netns === 'host' ? link : link.peer
      return vethChanges(link, here).map((change) => ({ request: changeOf(end, change) }))
    }
    if (link.netns !== here.netns) return []
    const eni = link.kind === 'existing' && link.netns === 'host' ? { eni: true as const } : {}
    return changes(link).map((change) => ({ request: changeOf(link, change), ...eni }))
  })
}

function changeOf(link: Pick<LinkSpec, 'name' | 'ifindex'>, change: LinkChange): Request {
  return named(setLink(link.ifindex, change), `set link ${describeLink(link)} ${describeChange(change)}`)
}

/** In the order that works: addresses, rules, neighbours, routes. All but the rules replace what is there. */
export function objectSteps(plan: NetworkPlan, netns: PlanNetns): Step[] {
  const here = (object: { readonly device: DeviceRef }) => object.device.netns === netns
  return [
    ...plan.addresses.filter(here).map((spec) => ({
      request: named(addAddress({ ...spec, ifindex: spec.device.ifindex }), `add address ${describeAddress(spec)}`),
    })),
    ...plan.rules
      .filter((rule) => rule.netns === netns)
      .map((rule) => ({ request: named(addRule(rule), `add rule ${describePlannedRule(rule)}`), accept: isThere })),
    ...plan.neighbours.filter(here).map((spec) => ({
      request: named(
        addNeighbour({ ...spec, ifindex: spec.device.ifindex }),
        `add neighbour ${describeNeighbour(spec)}`,
      ),
    })),
    ...plan.routes.filter(here).map((spec) => ({
      request: named(addRoute(plannedRoute(spec)), `add route ${describePlannedRoute(spec)}`),
    })),
  ]
}

/** The reverse, for objects on the devices that `holds` accepts. */
export function removalSteps(
  plan: NetworkPlan,
  { netns, holds }: { readonly netns: PlanNetns; readonly holds: (device: DeviceRef) => boolean },
): Step[] {
  const here = ({ device }: { readonly device: DeviceRef }) => device.netns === netns && holds(device)
  const requests = [
    ...plan.rules
      .filter((rule) => rule.netns === netns)
      .map((rule) => named(deleteRule(rule), `delete rule ${describePlannedRule(rule)}`)),
    ...plan.routes
      .filter(here)
      .map((spec) => named(deleteRoute(plannedRoute(spec)), `delete route ${describePlannedRoute(spec)}`)),
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
  return requests.map((request) => ({ request, accept: isAbsent }))
}

/** Whether the plan wants anything of the namespace. */
export function touches(plan: NetworkPlan, netns: PlanNetns): boolean {
  const onDevice = [...plan.addresses, ...plan.neighbours, ...plan.routes, ...plan.qdiscs, ...plan.filters]
  const direct = [...plan.rules, ...plan.sysctls, ...plan.links]
  return (
    onDevice.some(({ device }) => device.netns === netns) ||
    direct.some((object) => object.netns === netns) ||
    plan.links.some(({ kind }) => kind === 'veth')
  )
}
