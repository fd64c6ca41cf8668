/** What the pool asks the cloud for. Pure. */
import type { Family } from '../../inet/address.ts'
import { type Action, type Balance, newEnis, podsOfNewEni } from './balance.ts'
import type { AssignKind } from './model.ts'
import { type PoolLimits, PREFIX_SIZE } from './settings.ts'
import type { Supply } from './supply.ts'

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
  const missing = missingAddresses(balance)
  const forPods = forAddresses(balance, missing.count)
  const actions = [...trunk, ...forPods, ...spareEnis(balance, forPods)]
  if (actions.length === 0) return NOTHING
  return { actions, warmed: missing.warmed }
}

/** Members ride on a trunk, so it comes first; they may be made meanwhile. */
function missingTrunk({ state, limits, circumstances }: Balance): Action[] {
  if (limits.kind !== 'member' || limits.maxEnis === 0 || circumstances.noNewEni) return []
  const has = [...state.enis.values()].some(({ role, phase }) => role === 'trunk' && phase !== 'lost')
  return has ? [] : [{ kind: 'create-eni', role: 'trunk', pods: 0 }]
}

/** Pods that wait come first; what is kept ready for others may come in portions. */
function missingAddresses(balance: Balance): { readonly count: number; readonly warmed: number } {
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
  return { count: urgent + warmed, warmed }
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

/**
 * Fills the ENIs that are there, then makes new ones, each as full as needed. What fits on ENIs that are still on their
 * way waits for them: an assign takes a fraction of the time of another ENI, and no slot.
 */
function forAddresses(balance: Balance, missing: number): Action[] {
  const { supplies, limits, circumstances } = balance
  const actions: Action[] = []
  let left = missing
  for (const supply of inOrder(supplies, limits)) {
    if (left <= 0) return actions
    if (!supply.idle || supply.room <= 0 || circumstances.emptyVSwitches.has(supply.eni.vSwitchId)) continue
    const asked = Math.min(left, supply.room, limits.batch.addresses)
    actions.push(...assigns(supply, asked, limits))
    left -= supply.room
  }
  left -= roomOnComing(balance)
  const pods = podsOfNewEni(limits)
  for (let free = freeSlots(balance); free > 0 && left > 0; free--) {
    const size = Math.min(left, pods, limits.kind === 'shared' ? limits.batch.addresses : 1)
    actions.push({ kind: 'create-eni', role: limits.kind, pods: size })
    left -= pods
  }
  return actions
}

/** ENIs that may be made now: as many as there are places for, and as may be under way at the same time. */
function freeSlots(balance: Balance): number {
  const { supplies, limits } = balance
  const underWay = supplies.filter(({ eni }) => eni.phase === 'creating' || eni.phase === 'attaching').length
  return Math.min(newEnis(balance), Math.max(0, limits.batch.enis - underWay))
}

/** The fullest first, so that few ENIs are in use; or the emptiest, so that pods are spread. */
function inOrder(supplies: readonly Supply[], { order }: PoolLimits): Supply[] {
  const sign = order === 'most-pods' ? 1 : -1
  return supplies.toSorted((a, b) => sign * (a.room - b.room))
}

/** Of each family what it lacks, so that `pods` more can be served. */
function assigns({ eni, families, ready, coming }: Supply, pods: number, limits: PoolLimits): Action[] {
  return [...families].flatMap(([family, supply]): Action[] => {
    const lacking = ready + coming + pods - supply.have - supply.coming
    if (lacking <= 0) return []
    const { what, count } = call(family, lacking, limits)
    return [{ kind: 'assign', eni: eni.key, what, count }]
  })
}

function call(family: Family, addresses: number, limits: PoolLimits): { what: AssignKind; count: number } {
  if (limits.unit === 'address' || limits.kind !== 'shared') {
    return family === 'ipv4'
      ? { what: 'ipv4', count: addresses }
      : { what: 'ipv6', count: Math.min(MAX_IN_ONE_CALL, addresses) }
  }
  if (family === 'ipv6') return { what: 'ipv6-prefix', count: 1 }
  return { what: 'ipv4-prefix', count: Math.min(MAX_IN_ONE_CALL, Math.ceil(addresses / PREFIX_SIZE)) }
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
