/** What the pool asks the cloud for. Pure. */
import type { Family } from '../../inet/address.ts'
import { type Action, type Balance, newEnis, podsOfNewEni } from './balance.ts'
import type { AssignKind } from './model.ts'
import { type PoolLimits, PREFIX_SIZE } from './settings.ts'
import type { Supply } from './supply.ts'
import { leavingTrunk } from './trunk.ts'

/** SecondaryPrivateIpAddressCount of CreateNetworkInterface allows 1 to 49 (ECS API reference). */
export const MAX_SECONDARY_AT_CREATION = 49
/** IPv6 addresses, and prefixes of either family, in one call (the same). */
export const MAX_IN_ONE_CALL = 10

export interface Growth {
  readonly actions: readonly Action[]
  /** Addresses that no pod waits for. */
  readonly warmed: number
}

const NOTHING: Growth = { actions: [], warmed: 0 }

export function growth(balance: Balance): Growth {
  const trunk = missingTrunk(balance)
  const { count, urgent } = missingAddresses(balance)
  const forPods = forAddresses(balance, count)
  const actions = [...trunk, ...forPods.actions, ...spareEnis(balance, forPods.actions)]
  if (actions.length === 0) return NOTHING
  return { actions, warmed: Math.max(0, forPods.pods - urgent) }
}

/** Members ride on a trunk, so it comes first; they may be made meanwhile. */
function missingTrunk({ state, limits, circumstances }: Balance): Action[] {
  if (limits.kind !== 'member' || limits.maxEnis === 0 || circumstances.noNewEni) return []
  const has = [...state.enis.values()].some(({ role, phase }) => role === 'trunk' && phase !== 'lost')
  return has ? [] : [{ kind: 'create-eni', role: 'trunk', pods: 0 }]
}

/** The trunk goes, or cannot be made or attached: members would wait for another one, and take its place meanwhile. */
function lacksTrunk({ state, limits, circumstances }: Balance): boolean {
  if (limits.kind !== 'member') return false
  const hasFailed = [...state.enis.values()].some(
    (eni) => eni.role === 'trunk' && circumstances.failedEnis.has(eni.key),
  )
  return hasFailed || leavingTrunk(state) !== undefined
}

/** Pods that wait come first; what is kept ready for others may come in portions. */
function missingAddresses(balance: Balance): { readonly count: number; readonly urgent: number } {
  const { demand, aim, free, coming, limits, supplies } = balance
  const { waiting, past, firstFillDone } = demand
  const there = free + coming
  const ever = supplies.reduce((sum, supply) => sum + supply.owned, there)
  const first = firstFillDone ? 0 : Math.max(0, limits.firstFill - ever)
  const prefixes = missingPrefixes(balance) * PREFIX_SIZE
  const wanted = there < waiting + aim.floor ? waiting + aim.fill - there : 0
  const all = Math.max(wanted, first, prefixes, 0)
  const urgent = Math.max(0, waiting - there)
  const warmed = Math.min(Math.max(0, all - urgent), past.warmUpLeft)
  return { count: urgent + warmed, urgent }
}

function missingPrefixes({ state, limits }: Balance): number {
  if (limits.unit !== 'prefix' || limits.minPrefixes === 0) return 0
  const active = [...state.prefixes.values()].filter(({ phase, cidr }) => phase === 'active' && !cidr.includes(':'))
  const asked = [...state.assigns.values()].filter(({ what }) => what === 'ipv4-prefix')
  const creating = [...state.enis.values()].flatMap((eni) => (eni.phase === 'creating' ? [eni.request] : []))
  const coming = asked.reduce((sum, { count }) => sum + count, 0)
  const born = creating.reduce((sum, { ipv4Prefixes = 0 }) => sum + ipv4Prefixes, 0)
  return Math.max(0, limits.minPrefixes - active.length - coming - born)
}

interface Replenishment {
  readonly actions: readonly Action[]
  /** Of those it is for, so many will be served. */
  readonly pods: number
}

/**
 * Fills the ENIs that are there, then makes new ones, each as full as needed. What fits on ENIs that are still on their
 * way waits for them: an assign takes a fraction of the time of another ENI, and no slot.
 */
function forAddresses(balance: Balance, missing: number): Replenishment {
  const { supplies, limits, circumstances } = balance
  const all: Replenishment[] = []
  let left = missing
  for (const supply of inOrder(supplies, limits)) {
    if (left <= 0) break
    if (!supply.idle || supply.room <= 0 || circumstances.emptyVSwitches.has(supply.eni.vSwitchId)) continue
    const asked = Math.min(left, supply.room, limits.batch.addresses)
    all.push(assigns(supply, asked, limits))
    left -= supply.room
  }
  left -= roomOnComing(balance)
  const pods = podsOfNewEni(limits)
  for (let free = freeSlots(balance); free > 0 && left > 0; free--) {
    const size = Math.min(left, pods, limits.kind === 'shared' ? limits.batch.addresses : 1)
    all.push({ actions: [{ kind: 'create-eni', role: limits.kind, pods: size }], pods: size })
    left -= pods
  }
  return {
    actions: all.flatMap(({ actions }) => actions),
    pods: all.reduce((sum, one) => sum + one.pods, 0),
  }
}

/** ENIs that may be made now: as many as there are places for, and as may be under way at the same time. */
function freeSlots(balance: Balance): number {
  const { supplies, limits } = balance
  const underWay = supplies.filter(({ eni }) => eni.phase === 'creating' || eni.phase === 'attaching').length
  if (lacksTrunk(balance)) return 0
  return Math.min(newEnis(balance), Math.max(0, limits.batch.enis - underWay))
}

/** The fullest first, so that few ENIs are in use; or the emptiest, so that pods are spread. */
function inOrder(supplies: readonly Supply[], { order }: PoolLimits): Supply[] {
  const sign = order === 'most-pods' ? 1 : -1
  return supplies.toSorted((a, b) => sign * (a.room - b.room))
}

/** Of each family what it lacks, so that `pods` more can be served, or as many as one call of each brings. */
function assigns({ eni, families, ready, coming }: Supply, pods: number, limits: PoolLimits): Replenishment {
  const calls = [...families].flatMap(([family, supply]) => {
    const lacking = ready + coming + pods - supply.have - supply.coming
    return lacking <= 0 ? [] : [{ lacking, ...call(family, lacking, limits) }]
  })
  return {
    actions: calls.map(({ what, count }): Action => ({ kind: 'assign', eni: eni.key, what, count })),
    pods: pods - Math.max(0, ...calls.map(({ lacking, brings }) => lacking - brings)),
  }
}

interface Call {
  readonly what: AssignKind
  readonly count: number
  /** Pods that it is enough for. */
  readonly brings: number
}

function call(family: Family, addresses: number, limits: PoolLimits): Call {
  if (limits.unit === 'address' || limits.kind !== 'shared') {
    const count = family === 'ipv4' ? addresses : Math.min(MAX_IN_ONE_CALL, addresses)
    return { what: family, count, brings: count }
  }
  if (family === 'ipv6') return { what: 'ipv6-prefix', count: 1, brings: addresses }
  const count = Math.min(MAX_IN_ONE_CALL, Math.ceil(addresses / PREFIX_SIZE))
  return { what: 'ipv4-prefix', count, brings: count * PREFIX_SIZE }
}

/** Addresses that can be asked for as soon as calls under way have ended. */
function roomOnComing({ supplies, circumstances }: Balance): number {
  const { busyEnis, failedEnis, slowEnis, emptyVSwitches } = circumstances
  return supplies
    .filter(({ eni, idle }) => !idle && (eni.phase !== 'in-use' || busyEnis.has(eni.key)))
    .filter(({ eni }) => !failedEnis.has(eni.key) && !slowEnis.has(eni.key) && !emptyVSwitches.has(eni.vSwitchId))
    .reduce((sum, { room }) => sum + room, 0)
}

/** ENIs without a pod, as many as are to be attached in any case or are missing for the places aimed at. */
function spareEnis(balance: Balance, decided: readonly Action[]): Action[] {
  const { aim, supplies, free, coming, limits } = balance
  const made = decided.filter((action) => action.kind === 'create-eni' && action.role === limits.kind).length
  const places = supplies.reduce((sum, { room }) => sum + room, free + coming) + made * podsOfNewEni(limits)
  const forHeadroom = Math.ceil(Math.max(0, aim.headroom - places) / podsOfNewEni(limits))
  const wanted = Math.max(aim.enis - supplies.length - made, forHeadroom)
  const count = Math.max(0, Math.min(wanted, freeSlots(balance) - made))
  return Array.from({ length: count }, () => ({ kind: 'create-eni', role: limits.kind, pods: 1 }))
}
