/**
 * The pool's decision: given what is there, what is asked for and what is allowed, what to do next. Pure; the owner of
 * the state (pool.ts) carries the actions out and asks again after each change.
 */
import type { VSwitchId } from '../../cloud/ids.ts'
import type { Ipv4 } from '../../inet/address.ts'
import { type AddressRecord, addressesOf, assignsOf, type EniKey, type EniRecord, type PoolState } from './model.ts'

export interface PoolLimits {
  /** Secondary ENIs this node may have. */
  readonly maxEnis: number
  /** Addresses of an ENI, its primary included. */
  readonly addressesPerEni: number
  /** Free addresses kept ready (`min_pool_size`). */
  readonly minFree: number
  /** Free addresses above this go back to the cloud (`max_pool_size`). */
  readonly maxFree: number
}

export interface Demand {
  /** ADDs that wait for an address. */
  readonly waiting: number
}

export interface Obstacles {
  /** ENIs with a cloud call under way: no second one beside it. */
  readonly busyEnis: ReadonlySet<EniKey>
  /** ENIs whose link is there and programmed: only their addresses can be given away. */
  readonly readyEnis: ReadonlySet<EniKey>
  /** ENIs whose last call failed and is not to be repeated yet. */
  readonly failedEnis: ReadonlySet<EniKey>
  /** Those of them that have failed so seldom in a row that the next try may well succeed. */
  readonly stumblingEnis: ReadonlySet<EniKey>
  /** vSwitches in which nothing can be had now. */
  readonly emptyVSwitches: ReadonlySet<VSwitchId>
  /** No new ENI now: limit of the instance, or no vSwitch left to make it in. */
  readonly noNewEni: boolean
}

export type Action =
  | { readonly kind: 'create-eni'; readonly secondaryIps: number }
  | { readonly kind: 'assign'; readonly eni: EniKey; readonly count: number }
  | { readonly kind: 'unassign'; readonly eni: EniKey; readonly ips: readonly Ipv4[] }
  | { readonly kind: 'release-eni'; readonly eni: EniKey }
  | { readonly kind: 'end-cooling'; readonly ips: readonly Ipv4[] }

/** SecondaryPrivateIpAddressCount of CreateNetworkInterface allows 1 to 49 (ECS API reference). */
const MAX_SECONDARY_AT_CREATION = 49

export interface Decision {
  readonly actions: readonly Action[]
  /** Waiting ADDs for which there can be no address: not even with every ENI made and filled and all cooled down. */
  readonly hopeless: number
  /** When to ask again although nothing happens: the next end of a cool-down, ms since the epoch. */
  readonly wakeAt?: number
}

interface Question {
  readonly state: PoolState
  readonly demand: Demand
  readonly limits: PoolLimits
  readonly obstacles: Obstacles
  /** ms since the epoch */
  readonly now: number
}

export function decide(question: Question): Decision {
  const { state, demand, limits, now } = question
  const cooled = [...state.addresses.values()].filter((a) => a.phase === 'cooling' && a.until <= now)
  const cooling = [...state.addresses.values()].filter((a) => a.phase === 'cooling' && a.until > now)
  const ready = (address: AddressRecord) => question.obstacles.readyEnis.has(address.eni)
  const free =
    [...state.addresses.values()].filter((a) => a.phase === 'warm' && ready(a)).length + cooled.filter(ready).length
  const coming = countComing(question)
  const missing = demand.waiting + limits.minFree - free - coming
  const grow = missing > 0 ? growth(question, missing) : []
  const surplus = free - demand.waiting - limits.maxFree
  const shrink = missing <= 0 && surplus > 0 ? shrinkage(question, surplus) : []
  const end: Action[] = cooled.length > 0 ? [{ kind: 'end-cooling', ips: cooled.map((a) => a.ip) }] : []
  const reachable = free + coming - inVain(question) + cooling.length + room(question) + perhaps(question)
  const wakeAt = Math.min(...cooling.map((a) => (a.phase === 'cooling' ? a.until : now)))
  return {
    actions: [...end, ...grow, ...shrink],
    hopeless: Math.max(0, demand.waiting - reachable),
    ...(Number.isFinite(wakeAt) ? { wakeAt } : {}),
  }
}

function phaseOf(state: PoolState, address: AddressRecord): EniRecord['phase'] | undefined {
  return state.enis.get(address.eni)?.phase
}

/**
 * Addresses that calls under way will bring. A creation or assignment that is being repeated still counts, or an outage
 * of the API would ask for more each time; an ENI that cannot be attached or brought up does not.
 */
function countComing({ state, obstacles }: Question): number {
  const calls = [...state.enis.keys()].reduce((sum, key) => sum + asked(state, key), 0)
  const rising = [...state.addresses.values()].filter(
    (a) =>
      a.phase === 'warm' &&
      isRising(phaseOf(state, a)) &&
      !obstacles.readyEnis.has(a.eni) &&
      !obstacles.failedEnis.has(a.eni),
  )
  return calls + rising.length
}

function isRising(phase: EniRecord['phase'] | undefined): boolean {
  return phase === 'attaching' || phase === 'in-use'
}

/** Addresses that could still be asked for, now or when calls under way have ended. */
function room({ state, limits, obstacles }: Question): number {
  const open = [...state.enis.values()].filter(
    (eni) =>
      ['creating', 'attaching', 'in-use'].includes(eni.phase) &&
      !obstacles.failedEnis.has(eni.key) &&
      !obstacles.emptyVSwitches.has(eni.vSwitchId),
  )
  const onEnis = open.reduce((sum, eni) => sum + Math.max(0, limits.addressesPerEni - size(state, eni)), 0)
  return onEnis + newEnis(state, limits, obstacles) * limits.addressesPerEni
}

/** Of what is coming, that which fails and fails: asking for more would not help, but nobody should wait for it. */
function inVain({ state, obstacles }: Question): number {
  return [...obstacles.failedEnis]
    .filter((key) => !obstacles.stumblingEnis.has(key))
    .reduce((sum, key) => sum + asked(state, key), 0)
}

/**
 * Addresses of ENIs that have stumbled: not enough to go without another ENI, but worth waiting for. An ADD that is
 * turned away comes back after a longer time than the next try takes.
 */
function perhaps({ state, limits, obstacles }: Question): number {
  return [...obstacles.stumblingEnis]
    .flatMap((key) => state.enis.get(key) ?? [])
    .filter((eni) => ['creating', 'attaching', 'in-use'].includes(eni.phase))
    .filter((eni) => !obstacles.emptyVSwitches.has(eni.vSwitchId))
    .reduce((sum, { key }) => sum + Math.max(0, limits.addressesPerEni - owned(state, key) - asked(state, key)), 0)
}

function owned(state: PoolState, key: EniKey): number {
  return addressesOf(state, key).filter((address) => address.phase === 'owned').length
}

/** Addresses that calls for the ENI will bring: its own creation, or assignments. */
function asked(state: PoolState, key: EniKey): number {
  const eni = state.enis.get(key)
  if (eni?.phase === 'creating') return 1 + eni.request.secondaryIps
  return assignsOf(state, key).reduce((sum, assign) => sum + assign.count, 0)
}

/** Addresses that can be asked for as soon as calls under way have ended. */
function roomOnComing({ state, limits, obstacles }: Question): number {
  return [...state.enis.values()]
    .filter((eni) => eni.phase === 'creating' || eni.phase === 'attaching' || obstacles.busyEnis.has(eni.key))
    .filter((eni) => ['creating', 'attaching', 'in-use'].includes(eni.phase))
    .filter((eni) => !obstacles.failedEnis.has(eni.key) && !obstacles.emptyVSwitches.has(eni.vSwitchId))
    .reduce((sum, eni) => sum + Math.max(0, limits.addressesPerEni - size(state, eni)), 0)
}

/** Addresses of the ENI, those that are asked for included. */
function size(state: PoolState, eni: EniRecord): number {
  return addressesOf(state, eni.key).length + asked(state, eni.key)
}

function newEnis(state: PoolState, limits: PoolLimits, obstacles: Obstacles): number {
  const taken = [...state.enis.values()].filter((eni) => eni.phase !== 'lost').length
  return obstacles.noNewEni ? 0 : Math.max(0, limits.maxEnis - taken)
}

/**
 * Fills the ENIs that are there, fullest first, then makes new ones, each as full as needed. What fits on ENIs that are
 * still on their way waits for them: an assign takes a fraction of the time of another ENI, and no slot.
 */
function growth(question: Question, missing: number): Action[] {
  const { state, limits, obstacles } = question
  const actions: Action[] = []
  let left = missing
  const rooms = [...state.enis.values()]
    .filter((eni) => isIdle(state, eni, obstacles) && !obstacles.emptyVSwitches.has(eni.vSwitchId))
    .map((eni) => ({ eni: eni.key, room: limits.addressesPerEni - addressesOf(state, eni.key).length }))
    .filter(({ room }) => room > 0)
    .sort((a, b) => a.room - b.room)
  for (const { eni, room } of rooms) {
    if (left <= 0) return actions
    actions.push({ kind: 'assign', eni, count: Math.min(room, left) })
    left -= room
  }
  left -= roomOnComing(question)
  const slots = newEnis(state, limits, obstacles)
  for (let slot = 0; slot < slots && left > 0; slot++) {
    const size = Math.min(left, limits.addressesPerEni)
    actions.push({ kind: 'create-eni', secondaryIps: Math.min(size - 1, MAX_SECONDARY_AT_CREATION) })
    left -= size
  }
  return actions
}

/** In use and ready, and no call is under way, decided or held back for it. */
function isIdle(state: PoolState, eni: EniRecord, { busyEnis, failedEnis, readyEnis }: Obstacles): boolean {
  const free = !busyEnis.has(eni.key) && !failedEnis.has(eni.key) && readyEnis.has(eni.key)
  return eni.phase === 'in-use' && free && assignsOf(state, eni.key).length === 0
}

/** Gives whole unused ENIs back where the surplus covers them, single addresses otherwise, emptiest ENI first. */
function shrinkage({ state, obstacles }: Question, surplus: number): Action[] {
  const actions: Action[] = []
  let left = surplus
  const candidates = [...state.enis.values()]
    .filter((eni) => isIdle(state, eni, obstacles))
    .map((eni) => ({ eni: eni.key, addresses: addressesOf(state, eni.key) }))
    .sort((a, b) => a.addresses.length - b.addresses.length)
  for (const { eni, addresses } of candidates) {
    const warm = addresses.filter((a) => a.phase === 'warm')
    if (left <= 0) break
    if (warm.length === addresses.length && warm.length <= left) {
      actions.push({ kind: 'release-eni', eni })
      left -= warm.length
      continue
    }
    const ips = warm.filter((a) => !a.primary).slice(0, left)
    if (ips.length === 0) continue
    actions.push({ kind: 'unassign', eni, ips: ips.map((a) => a.ip) })
    left -= ips.length
  }
  return actions
}
