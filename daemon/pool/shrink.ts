/** What the pool gives back, and which ENIs it empties. Pure. */
import { type Action, type Balance, podsOfNewEni } from './balance.ts'
import type { EniKey, EniRecord } from './model.ts'
import { activePrefixes, ofFormerUnit, ofUnit } from './parts.ts'
import { isLive, type Supply } from './supply.ts'
import type { PoolState } from './tables.ts'
import { mayCarryMembers } from './trunk.ts'

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
  const { actions, pods } = giveBack(balance, Math.max(0, excess, idle))
  return { actions, reclaimed: Math.min(idle, pods) }
}

interface GivenBack {
  readonly actions: readonly Action[]
  /** That can be served no more. */
  readonly pods: number
}

/**
 * An ENI that nobody has used for long goes whole. Of the others go single addresses, from the one with the fewest pods
 * first: to make an ENI again takes ten times as long as to fill it, and a place on one costs nothing. When no single
 * address is left to go, unused ENIs do.
 */
function giveBack(balance: Balance, surplus: number): GivenBack {
  // Only what an earlier unit has left behind may be of no use at all.
  if (surplus <= 0 && (balance.limits.unit === 'prefix' || balance.state.prefixes.size === 0)) return NONE
  const [enis, places, prefixes] = [sparedEnis(balance), sparedPlaces(balance), sparedPrefixes(balance)]
  const budget = { left: surplus, enis, places, prefixes }
  const candidates = balance.supplies
    .filter(({ idle }) => idle)
    .toSorted((a, b) => a.owned - b.owned || a.ready - b.ready)
  const old = wholeEnis(
    balance,
    candidates.filter((supply) => isLongUnused(balance, supply)),
    budget,
  )
  const kept = candidates.filter(({ eni }) => !old.some((action) => action.eni === eni.key))
  const single = [
    ...parts(balance, kept, { budget, of: ofFormerUnit }),
    ...parts(balance, kept, { budget, of: ofUnit }),
  ]
  const rest = kept.filter((supply) => isUnused(balance.state, supply))
  const last = single.length > 0 ? [] : wholeEnis(balance, rest, budget)
  return { actions: [...old, ...single, ...last], pods: surplus - budget.left }
}

const NONE: GivenBack = { actions: [], pods: 0 }

interface Budget {
  left: number
  enis: number
  places: number
  /** Of IPv4. */
  prefixes: number
}

type Removal = Extract<Action, { readonly eni: EniKey }>

function wholeEnis({ state }: Balance, candidates: readonly Supply[], budget: Budget): Removal[] {
  return candidates.flatMap((supply): Removal[] => {
    const places = supply.ready + supply.room
    const prefixes = activePrefixes(state.prefixesOf(supply.eni.key)).length
    const isCovered = budget.left > 0 && supply.ready <= budget.left && budget.enis > 0 && places <= budget.places
    if (!isCovered || prefixes > budget.prefixes || !isUnused(state, supply)) return []
    budget.left -= supply.ready
    budget.enis -= 1
    budget.places -= places
    budget.prefixes -= prefixes
    return [{ kind: 'release-eni', eni: supply.eni.key }]
  })
}

interface Parts {
  readonly budget: Budget
  readonly of: typeof ofUnit
}

function parts(balance: Balance, candidates: readonly Supply[], { budget, of }: Parts): Removal[] {
  return candidates.flatMap((supply): Removal[] => {
    const { pods, ips, prefixes } = of(balance, supply, budget)
    if (ips.length + prefixes.length === 0) return []
    budget.left -= pods
    budget.prefixes -= prefixes.length
    return [{ kind: 'unassign', eni: supply.eni.key, ips, prefixes }]
  })
}

/** So long after its last use an ENI is not expected to be needed again, ms. */
const ENI_REST = 1_800_000

function isLongUnused({ state, now }: Balance, supply: Supply): boolean {
  if (!isUnused(state, supply)) return false
  return [...state.addressesOf(supply.eni.key)].every(({ since }) => now - since >= ENI_REST)
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

/** Prefixes that are not to stay in any case. */
function sparedPrefixes({ state, limits }: Balance): number {
  if (limits.unit !== 'prefix') return Infinity
  return Math.max(0, activePrefixes([...state.prefixes.values()]).length - limits.minPrefixes)
}

/** Nobody has anything of it, and nothing of it cools down. */
function isUnused(state: PoolState, { eni }: Supply): boolean {
  return isEmpty(state, eni.key) && [...state.addressesOf(eni.key)].every(({ phase }) => phase === 'warm')
}

function isEmpty(state: PoolState, key: EniKey): boolean {
  return ![...state.addressesOf(key)].some(({ phase }) => phase === 'owned' || phase === 'cooling')
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
  // Without it there is no member, and there is no place for a second one.
  const trunks = draining.filter(({ role }) => role === 'trunk' && limits.kind === 'member')
  const kept = [...trunks, ...back]
  const empty = draining.filter((eni) => {
    const isUsed = kept.includes(eni) || mayCarryMembers(state, eni) || !isEmpty(state, eni.key)
    return !isUsed && !circumstances.busyEnis.has(eni.key)
  })
  return [
    ...tooMany.map((eni): Action => ({ kind: 'drain-eni', eni: eni.key })),
    ...kept.map((eni): Action => ({ kind: 'keep-eni', eni: eni.key })),
    ...empty.map((eni): Action => ({ kind: 'release-eni', eni: eni.key })),
  ]
}
