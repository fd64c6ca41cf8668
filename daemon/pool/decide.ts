/**
 * The pool's decision: given what is there, what is asked for, what is allowed and what stands in the way, what to do
 * next. Pure; the owner of the state (pool.ts) carries the actions out and asks again after each change.
 */
import type { Aim } from './aim.ts'
import { type Action, type Balance, balanceOf, isFull, newEnis, podsOfNewEni, type Question } from './balance.ts'
import type { Circumstances } from './circumstances.ts'
import { growth } from './growth.ts'
import type { AddressRecord } from './model.ts'
import { drains, shrinkage } from './shrink.ts'
import type { Supply } from './supply.ts'

export interface Decision {
  readonly actions: readonly Action[]
  readonly aim: Aim
  /** Pods that can be given addresses now. */
  readonly free: number
  /** Addresses that were asked for although no pod waits for them. */
  readonly warmed: number
  /** Addresses that go back because nobody has needed them. */
  readonly reclaimed: number
  /** Waiting ADDs for which there can be no address: not even with every ENI made and filled and all cooled down. */
  readonly hopeless: number
  /** Every address that the node may have is there, or coming. */
  readonly full: boolean
  /** When to ask again although nothing happens, ms since the epoch. */
  readonly wakeAt?: number
}

export function decide(question: Question): Decision {
  const balance = balanceOf(question)
  const { state, demand, free, aim, now } = balance
  const grow = growth(balance)
  const shrink = grow.actions.length > 0 ? { actions: [], reclaimed: 0 } : shrinkage(balance)
  const cooled = [...state.cooling.values()].flatMap((a) => (a.phase === 'cooling' && a.until <= now ? [a.ip] : []))
  const end: Action[] = cooled.length > 0 ? [{ kind: 'end-cooling', ips: cooled }] : []
  const wakeAt = nextMoment(balance)
  return {
    actions: [...end, ...drains(balance), ...grow.actions, ...shrink.actions],
    ...{ aim, free, warmed: grow.warmed, reclaimed: shrink.reclaimed },
    hopeless: Math.max(0, demand.waiting - reachable(balance)),
    full: isFull(balance),
    ...(wakeAt === undefined ? {} : { wakeAt }),
  }
}

/** The end of a cool-down, of an idle time, of a portion: whatever comes first. */
function nextMoment({ state, demand, limits, now }: Balance): number | undefined {
  const { nextReclaim, nextShrink, nextWarmUp, nextForecast } = demand.past
  const ends = [...state.cooling.values()].flatMap((a) => (a.phase === 'cooling' && a.until > now ? [a.until] : []))
  const reclaim = limits.idle !== undefined && nextReclaim > now ? [nextReclaim] : []
  const others = [nextShrink, nextWarmUp, limits.strategy === 'adaptive' ? nextForecast : undefined]
  const later = others.filter((at) => at !== undefined && at > now) as number[]
  const first = Math.min(...ends, ...reclaim, ...later)
  return Number.isFinite(first) ? first : undefined
}

/** Pods that can have an address sooner or later, as far as anybody can tell. */
function reachable(balance: Balance): number {
  const { state, supplies, free, coming, limits, now, circumstances } = balance
  const cooling = [...state.cooling.values()].filter((address) => isInTime(address, now)).length
  const room = supplies.reduce((sum, supply) => sum + usableRoom(supply, circumstances), 0)
  const fresh = newEnis(balance) * podsOfNewEni(limits)
  return free + coming - inVain(balance) + Math.ceil(cooling / limits.families.length) + room + fresh + perhaps(balance)
}

/** An ADD waits for half a minute; an address that is kept for its pod takes longer. */
const PATIENCE = 30_000

function isInTime(address: AddressRecord, now: number): boolean {
  return address.phase === 'cooling' && !address.lost && address.until > now && address.until <= now + PATIENCE
}

function usableRoom({ eni, room }: Supply, { failedEnis, emptyVSwitches }: Circumstances): number {
  return failedEnis.has(eni.key) || emptyVSwitches.has(eni.vSwitchId) ? 0 : room
}

/** Of what is coming, that which fails and fails: asking for more would not help, but nobody should wait for it. */
function inVain({ supplies, circumstances: { failedEnis, stumblingEnis } }: Balance): number {
  return supplies
    .filter(({ eni }) => failedEnis.has(eni.key) && !stumblingEnis.has(eni.key))
    .reduce((sum, { coming }) => sum + coming, 0)
}

/**
 * Addresses of ENIs that have stumbled or are slow: not enough to go without another ENI, but worth waiting for. An ADD
 * that is turned away comes back after a longer time than the next try takes.
 */
function perhaps({ supplies, circumstances, limits }: Balance): number {
  const { stumblingEnis, slowEnis, failedEnis, emptyVSwitches } = circumstances
  return supplies
    .filter(({ eni }) => stumblingEnis.has(eni.key) || (slowEnis.has(eni.key) && !failedEnis.has(eni.key)))
    .filter(({ eni }) => !emptyVSwitches.has(eni.vSwitchId))
    .reduce((sum, { owned, coming }) => sum + Math.max(0, podsOfNewEni(limits) - owned - coming), 0)
}
