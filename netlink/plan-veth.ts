/** Making the veth of a plan, and telling it from a stale or foreign link that is in the way. */
import { Errno } from './errno.ts'
import { addVeth, getLink, type Link, renameLink, setLinkDown } from './link.ts'
import type { VethSpec } from './plan.ts'
import { PlanError, refused } from './plan-error.ts'
import { discardLink, requireIndexFree } from './plan-obstacles.ts'
import type { PodPlace } from './plan-place.ts'
import { execute } from './plan-requests.ts'
import { REAPER_GROUP } from './reaper.ts'
import type { NetlinkSocket } from './socket.ts'

/**
 * Makes both ends.
 * @returns `kept` when exactly this veth was there before: it may need its attributes set again.
 * @throws PlanError
 */
export function createVeth(spec: VethSpec, place: PodPlace): 'created' | 'kept' {
  const request = addVeth({ ...spec, up: true, peer: { ...spec.peer, netns: place.pod.netns } })
  for (let retry = false; ; retry = true) {
    const [ack] = place.host.request([request])
    if (ack?.error === undefined) return 'created'
    const { error } = ack
    // EEXIST: a name or the host's index is taken. EBUSY: the peer's index is.
    if (retry || (error.errno !== Errno.EEXIST && error.errno !== Errno.EBUSY))
      throw refused(place.where.host, error, ['veth'])
    if (resolveConflict(spec, place) === 'ours') return 'kept'
  }
}

/** Something has a name or an index of this veth: ours is kept, under its names again, a stale one is deleted. */
function resolveConflict(spec: VethSpec, place: PodPlace): 'ours' | 'cleared' {
  const request = `add link ${spec.name} type veth peer ${spec.peer.name}`
  const host = { socket: place.host, where: place.where.host, request }
  const pod = { socket: place.pod.socket, where: place.where.pod, request }
  const ends = { host: getLink(host.socket, spec.ifindex), pod: getLink(pod.socket, spec.peer.ifindex) }
  const whole = isWhole(spec, ends)
  clearHostName(spec, { ...host, kept: whole ? spec.ifindex : undefined })
  if (whole) {
    nameAgain(spec, ends.host, host)
    nameAgain(spec.peer, ends.pod, pod)
    return 'ours'
  }
  requireIndexFree(spec.ifindex, host)
  requirePeerName(spec, pod)
  requireIndexFree(spec.peer.ifindex, pod)
  return 'cleared'
}

interface Asked {
  readonly socket: NetlinkSocket
  readonly where: string
  readonly request: string
}

/** A stale veth has our name. @throws PlanError `name-taken` when it is no veth. */
function clearHostName({ name }: VethSpec, { kept, ...asked }: Asked & { readonly kept: number | undefined }): void {
  const named = getLink(asked.socket, name)
  if (named === undefined || named.ifindex === kept) return
  if (named.kind === 'veth') {
    discardLink(named, asked)
    return
  }
  const reason = `${name} exists already and is no veth (${named.kind ?? 'no type'})`
  throw new PlanError({ code: 'name-taken', where: asked.where, request: asked.request, reason })
}

function requirePeerName({ peer }: VethSpec, { socket, where, request }: Asked): void {
  const found = getLink(socket, peer.name)
  if (found === undefined) return
  const reason = `${peer.name} exists already (ifindex ${found.ifindex}, ${found.kind ?? 'no type'})`
  throw new PlanError({ code: 'name-taken', where, request, reason })
}

/** Somebody renamed it. Kernels before 6.2 name a link only while it is down. @throws PlanError */
function nameAgain({ name, ifindex }: VethSpec | VethSpec['peer'], link: Link | undefined, asked: Asked): void {
  if (link?.name === name) return
  const { socket, where } = asked
  const [live] = socket.request([renameLink(ifindex, name)])
  if (live?.error === undefined) return
  if (live.error.errno !== Errno.EBUSY) throw refused(where, live.error)
  execute(socket, where, [{ request: setLinkDown(ifindex) }, { request: renameLink(ifindex, name) }])
}

interface Ends {
  readonly host: Link | undefined
  readonly pod: Link | undefined
}

/** Indexes and the way the ends point at each other identify it; names, MAC, MTU and state can be set again. */
function isWhole(spec: VethSpec, { host, pod }: Ends): boolean {
  return (
    host !== undefined &&
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
