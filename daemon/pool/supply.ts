/** What each ENI can give to pods, now and when calls under way have ended. Pure. Counted in pods: one of each family. */
import { type Family, familyOf } from '../../inet/address.ts'
import type { Circumstances } from './circumstances.ts'
import type { AssignKind, AssignRecord, EniKey, EniRecord, PrefixRecord } from './model.ts'
import { type PoolLimits, PREFIX_SIZE } from './settings.ts'
import type { PoolState } from './tables.ts'

/** Of one family on one ENI, in addresses. */
export interface FamilySupply {
  readonly have: number
  readonly coming: number
  /** More that could be asked for. */
  readonly room: number
}

export interface Supply {
  readonly eni: EniRecord
  readonly families: ReadonlyMap<Family, FamilySupply>
  /** Pods that can be served now. */
  readonly ready: number
  /** Pods more, when what is under way has come. */
  readonly coming: number
  /** Pods more, if it were asked for. */
  readonly room: number
  readonly owned: number
  /** No call is under way, decided or held back for it. */
  readonly idle: boolean
}

export interface SupplyQuestion {
  readonly state: PoolState
  readonly limits: PoolLimits
  readonly circumstances: Circumstances
  /** ms since the epoch */
  readonly now: number
}

/** Phases in which an ENI has a future. */
const LIVE: readonly EniRecord['phase'][] = ['creating', 'attaching', 'in-use']

export function isLive(eni: EniRecord): boolean {
  return LIVE.includes(eni.phase)
}

/** Of every ENI that pods can be, or will be, given addresses of. */
export function suppliesOf(question: SupplyQuestion): Supply[] {
  const { state, limits } = question
  const cooled = cooledBy(question)
  return [...state.enis.values()]
    .filter((eni) => isLive(eni) && eni.role === limits.kind)
    .map((eni) => supplyOf(question, eni, cooled))
}

type Cooled = ReadonlyMap<EniKey, Readonly<Record<Family, number>>>

/** Addresses whose cool-down is over: free as soon as the kernel has forgotten their connections. */
function cooledBy({ state, now, circumstances }: SupplyQuestion): Cooled {
  const cooled = new Map<EniKey, Record<Family, number>>()
  for (const address of state.cooling.values()) {
    if (address.phase !== 'cooling' || address.until > now || address.lost) continue
    if (circumstances.heldBack.has(address.ip)) continue
    const counts = cooled.get(address.eni) ?? { ipv4: 0, ipv6: 0 }
    counts[familyOf(address.ip)] += 1
    cooled.set(address.eni, counts)
  }
  return cooled
}

function supplyOf(question: SupplyQuestion, eni: EniRecord, cooled: Cooled): Supply {
  const { state, limits, circumstances } = question
  const { busyEnis, failedEnis, readyEnis, slowEnis } = circumstances
  const isReady = readyEnis.has(eni.key)
  const families = new Map(limits.families.map((f) => [f, familySupply(question, eni, { family: f, cooled })]))
  const all = [...families.values()]
  const now = least(all.map(({ have }) => have))
  const later = least(all.map(({ have, coming }) => have + coming))
  const most = least(all.map(({ have, coming, room }) => have + coming + room))
  // What is there of an ENI that cannot be attached or brought up may never be given; what was asked for still counts,
  // or an outage of the API would ask for more each time.
  const stuck = eni.phase !== 'creating' && !isReady && (failedEnis.has(eni.key) || slowEnis.has(eni.key))
  const assigning = state.assignsOf(eni.key).length > 0
  return {
    eni,
    families,
    ready: isReady ? now : 0,
    coming: stuck ? 0 : later - (isReady ? now : 0),
    room: most - later,
    owned: state.tally(eni.key, limits.families[0] ?? 'ipv4').owned,
    idle: eni.phase === 'in-use' && isReady && !busyEnis.has(eni.key) && !failedEnis.has(eni.key) && !assigning,
  }
}

function least(counts: readonly number[]): number {
  return counts.length === 0 ? 0 : Math.min(...counts)
}

interface OfFamily {
  readonly family: Family
  readonly cooled: Cooled
}

function familySupply(question: SupplyQuestion, eni: EniRecord, { family, cooled }: OfFamily): FamilySupply {
  const supply = withoutCooled(question, eni, family)
  return { ...supply, coming: supply.coming + (cooled.get(eni.key)?.[family] ?? 0) }
}

function withoutCooled(question: SupplyQuestion, eni: EniRecord, family: Family): FamilySupply {
  const { state, limits } = question
  const have = state.tally(eni.key, family).warm
  const asked = askedOf(state, eni, family)
  if (limits.kind !== 'shared') return oneOnly(state, eni, { family, have, asked })
  return family === 'ipv6' && limits.unit === 'prefix'
    ? ofIpv6Prefix(state, eni, { family, have, asked })
    : ofPlaces(question, eni, { family, have, asked })
}

/** Addresses that are there, also those of prefixes. Ghosts are not: the cloud does not assign them. */
function assigned(state: PoolState, eni: EniRecord, family: Family): number {
  const { warm, owned, cooling, unassigning, lost } = state.tally(eni.key, family)
  return warm + owned + cooling + unassigning - lost
}

interface Asked {
  readonly addresses: number
  readonly prefixes: number
}

function askedOf(state: PoolState, eni: EniRecord, family: Family): Asked {
  if (eni.phase === 'creating') return askedAtCreation(eni.request, family)
  const [single, prefix] = kindsOf(family)
  const count = (kind: AssignKind) =>
    state.assignsOf(eni.key).reduce((sum, assign) => sum + (assign.what === kind ? assign.count : 0), 0)
  return { addresses: count(single), prefixes: count(prefix) }
}

function askedAtCreation(request: Extract<EniRecord, { phase: 'creating' }>['request'], family: Family): Asked {
  if (family === 'ipv6') return { addresses: request.ipv6s ?? 0, prefixes: request.ipv6Prefixes ?? 0 }
  return { addresses: 1 + request.secondaryIps, prefixes: request.ipv4Prefixes ?? 0 }
}

function kindsOf(family: Family): readonly [AssignKind, AssignKind] {
  return family === 'ipv4' ? ['ipv4', 'ipv4-prefix'] : ['ipv6', 'ipv6-prefix']
}

interface FamilyCounts {
  readonly family: Family
  readonly have: number
  readonly asked: Asked
}

/** An ENI for one pod: its primary address, and one of IPv6. */
function oneOnly(state: PoolState, eni: EniRecord, { family, have, asked }: FamilyCounts): FamilySupply {
  const { warm, owned, cooling, unassigning } = state.tally(eni.key, family)
  const taken = warm + owned + cooling + unassigning + asked.addresses
  return { have: Math.min(1, have), coming: Math.min(1, asked.addresses), room: Math.max(0, 1 - taken) }
}

/**
 * A prefix takes a place, and so does each address that is in none. Those of both kinds may be there: the unit of the
 * pool may have been the other one.
 */
function ofPlaces({ state, limits }: SupplyQuestion, eni: EniRecord, counts: FamilyCounts): FamilySupply {
  const { family, have, asked } = counts
  const prefixes = prefixesOn(state, eni, family)
  const alone = assigned(state, eni, family) - addressesIn(prefixes, state, eni) + asked.addresses
  // The primary address has a place of its own, before there is one as well as afterwards.
  const singles = family === 'ipv4' ? Math.max(1, alone) : alone
  const places = Math.max(0, limits.addressesPerEni - prefixes.length - asked.prefixes - singles)
  // Those of a /80 come one by one, when they are given away.
  const inPrefixes = family === 'ipv4' ? asked.prefixes * PREFIX_SIZE : 0
  const room = limits.unit === 'prefix' ? places * PREFIX_SIZE : places
  return { have, coming: asked.addresses + inPrefixes, room }
}

function prefixesOn(state: PoolState, eni: EniRecord, family: Family): PrefixRecord[] {
  return state.prefixesOf(eni.key).filter(({ cidr, phase }) => familyOf(cidr) === family && phase !== 'lost')
}

/** Of a /28 all its addresses are on record, of a /80 those that have been given away. */
function addressesIn(prefixes: readonly PrefixRecord[], state: PoolState, { key }: EniRecord): number {
  return prefixes.reduce((sum, { cidr }) => {
    if (familyOf(cidr) === 'ipv4') return sum + PREFIX_SIZE
    return sum + [...state.addressesOf(key)].filter(({ prefix }) => prefix === cidr).length
  }, 0)
}

/**
 * A /80 has 2^48 addresses. It counts as so many, which is far more than a node has pods (Kubernetes supports 110) or an
 * ENI has IPv4 addresses: with all of them no sum would say anything.
 */
const COUNT_OF_IPV6_PREFIX = 10_000

/** There is one of them or there is none. */
function ofIpv6Prefix(state: PoolState, eni: EniRecord, { family, have, asked }: FamilyCounts): FamilySupply {
  const isThere = prefixesOn(state, eni, family).some(({ phase }) => phase === 'active')
  if (isThere) return { have: COUNT_OF_IPV6_PREFIX, coming: 0, room: 0 }
  return asked.prefixes > 0
    ? { have, coming: COUNT_OF_IPV6_PREFIX, room: 0 }
    : { have, coming: 0, room: COUNT_OF_IPV6_PREFIX }
}

/** Addresses of the family that calls for the ENI will bring. */
export function isAsking(assign: AssignRecord, family: Family): boolean {
  return kindsOf(family).includes(assign.what)
}
