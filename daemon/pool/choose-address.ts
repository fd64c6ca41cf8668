/** Which free addresses to give next: one of each family, from one ENI. Pure. */
import { addressAt, type Cidr, cidrSize, type Family, familyOf, type Ip } from '../../inet/address.ts'
import type { AddressRecord, EniKey, PodKey, PrefixRecord } from './model.ts'
import type { PoolLimits } from './settings.ts'
import type { PoolState } from './tables.ts'

export interface Wish {
  /** What a pod of this name had last it gets again, if it is free. */
  readonly pod?: PodKey
  /** Also while it cools down, when it is the same pod, in another sandbox, */
  readonly podUid?: string | undefined
  /** or a pod that keeps its address when it is made again. */
  readonly keeps?: boolean
}

/** In the order of the families of the limits. An address of an IPv6 prefix may not be on record yet. */
export type Choice = readonly Pick<AddressRecord, 'ip' | 'eni' | 'primary' | 'prefix'>[]

export interface Place {
  readonly state: PoolState
  readonly limits: PoolLimits
  /** ENIs that addresses can be given of. */
  readonly ready: { has(key: EniKey): boolean; keys(): Iterable<EniKey> }
  /** Addresses, and prefixes of IPv6, that are not to be given although they are on record as free. */
  readonly avoid?: { has(what: Ip | Cidr): boolean }
}

/** @returns undefined when no ENI has a free address of each family. */
export function chooseAddresses(place: Place, wish: Wish): Choice | undefined {
  const former = wish.pod === undefined ? undefined : formerOf(place, wish.pod, wish)
  if (former !== undefined) return former
  const best = bestEni(place)
  return best === undefined ? undefined : freeOf(place, best)
}

/** What cools down for nobody but the pod: it waits in no line for that. */
export function keptAddresses(place: Place, wish: Wish): Choice | undefined {
  if (wish.pod === undefined || !isKeptFor(place.state, wish)) return undefined
  return formerOf(place, wish.pod, wish)
}

/** Whether an address cools down that is nobody else's but the pod's. */
export function isKeptFor(state: PoolState, wish: Wish): boolean {
  const had = wish.pod === undefined ? [] : state.lastOf(wish.pod)
  return had.some((address) => address.phase === 'cooling' && !address.lost && isTheirs(address, wish))
}

/** What the pod had, completed by others of the same ENI where it had not all families, or has lost one. */
function formerOf(place: Place, pod: PodKey, wish: Wish): Choice | undefined {
  const { state, avoid } = place
  const usable = state
    .lastOf(pod)
    .filter(({ ip }) => avoid?.has(ip) !== true)
    .filter(
      (address) =>
        address.phase === 'warm' || (address.phase === 'cooling' && !address.lost && isTheirs(address, wish)),
    )
    .toSorted((a, b) => b.since - a.since)
  for (const { eni } of usable) {
    const had = usable.filter((address) => address.eni === eni)
    const choice = isOpen(place, eni) ? freeOf(place, eni, had) : undefined
    if (choice !== undefined) return choice
  }
  return undefined
}

function isTheirs({ podUid }: AddressRecord, wish: Wish): boolean {
  return wish.keeps === true || (podUid !== undefined && podUid === wish.podUid)
}

/** In use, ready, and what the pool is for: not a trunk, and none that is to become empty. */
function isOpen({ state, limits, ready }: Place, key: EniKey): boolean {
  const eni = state.enis.get(key)
  return eni?.phase === 'in-use' && eni.role === limits.kind && ready.has(key)
}

/** By the order of the limits; among equals the one whose address has been free longest. */
function bestEni(place: Place): EniKey | undefined {
  const { state, limits, ready, avoid } = place
  const [family = 'ipv4'] = limits.families
  const sign = limits.order === 'most-pods' ? 1 : -1
  let best: { eni: EniKey; pods: number; since: number } | undefined
  for (const eni of ready.keys()) {
    if (!isOpen(place, eni) || !limits.families.every((f) => hasFree(place, eni, f))) continue
    const pods = sign * state.tally(eni, family).owned
    const since = state.longestFree(eni, family, avoid)?.since ?? 0
    if (best === undefined || pods > best.pods || (pods === best.pods && since < best.since))
      best = { eni, pods, since }
  }
  return best?.eni
}

function hasFree(place: Place, eni: EniKey, family: Family): boolean {
  const { state, avoid } = place
  return (
    state.longestFree(eni, family, avoid) !== undefined || (family === 'ipv6' && prefixOf(place, eni) !== undefined)
  )
}

function prefixOf({ state, avoid }: Place, eni: EniKey): Cidr | undefined {
  const isUsable = ({ cidr, phase }: PrefixRecord) => phase === 'active' && avoid?.has(cidr) !== true
  return state.prefixesOf(eni).find((prefix) => isUsable(prefix) && familyOf(prefix.cidr) === 'ipv6')?.cidr
}

function freeOf(place: Place, eni: EniKey, had: readonly AddressRecord[] = []): Choice | undefined {
  const { state, limits, avoid } = place
  const choice = limits.families.flatMap((family) => {
    const former = had.find(({ ip }) => familyOf(ip) === family)
    return former ?? state.longestFree(eni, family, avoid) ?? nextOf(place, eni, family) ?? []
  })
  return choice.length === limits.families.length ? choice : undefined
}

/** The first address of an IPv6 prefix that nobody has had: those on record lie close together from its beginning. */
function nextOf(place: Place, eni: EniKey, family: Family): Choice[number] | undefined {
  const { state } = place
  const prefix = family === 'ipv6' ? prefixOf(place, eni) : undefined
  if (prefix === undefined) return undefined
  const size = cidrSize(prefix)
  const { warm, owned, cooling, unassigning } = state.tally(eni, 'ipv6')
  // Address 0 is the subnet-router anycast address (RFC 4291, 2.6.1).
  for (let offset = BigInt(1 + warm + owned + cooling + unassigning); offset < size; offset++) {
    const ip = addressAt(prefix, offset)
    if (!state.addresses.has(ip)) return { ip, eni, primary: false, prefix }
  }
  return undefined
}
