/** Making the veth of a plan, and telling it from a stale or foreign link that is in the way. */
import { Errno } from './errno.ts'
import { addVeth, deleteLink, getLink, type Link } from './link.ts'
import type { Netns } from './netns.ts'
import type { PlanNetns, VethSpec } from './plan.ts'
import { PlanError, refused } from './plan-error.ts'
import { REAPER_GROUP } from './reaper.ts'
import type { NetlinkSocket } from './socket.ts'

export interface VethPlace {
  readonly host: NetlinkSocket
  readonly pod: NetlinkSocket
  readonly podNetns: Netns
  /** Both namespaces, for messages. */
  readonly where: Readonly<Record<PlanNetns, string>>
}

/**
 * Makes both ends.
 * @returns `kept` when exactly this veth was there before: it may need its attributes set again.
 * @throws PlanError
 */
export function createVeth(spec: VethSpec, place: VethPlace): 'created' | 'kept' {
  const request = addVeth({ ...spec, up: true, peer: { ...spec.peer, netns: place.podNetns } })
  for (let retry = false; ; retry = true) {
    const [ack] = place.host.request([request])
    if (ack?.error === undefined) return 'created'
    const { error } = ack
    // EEXIST: a name or the host's index is taken. EBUSY: the peer's index is.
    if (retry || (error.errno !== Errno.EEXIST && error.errno !== Errno.EBUSY)) throw refused(place.where.host, error)
    if (resolveConflict(spec, place) === 'ours') return 'kept'
  }
}

/** Something has a name or an index of this veth: ours is kept, a stale one of the host's name is deleted. */
function resolveConflict(spec: VethSpec, place: VethPlace): 'ours' | 'cleared' {
  const request = `add link ${spec.name} type veth peer ${spec.peer.name}`
  const named = getLink(place.host, spec.name)
  if (named !== undefined) {
    if (isWhole(spec, { host: named, pod: getLink(place.pod, spec.peer.name) })) return 'ours'
    if (named.kind !== 'veth') {
      const reason = `${spec.name} exists already and is no veth (${named.kind ?? 'no type'})`
      throw new PlanError({ code: 'name-taken', where: place.where.host, request, reason })
    }
    const [ack] = place.host.request([deleteLink(named.ifindex)])
    // ENODEV: it was being deleted already.
    if (ack?.error !== undefined && ack.error.errno !== Errno.ENODEV) throw refused(place.where.host, ack.error)
  }
  const where = place.where.pod
  const onHost = getLink(place.host, spec.ifindex)
  if (onHost !== undefined) {
    throw new PlanError({
      code: 'ifindex-taken',
      where: place.where.host,
      request,
      reason: taken(spec.ifindex, onHost),
    })
  }
  const byName = getLink(place.pod, spec.peer.name)
  if (byName !== undefined) {
    const reason = `${spec.peer.name} exists already (ifindex ${byName.ifindex}, ${byName.kind ?? 'no type'})`
    throw new PlanError({ code: 'name-taken', where, request, reason })
  }
  const inPod = getLink(place.pod, spec.peer.ifindex)
  if (inPod !== undefined) {
    throw new PlanError({ code: 'ifindex-taken', where, request, reason: taken(spec.peer.ifindex, inPod) })
  }
  return 'cleared'
}

function taken(ifindex: number, link: Link): string {
  return `ifindex ${ifindex} belongs to ${link.name}`
}

/** Indexes and the way the ends point at each other identify it; MAC, MTU and state can be set again. */
function isWhole(spec: VethSpec, { host, pod }: { readonly host: Link; readonly pod: Link | undefined }): boolean {
  return (
    isHostEnd(spec, host) &&
    // The reaper will delete it at any moment.
    host.group !== REAPER_GROUP &&
    host.peerIfindex === spec.peer.ifindex &&
    pod?.kind === 'veth' &&
    pod.ifindex === spec.peer.ifindex &&
    pod.peerIfindex === spec.ifindex
  )
}

/**
 * The index was chosen by the plan, so a link of the same name with another index is somebody else's. One of them, name
 * or MAC, can have been changed by hand.
 */
export function isHostEnd(spec: VethSpec, link: Link): boolean {
  return link.kind === 'veth' && link.ifindex === spec.ifindex && (link.name === spec.name || link.mac === spec.mac)
}
