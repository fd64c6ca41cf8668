/** Making the links of a plan, each by its kind. */
import type { LinkName } from '../inet/link-name.ts'
import { getLink, setLinkMtu } from './link.ts'
import type { DeviceRef, ExistingLinkSpec, LinkSpec, MovedLinkSpec } from './plan.ts'
import { eniGone } from './plan-error.ts'
import { findInPod, moveIntoPod, nameInPod } from './plan-move.ts'
import { type LinkPlace, withPod } from './plan-place.ts'
import { createIfb, createStacked } from './plan-stacked.ts'
import { createVeth } from './plan-veth.ts'

/** Filled in link by link, so that it is known what was done before one failed. */
export interface LinksMade {
  /** Made by this call, with all their attributes. */
  readonly fresh: Set<LinkSpec>
  /** Taken from the host by this call, or about to be. */
  readonly moved: MovedLinkSpec[]
  /** Where moved links are in the pod. */
  readonly indexes: Map<LinkName, number>
}

export const nothingMade = (): LinksMade => ({ fresh: new Set(), moved: [], indexes: new Map() })

/** Links of a plan come in an order in which each stands on those before it. @throws PlanError, NetlinkError */
export function makeLink(link: LinkSpec, place: LinkPlace, made: LinksMade): void {
  switch (link.kind) {
    case 'existing':
      prepareExisting(link, place)
      return
    case 'moved':
      moveLink(link, place, made)
      return
    default:
      if (createLink(link, place) === 'created') made.fresh.add(link)
  }
}

/**
 * It is looked for before anything is asked of its sysctls, which would not say what is wrong; a pod always has its `lo`.
 * And it has its MTU before links are made that stand on it, and may have as much.
 */
function prepareExisting({ netns, name, ifindex, mtu }: ExistingLinkSpec, { host, where }: LinkPlace): void {
  if (netns === 'pod') return
  const link = getLink(host, ifindex)
  if (link === undefined) {
    throw eniGone(where.host, { request: `set link ${name} up`, reason: `${name} (ifindex ${ifindex}) does not exist` })
  }
  // One that is refused is asked for again with the link's other attributes, and heard of there.
  if (mtu !== undefined && mtu !== link.mtu) host.request([setLinkMtu(ifindex, mtu)])
}

function createLink(link: Exclude<LinkSpec, { kind: 'existing' | 'moved' }>, place: LinkPlace): 'created' | 'kept' {
  switch (link.kind) {
    case 'veth':
      return createVeth(link, withPod(place, link))
    case 'ifb':
      return createIfb(link, place)
    case 'ipvlan':
    case 'vlan':
      return createStacked(link, place)
  }
}

function moveLink(spec: MovedLinkSpec, place: LinkPlace, { moved, indexes }: LinksMade): void {
  const inPod = withPod(place, spec)
  const { socket } = inPod.pod
  const there = findInPod(spec, socket)
  if (there === undefined) {
    // Noted first: a move that fails half way has to be undone too.
    moved.push(spec)
    moveIntoPod(spec, inPod)
  } else if (there.name !== spec.name) {
    nameInPod(spec, there, inPod)
  }
  indexes.set(spec.name, findInPod(spec, socket)?.ifindex ?? spec.ifindex)
}

/** Whether the device is one of the links. */
export function isOn(links: ReadonlySet<LinkSpec>, { netns, name }: DeviceRef): boolean {
  for (const link of links) {
    if (link.netns === netns && link.name === name) return true
    if (link.kind === 'veth' && netns === 'pod' && link.peer.name === name) return true
  }
  return false
}
