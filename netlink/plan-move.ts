/**
 * Taking an ENI from the host into a pod, and bringing it home.
 *
 * Its MAC address is what it is known by: names and indexes change on the way. The kernel first moves a link and then
 * gives it its new name; where that is taken the link stays behind under its old one.
 */
import { type LinkName, parseLinkName } from '../inet/link-name.ts'
import { Errno } from './errno.ts'
import type { NetlinkError } from './error.ts'
import { getLink, type Link, listLinks, renameLink, setLink, setLinkDown } from './link.ts'
import type { Request } from './message.ts'
import type { Netns } from './netns.ts'
import type { MovedLinkSpec } from './plan.ts'
import { eniGone, PlanError, refused } from './plan-error.ts'
import type { PodPlace } from './plan-place.ts'
import { execute, type Step } from './plan-requests.ts'
import type { NetlinkSocket } from './socket.ts'

/** They have the MAC address of the link they stand on. */
const STACKED: readonly (string | undefined)[] = ['vlan', 'ipvlan', 'ipvtap', 'macvlan', 'macvtap']

const isEni = ({ mac }: MovedLinkSpec, link: Link | undefined): link is Link =>
  link !== undefined && link.mac === mac && !STACKED.includes(link.kind)

/** No two links of a node have the same MAC address, so nobody has this name. */
const nameOnTheWay = ({ mac }: MovedLinkSpec): LinkName => parseLinkName(`tw${mac.replaceAll(':', '')}`)

/** The kernel puts the first free number in the place of `%d` (dev_alloc_name of net/core/dev.c). */
const ANY_NAME = parseLinkName('eni%d')

/** Under whatever name. @throws NetlinkError */
export function findInPod(spec: MovedLinkSpec, pod: NetlinkSocket): Link | undefined {
  const named = getLink(pod, spec.name)
  return isEni(spec, named) ? named : listLinks(pod).find((link) => isEni(spec, link))
}

/** A node has many links: all of them are looked at only when the ENI is not where it was. */
function findOnHost(spec: MovedLinkSpec, host: NetlinkSocket): Link | undefined {
  for (const which of [spec.home.ifindex, spec.home.name]) {
    const link = getLink(host, which)
    if (isEni(spec, link)) return link
  }
  return listLinks(host).find((link) => isEni(spec, link))
}

/** @throws PlanError; the link may be in the pod then, under its name on the host: `bringHome` undoes that. */
export function moveIntoPod(spec: MovedLinkSpec, { host, pod, where }: PodPlace): void {
  const request = `move link ${spec.home.name} to ${pod.netns.path}`
  requireNameFree(spec, { pod, where, request })
  const link = findOnHost(spec, host)
  if (link === undefined) {
    throw eniGone(where.host, { request, reason: `no link has the address ${spec.mac}` })
  }
  execute(host, where.host, inTurn(setLinkDown(link.ifindex)))
  const move = setLink(link.ifindex, { netns: pod.netns, name: spec.name, ifindex: spec.ifindex })
  moveAnyIndex(host, where.host, [move, setLink(link.ifindex, { netns: pod.netns, name: spec.name })])
}

/** Gives an ENI that is in the pod already its name there. @throws PlanError */
export function nameInPod(spec: MovedLinkSpec, link: Link, { pod, where }: PodPlace): void {
  requireNameFree(spec, { pod, where, request: `rename link ${link.name} to ${spec.name}` })
  execute(pod.socket, where.pod, inTurn(setLinkDown(link.ifindex), renameLink(link.ifindex, spec.name)))
}

function requireNameFree(
  spec: MovedLinkSpec,
  { pod, where, request }: Pick<PodPlace, 'pod' | 'where'> & { readonly request: string },
): void {
  const there = getLink(pod.socket, spec.name)
  if (there === undefined) return
  const reason = `${spec.name} exists already (ifindex ${there.ifindex}, ${there.kind ?? 'no type'})`
  throw new PlanError({ code: 'name-taken', where: where.pod, request, reason })
}

/**
 * Brings the ENI back from the pod, down and without addresses, to its name and index on the host; where the name is
 * taken it gets one of the kernel's. One that is not in the pod is fine.
 * @throws PlanError, NetlinkError
 */
export function bringHome(spec: MovedLinkSpec, { host, hostNetns, pod, where }: PodPlace & { hostNetns: Netns }): void {
  // Moved under a name that nobody has, so that it arrives whatever its names are to other links.
  const name = nameOnTheWay(spec)
  const link = findInPod(spec, pod.socket)
  if (link !== undefined) {
    execute(pod.socket, where.pod, inTurn(setLinkDown(link.ifindex), renameLink(link.ifindex, name)))
    const move = (ifindex?: number) =>
      setLink(link.ifindex, { netns: hostNetns, ...(ifindex === undefined ? {} : { ifindex }) })
    moveAnyIndex(pod.socket, where.pod, [move(spec.home.ifindex), move()])
  }
  // Also one that arrived before and got no further.
  const arrived = getLink(host, name)
  if (arrived === undefined) return
  const taken = rejection(host, renameLink(arrived.ifindex, spec.home.name))
  if (taken === undefined) return
  if (taken.errno !== Errno.EEXIST) throw refused(where.host, taken)
  execute(host, where.host, inTurn(renameLink(arrived.ifindex, ANY_NAME)))
}

/** With the index that is wanted, or, where that is taken, with one of the kernel's. */
function moveAnyIndex(socket: NetlinkSocket, where: string, [wanted, any]: readonly [Request, Request]): void {
  const error = rejection(socket, wanted)
  if (error === undefined) return
  if (error.errno !== Errno.EBUSY) throw refused(where, error)
  execute(socket, where, inTurn(any))
}

const inTurn = (...requests: Request[]): Step[] => requests.map((request) => ({ request }))

function rejection(socket: NetlinkSocket, request: Request): NetlinkError | undefined {
  return socket.request([request])[0]?.error
}
