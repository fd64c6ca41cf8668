/** Which addresses of the node's prefixes a pod gets, and what becomes of them. Pure. */
import { familyOf, type Ip } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import type { AddressRequest } from '../pool/address-request.ts'
import { type Owner, type PodKey, unknownOwner } from '../pool/model.ts'
import type { Allocation, RouteAddress, RouteAddressFacts, RouteChange } from './allocation.ts'

export interface Grant {
  /** One of each family. */
  readonly ips: readonly Ip[]
  readonly changes: readonly RouteChange[]
  /** Those of them that cool down, and are the pod's own of a moment ago. */
  readonly cooled: readonly Ip[]
}

/**
 * What the owner has already, what the pod had last if nobody else has it, otherwise the address that was nobody's for
 * the longest time. While it cools down, an address is only for the pod that had it: in another sandbox, or made again
 * when it is to keep its address.
 * @returns undefined when not every family has an address to give: a pod gets all or none
 */
export function grant(state: Allocation, request: AddressRequest, now: number): Grant | undefined {
  const held = state.heldBy(request.owner)
  const former = formerOf(state, request)
  const ips = state.prefixes.flatMap((prefix) => {
    const family = familyOf(prefix)
    const own = [...held, ...former].find(({ ip }) => familyOf(ip) === family && state.isForPods(ip))
    const [free] = state.free(family).keys()
    return own?.ip ?? state.unused(family) ?? free ?? []
  })
  if (ips.length < state.prefixes.length) return undefined
  const given = ips.filter((ip) => !held.some((address) => address.ip === ip))
  return {
    ips,
    changes: given.map((ip) => put({ ip, since: now, ...podOf(request), phase: 'owned', owner: request.owner })),
    cooled: given.filter((ip) => state.cooling.has(ip)),
  }
}

/** Latest first. */
function formerOf(state: Allocation, { pod, podUid, keeps }: AddressRequest): readonly RouteAddress[] {
  if (pod === undefined) return []
  const isTheirs = (address: RouteAddress) =>
    keeps === true || (address.podUid !== undefined && address.podUid === podUid)
  const may = (one: RouteAddress) => one.phase === 'free' || (one.phase === 'cooling' && isTheirs(one))
  return state
    .lastOf(pod)
    .filter(may)
    .toSorted((a, b) => b.since - a.since)
}

/** The owner has ended. */
export function takeBack(state: Allocation, owner: Owner, at: { now: number; until: number }): RouteChange[] {
  return state
    .heldBy(owner)
    .map((address) => put({ ...factsOf(address), since: at.now, phase: 'cooling', until: at.until }))
}

/**
 * Free addresses of a family that are remembered, so that a pod gets its own again and the longest free one comes first: a
 * prefix of IPv6 has more of them than a journal can hold.
 */
const REMEMBERED = 4096

/** Their time is over. What is no address for pods any more is forgotten. */
export function thaw(state: Allocation, ips: readonly Ip[], now: number): RouteChange[] {
  const over = ips.flatMap((ip) => state.cooling.get(ip) ?? [])
  const [mine, others] = [over.filter(({ ip }) => state.isForPods(ip)), over.filter(({ ip }) => !state.isForPods(ip))]
  const forgotten = state.prefixes.flatMap((prefix) => {
    const family = familyOf(prefix)
    const free = state.free(family)
    const excess = free.size + mine.filter(({ ip }) => familyOf(ip) === family).length - REMEMBERED
    return excess > 0 ? [...free.keys()].slice(0, excess) : []
  })
  return [
    ...mine.map((address) => put({ ...factsOf(address), since: now, phase: 'free' })),
    ...[...others.map(({ ip }) => ip), ...forgotten].map((ip): RouteChange => ({ kind: 'drop-address', ip })),
  ]
}

export interface Findings {
  /** Addresses that links of pods carry on this node. */
  readonly podRoutes: ReadonlyMap<Ip, LinkName>
  /** When an address that is released now may be used again at the latest, ms since the epoch. */
  readonly latest: number
  readonly now: number
}

/**
 * What a start makes of the journal: an address that a link carries is given to nobody, whatever the journal says of it;
 * free ones of former prefixes are forgotten; and nothing cools down longer than what is released now, unless the clock
 * was ahead.
 */
export function settle(state: Allocation, { podRoutes, latest, now }: Findings): RouteChange[] {
  const carried = [...podRoutes].filter(([ip]) => state.isForPods(ip) && state.addresses.get(ip)?.phase !== 'owned')
  const strays = carried.map(([ip, link]) => put({ ip, since: now, phase: 'owned', owner: unknownOwner(link) }))
  const rest = [...state.addresses.values()].filter(({ ip, phase }) => phase === 'owned' || !podRoutes.has(ip))
  return [
    ...strays,
    ...rest.flatMap((address): RouteChange[] => {
      if (address.phase === 'free' && !state.isForPods(address.ip)) return [{ kind: 'drop-address', ip: address.ip }]
      return address.phase === 'cooling' && address.until > latest ? [put({ ...address, until: latest })] : []
    }),
  ]
}

function put(address: RouteAddress): RouteChange {
  return { kind: 'put-address', address }
}

interface Pod {
  readonly pod?: PodKey
  readonly podUid?: string | undefined
}

function podOf({ pod, podUid }: Pod): Pick<RouteAddressFacts, 'pod' | 'podUid'> {
  return { ...(pod === undefined ? {} : { pod }), ...(podUid === undefined ? {} : { podUid }) }
}

/** Without the phase, for another one to be put in its place. */
function factsOf({ ip, since, ...pod }: RouteAddressFacts): RouteAddressFacts {
  return { ip, since, ...podOf(pod) }
}
