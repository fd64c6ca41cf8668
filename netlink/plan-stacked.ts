/**
 * Making the links of a plan that stand on another one (ipvlan, vlan), and ifbs, which stand alone.
 *
 * A link for a pod is asked for on the host, where its parent is, and is born in the pod. The kernel looks for its name
 * on the host, though, where the ENI may have the one that the pod wants. So it is born under a name of its own.
 */
import { type LinkName, parseLinkName } from '../inet/link-name.ts'
import { Errno } from './errno.ts'
import type { NetlinkError } from './error.ts'
import { getLink, type Link, listLinks, renameLink } from './link.ts'
import { addIfb, addIpvlan, addVlan, IPVLAN_MODE_L2 } from './link-kinds.ts'
import type { Request } from './message.ts'
import type { Netns } from './netns.ts'
import type { IfbSpec, IpvlanSpec, VlanSpec } from './plan.ts'
import { eniGone, PlanError, refused } from './plan-error.ts'
import { discardLink, requireIndexFree } from './plan-obstacles.ts'
import { type LinkPlace, withPod } from './plan-place.ts'
import { execute } from './plan-requests.ts'
import { REAPER_GROUP } from './reaper.ts'
import type { NetlinkSocket } from './socket.ts'

type StackedSpec = IpvlanSpec | VlanSpec

/** Of the modules that bring these links. */
const MODULES = { ipvlan: 'ipvlan', vlan: '8021q', ifb: 'ifb' } as const

/** What a taken name, index or VLAN id looks like; EBUSY: the index is taken in the namespace where it is born. */
const TAKEN: readonly number[] = [Errno.EEXIST, Errno.EBUSY]

/** Where a link will be. */
interface Target {
  readonly socket: NetlinkSocket
  /** Absent when it is the host. */
  readonly netns?: Netns
  readonly where: string
}

function targetOf(spec: StackedSpec | IfbSpec, place: LinkPlace): Target {
  if (spec.netns === 'host') return { socket: place.host, where: place.where.host }
  const { pod } = withPod(place, spec)
  return { socket: pod.socket, netns: pod.netns, where: place.where.pod }
}

/** Unique in both namespaces, as the index is. */
const nameAtBirth = (spec: StackedSpec): LinkName => parseLinkName(`tw-${spec.ifindex.toString(16)}`)

/**
 * The link under its final name. A stale link of the name and kind is replaced.
 * @returns `kept` when it was there before: it may need its attributes set again.
 * @throws PlanError
 */
export function createStacked(spec: StackedSpec, place: LinkPlace): 'created' | 'kept' {
  const target = targetOf(spec, place)
  if (isThere(spec, target, isStacked)) return 'kept'
  requireParent(spec, place)
  const request = additionOf(spec, target)
  const failed = (error: NetlinkError) => refused(place.where.host, error, [MODULES[spec.kind]])
  addReplacing({ request, send: place.host, clear: () => clearStacked(spec, { target, place, request }), failed })
  if (target.netns !== undefined)
    execute(target.socket, target.where, [{ request: renameLink(spec.ifindex, spec.name) }])
  return 'created'
}

function additionOf(spec: StackedSpec, { netns }: Target): Request {
  const { ifindex, mtu, parent } = spec
  const at = netns === undefined ? { name: spec.name } : { name: nameAtBirth(spec), netns }
  const link = { ...at, ifindex, mtu, parent: parent.ifindex }
  return spec.kind === 'vlan' ? addVlan({ ...link, vlanId: spec.vlanId }) : addIpvlan(link)
}

/** An ifb is asked for where it will be. @throws PlanError */
export function createIfb(spec: IfbSpec, place: LinkPlace): 'created' | 'kept' {
  const target = targetOf(spec, place)
  const { socket, where } = target
  if (isThere(spec, target, () => true)) return 'kept'
  const { name, ifindex, mtu } = spec
  const request = addIfb({ name, ifindex, mtu })
  const failed = (error: NetlinkError) => refused(where, error, [MODULES.ifb])
  const clear = () => requireIndexFree(spec.ifindex, { socket, where, request: request.text })
  addReplacing({ request, send: socket, clear, failed })
  return 'created'
}

interface Creation {
  readonly request: Request
  readonly send: NetlinkSocket
  /** Removes what of ours is in the way; throws when it is somebody else's. */
  clear(): void
  failed(error: NetlinkError): PlanError
}

function addReplacing({ request, send, clear, failed }: Creation): void {
  for (let retry = false; ; retry = true) {
    const error = send.request([request])[0]?.error
    if (error === undefined) return
    if (retry || !TAKEN.includes(error.errno)) throw failed(error)
    clear()
  }
}

/** Whether exactly this link has its name; one of its kind that is not this link is deleted. @throws PlanError */
function isThere<Spec extends StackedSpec | IfbSpec>(
  spec: Spec,
  { socket, where }: Target,
  isSame: (spec: Spec, link: Link) => boolean,
): boolean {
  const link = getLink(socket, spec.name)
  if (link === undefined) return false
  if (link.kind !== spec.kind) {
    const reason = `${spec.name} exists already and is no ${spec.kind} (${link.kind ?? 'no type'})`
    throw new PlanError({ code: 'name-taken', where, request: `add link ${spec.name} type ${spec.kind}`, reason })
  }
  // The reaper will delete what is in its group at any moment.
  if (link.ifindex === spec.ifindex && link.group !== REAPER_GROUP && isSame(spec, link)) return true
  discardLink(link, { socket, where })
  return false
}

function isStacked(spec: StackedSpec, link: Link): boolean {
  if (link.peerIfindex !== spec.parent.ifindex) return false
  return spec.kind === 'vlan' ? link.vlanId === spec.vlanId : link.ipvlanMode === IPVLAN_MODE_L2
}

interface Clash {
  readonly target: Target
  readonly place: LinkPlace
  readonly request: Request
}

/**
 * In the pod nobody but us makes links on the node's ENIs: what is left there of an earlier try goes, under whatever
 * name. Anything else that is in the way belongs to another pod.
 */
function clearStacked(spec: StackedSpec, { target, place, request }: Clash): void {
  const isStale = (link: Link) =>
    link.kind === spec.kind &&
    link.peerIfindex === spec.parent.ifindex &&
    (link.name === nameAtBirth(spec) || (spec.kind === 'vlan' && link.vlanId === spec.vlanId))
  const stale = target.netns === undefined ? [] : listLinks(target.socket).filter(isStale)
  for (const link of stale) discardLink(link, target)
  requireIndexFree(spec.ifindex, { ...target, request: request.text })
  requireIndexFree(spec.ifindex, { socket: place.host, where: place.where.host, request: request.text })
  if (spec.kind === 'ipvlan' || stale.length > 0) return
  const reason = `VLAN ${spec.vlanId} of ${spec.parent.name} is taken by a link of another pod`
  throw new PlanError({ code: 'vlan-taken', where: place.where.host, request: request.text, reason })
}

/** The kernel gives an ipvlan any MTU, and a vlan one that is too large with no more than EINVAL. @throws PlanError */
function requireParent({ kind, name, parent, mtu }: StackedSpec, { host, where }: LinkPlace): void {
  const request = `add link ${name} link ${parent.name} type ${kind}`
  const link = getLink(host, parent.ifindex)
  if (link === undefined) {
    throw eniGone(where.host, { request, reason: `${parent.name} (ifindex ${parent.ifindex}) does not exist` })
  }
  if (mtu <= link.mtu) return
  const reason = `MTU ${mtu} is above that of ${parent.name}, ${link.mtu}`
  throw new PlanError({ code: 'mtu', where: where.host, request, reason })
}
