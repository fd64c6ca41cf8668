/** Taking away what a plan lists in one namespace. */
import type { FilterMemory } from './filter-memory.ts'
import { getLink, type Link } from './link.ts'
import type { DeviceRef, LinkSpec, NetworkPlan, PlanNetns } from './plan.ts'
import { removalSteps, requireDone, send } from './plan-requests.ts'
import { tcRemovalSteps } from './plan-tc.ts'
import { isHostEnd } from './plan-veth.ts'
import type { PodSide } from './pod-side.ts'
import { LinkReaper } from './reaper.ts'
import type { NetlinkSocket } from './socket.ts'

export interface Side {
  readonly netns: PlanNetns
  readonly socket: NetlinkSocket
  /** For messages. */
  readonly where: string
}

/** Indexes of the links in the namespace that go with the plan, whether they are there or not. */
function leaving(plan: NetworkPlan, netns: PlanNetns): ReadonlySet<number> {
  const indexes = plan.links.flatMap((link) => {
    if (link.kind === 'existing') return []
    if (link.kind === 'veth') return netns === 'host' ? [link.ifindex] : [link.peer.ifindex]
    return link.netns === netns ? [link.ifindex] : []
  })
  return new Set(indexes)
}

/**
 * Indexes of the links to delete in the namespace. A veth is deleted on the host, and a link that moved is none of them.
 * @throws NetlinkError
 */
export function ownLinks(plan: NetworkPlan, { netns, socket }: Side): ReadonlySet<number> {
  const own = plan.links.filter((spec) => {
    if (spec.netns !== netns || !isMade(spec)) return false
    const link = getLink(socket, spec.ifindex)
    return link !== undefined && isOwn(spec, link)
  })
  return new Set(own.map(({ ifindex }) => ifindex))
}

type MadeSpec = Exclude<LinkSpec, { kind: 'existing' | 'moved' }>

function isMade(spec: LinkSpec): spec is MadeSpec {
  return spec.kind !== 'existing' && spec.kind !== 'moved'
}

/** Whether anything of the plan is left in the pod when the host's ends of its veths have gone. */
export function outlivesHost(plan: NetworkPlan): boolean {
  const gone = leaving(plan, 'pod')
  const objects = [...plan.addresses, ...plan.neighbours, ...plan.routes, ...plan.qdiscs, ...plan.filters]
  return (
    plan.links.some(({ netns, kind }) => netns === 'pod' && kind !== 'existing') ||
    plan.rules.some(({ netns }) => netns === 'pod') ||
    objects.some(({ device }) => device.netns === 'pod' && !gone.has(device.ifindex))
  )
}

/** The index was chosen by the plan; that the kind fits, and one thing more, says that the link is still the plan's. */
function isOwn(spec: MadeSpec, link: Link): boolean {
  switch (spec.kind) {
    case 'veth':
      return isHostEnd(spec, link)
    case 'ifb':
      return link.kind === 'ifb' && link.name === spec.name
    case 'ipvlan':
    case 'vlan':
      return link.kind === spec.kind && link.peerIfindex === spec.parent.ifindex
  }
}

/**
 * Rules, routes, neighbours and addresses. Those on a link of the plan that is gone went with it; its index may belong to
 * somebody else by now. `own` are links that are there and go later.
 * @throws PlanError
 */
export function removeObjects(plan: NetworkPlan, { netns, socket, where }: Side, own: ReadonlySet<number>): void {
  const gone = leaving(plan, netns)
  const holds = ({ ifindex }: DeviceRef) => own.has(ifindex) || !gone.has(ifindex)
  const steps = removalSteps(plan, { netns, holds })
  requireDone(where, steps, send(socket, steps))
}

/** Qdiscs and filters on links that stay. @throws PlanError, NetlinkError */
export function removeTc(plan: NetworkPlan, side: Side & { readonly memory: FilterMemory }): void {
  const gone = leaving(plan, side.netns)
  const steps = tcRemovalSteps(plan, { ...side, stays: ({ ifindex }) => !gone.has(ifindex) })
  requireDone(side.where, steps, send(side.socket, steps))
}

/**
 * Deletes the plan's own links in the pod, off the main thread. They are down when this returns.
 * @throws NetlinkError, SystemCallError
 */
export function reapInPod(plan: NetworkPlan, pod: PodSide, side: Side): Promise<void>[] {
  const own = ownLinks(plan, side)
  if (own.size === 0) return []
  const reaper = new LinkReaper({ netns: pod.netns })
  const removed = [...own].map((ifindex) => reaper.remove(ifindex))
  return [...removed, reaper.close()]
}
