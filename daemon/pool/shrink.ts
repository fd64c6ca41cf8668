/** What the pool gives back, and which ENIs it empties. Pure. */
import { type Cidr, familyOf, type Ip } from '../../inet/address.ts'
import { type Action, type Balance, podsOfNewEni } from './balance.ts'
import type { AddressRecord, EniKey, EniRecord } from './model.ts'
import { PREFIX_SIZE } from './settings.ts'
import { isLive, type Supply } from './supply.ts'
import type { PoolState } from './tables.ts'

export interface Shrinkage {
  readonly actions: readonly Action[]
  /** Addresses that go because nobody has needed them, not because there are too many. */
  readonly reclaimed: number
}

/** What is above the ceiling goes at once; down to what is likely to be needed goes what nobody has needed for the idle time-out. */
export function shrinkage(balance: Balance): Shrinkage {
  const { demand, aim, free, coming, limits, now } = balance
  const { waiting, past, firstFillDone } = demand
  // What is on its way may be for those that wait; it is looked at when it has come.
  if (coming > 0 || free < waiting || past.nextShrink > now) return { actions: [], reclaimed: 0 }
  const excess = free - waiting - Math.max(aim.ceiling, firstFillDone ? 0 : limits.firstFill)
  const due = limits.idle !== undefined && past.spare !== undefined && past.nextReclaim <= now
  const unneeded = due ? Math.min(past.spare ?? 0, free) - aim.rest : 0
  const idle = Math.max(0, Math.min(unneeded, limits.idle?.batch ?? 0))
  const surplus = Math.max(excess, idle)
  if (surplus <= 0) return { actions: [], reclaimed: 0 }
  const actions = giveBack(balance, surplus)
  return { actions, reclaimed: idle }
}

/** Whole unused ENIs where the surplus covers them, single addresses otherwise, emptiest ENI first. */
function giveBack(balance: Balance, surplus: number): Action[] {
  const { supplies } = balance
  const actions: Action[] = []
  const budget = { left: surplus, enis: sparedEnis(balance), places: sparedPlaces(balance) }
  const candidates = supplies.filter(({ idle }) => idle).toSorted((a, b) => a.owned - b.owned || a.ready - b.ready)
  for (const supply of candidates) {
    if (budget.left <= 0) break
    const places = supply.ready + supply.room
    if (isUnused(balance.state, supply) && supply.ready <= budget.left && budget.enis > 0 && places <= budget.places) {
      actions.push({ kind: 'release-eni', eni: supply.eni.key })
      budget.left -= supply.ready
      budget.enis -= 1
      budget.places -= places
      continue
    }
    const part = partOf(balance, supply, budget.left)
    if (part.pods === 0) continue
    actions.push({ kind: 'unassign', eni: supply.eni.key, ips: part.ips, prefixes: part.prefixes })
    budget.left -= part.pods
  }
  return actions
}

/** ENIs that may go. */
function sparedEnis({ supplies, aim }: Balance): number {
  return supplies.length - aim.enis
}

/** Places for pods that may go with them. */
function sparedPlaces({ supplies, aim, free, limits }: Balance): number {
  if (aim.headroom === 0) return Infinity
  // Half an ENI more before one goes: or one would come and go with every pod.
  return supplies.reduce((sum, { room }) => sum + room, free) - aim.headroom - podsOfNewEni(limits) / 2
}

/** Nobody has anything of it, and nothing of it cools down. */
function isUnused(state: PoolState, { eni }: Supply): boolean {
  return isEmpty(state, eni.key) && [...state.addressesOf(eni.key)].every(({ phase }) => phase === 'warm')
}

function isEmpty(state: PoolState, key: EniKey): boolean {
  return ![...state.addressesOf(key)].some(({ phase }) => phase === 'owned' || phase === 'cooling')
}

interface Part {
  readonly pods: number
  readonly ips: readonly Ip[]
  readonly prefixes: readonly Cidr[]
}

/** Of each family as many, so that what stays is still in pairs; what has been free longest goes first. */
function partOf(balance: Balance, supply: Supply, most: number): Part {
  const { limits, state } = balance
  if (limits.kind !== 'shared') return { pods: 0, ips: [], prefixes: [] }
  if (limits.unit === 'prefix') return wholePrefixes(balance, supply, most)
  const spare = limits.families.map((family) =>
    [...state.addressesOf(supply.eni.key)].filter(
      (a) => a.phase === 'warm' && familyOf(a.ip) === family && !a.primary && a.prefix === undefined,
    ),
  )
  const pods = Math.min(most, ...spare.map(({ length }) => length))
  return { pods, ips: spare.flatMap((addresses) => oldest(addresses, pods)), prefixes: [] }
}

function oldest(addresses: readonly AddressRecord[], count: number): Ip[] {
  return addresses
    .toSorted((a, b) => a.since - b.since)
    .slice(0, count)
    .map(({ ip }) => ip)
}

/** Prefixes all of whose addresses are free, as far as so many are to go and are not to stay in any case. */
function wholePrefixes({ state, limits }: Balance, { eni }: Supply, most: number): Part {
  const all = [...state.prefixes.values()].filter(({ phase, cidr }) => phase === 'active' && familyOf(cidr) === 'ipv4')
  const spared = Math.max(0, all.length - limits.minPrefixes)
  const free = state
    .prefixesOf(eni.key)
    .filter(({ phase, cidr }) => phase === 'active' && familyOf(cidr) === 'ipv4')
    .map(({ cidr }) => ({ cidr, ips: freeOf(state, eni, cidr) }))
    .filter(({ ips }) => ips.length === PREFIX_SIZE)
    .slice(0, Math.min(spared, Math.floor(most / PREFIX_SIZE)))
  return {
    pods: free.length * PREFIX_SIZE,
    ips: free.flatMap(({ ips }) => ips),
    prefixes: free.map(({ cidr }) => cidr),
  }
}

function freeOf(state: PoolState, eni: EniRecord, prefix: Cidr): Ip[] {
  const all = [...state.addressesOf(eni.key)]
  return all.filter((address) => address.prefix === prefix && address.phase === 'warm').map(({ ip }) => ip)
}

/**
 * More ENIs than are allowed now, or of another kind than the pool's: those with the fewest pods are emptied. One that
 * is empty goes; one that is of use after all stays.
 */
export function drains(balance: Balance): Action[] {
  const { state, limits, circumstances } = balance
  const enis = [...state.enis.values()]
  const ofKind = enis.filter((eni) => eni.role === limits.kind)
  const live = ofKind.filter(isLive)
  const draining = enis.filter(({ phase }) => phase === 'draining')
  const pods = (eni: EniRecord) => state.tally(eni.key, limits.families[0] ?? 'ipv4').owned
  const tooMany = live
    .filter(({ phase }) => phase === 'in-use')
    .toSorted((a, b) => pods(a) - pods(b))
    .slice(0, Math.max(0, live.length - limits.maxEnis))
  const missing = balance.demand.waiting + balance.aim.floor > balance.free + balance.coming
  const back = draining
    .filter((eni) => missing && eni.role === limits.kind && circumstances.readyEnis.has(eni.key))
    .slice(0, Math.max(0, limits.maxEnis - live.length))
  const empty = draining.filter(
    (eni) => !back.includes(eni) && isEmpty(state, eni.key) && !circumstances.busyEnis.has(eni.key),
  )
  return [
    ...tooMany.map((eni): Action => ({ kind: 'drain-eni', eni: eni.key })),
    ...back.map((eni): Action => ({ kind: 'keep-eni', eni: eni.key })),
    ...empty.map((eni): Action => ({ kind: 'release-eni', eni: eni.key })),
  ]
}
