/** What the pool tells of itself: why it cannot grow, whom it turned away, whether pods can be served. */
import type { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import type { AddressRequest } from './address-request.ts'
import type { Obstacle } from './effect-runner.ts'
import { noAddress, noAddressInTime, type PoolError } from './error.ts'
import type { Refusal } from './refusal.ts'
import { depletion, NEW_STOCK, type Stock } from './report/depletion.ts'
import { type Shortage, shortageOf, shortageText } from './report/exhaustion.ts'
import type { PoolReports } from './report/reports.ts'
import { type NodeCondition, nextLook, sufficiency } from './report/sufficiency.ts'
import type { PoolLimits } from './settings.ts'

export interface OutlookOptions {
  readonly refusal: Refusal
  readonly vSwitches: VSwitches
  /** What keeps calls from bringing addresses. */
  readonly obstacles: () => readonly Obstacle[]
  /** Of every call that fails, in words for the operator. */
  readonly failures: () => readonly string[]
  readonly limits: () => PoolLimits
  /** Every address that the node may have is there. */
  readonly isFull: () => boolean
  readonly foreignEnis: () => number
  /** To be told of when so few addresses or fewer are free. */
  readonly depletedAt: number | undefined
  readonly reports: PoolReports
  readonly now: () => number
}

export interface Look {
  readonly waiting: number
  /** Addresses that can be given now. */
  readonly free: number
}

export class Outlook {
  readonly #options: OutlookOptions
  #condition: NodeCondition | undefined
  #turnedAway = 0
  /** What those lack of whom it is told. */
  #lacked: Shortage | undefined
  #grown = false
  #stock: Stock = NEW_STOCK

  constructor(options: OutlookOptions) {
    this.#options = options
  }

  /** What keeps the pool from growing, and will for more than a moment. */
  get shortages(): readonly Shortage[] {
    return this.#shortages(({ stumble }) => !stumble)
  }

  /** The same with what may be over in a moment and what cannot be given back, in words for the operator. */
  get problems(): string[] {
    const { vSwitches, failures } = this.#options
    const known = this.#shortages(() => true)
    const full = vSwitches.allEmpty ? vSwitches.problems : []
    const others = failures().filter((text) => !known.some(({ limit }) => limit === text))
    return [...known.map(shortageText), ...full, ...others]
  }

  /** For an ADD that can have no address. */
  refuse(): PoolError {
    this.#lacked = this.#shortages(() => true)[0] ?? this.#lack()
    return noAddress(this.#lacked)
  }

  /** For an ADD that has waited as long as it may. */
  giveUp(): PoolError {
    const [shortage] = this.#shortages(() => true)
    this.#lacked = shortage ?? this.#lacked
    return noAddressInTime(shortage)
  }

  /** An ADD was turned away with the error, or has gone with it. */
  note({ pod }: Pick<AddressRequest, 'pod'>, { message, key }: PoolError): void {
    const { reports, now } = this.#options
    this.#turnedAway += 1
    const who = pod === undefined ? {} : { pod }
    reports.event({ time: now(), level: 'warning', reason: 'AllocIPFailed', message, key, ...who })
  }

  /** A call has brought addresses. */
  grew(): void {
    this.#grown = true
  }

  /** @returns when to look again although nothing happens, ms since the epoch */
  look({ waiting, free }: Look): number | undefined {
    const { reports, now } = this.#options
    const facts = { waiting, free, turnedAway: this.#turnedAway, shortages: this.#known(), grown: this.#grown }
    this.#turnedAway = 0
    this.#lacked = undefined
    const before = this.#condition
    this.#condition = sufficiency(before, facts, now())
    // What came before a pod was short again has not helped it.
    if (this.#condition !== before) this.#grown = false
    reports.condition(this.#condition)
    this.#noteStock(free)
    return nextLook(this.#condition)
  }

  #noteStock(free: number): void {
    const { depletedAt: few, reports, now } = this.#options
    if (few === undefined) return
    const { stock, crossed } = depletion(this.#stock, { free, few, now: now() })
    this.#stock = stock
    if (!crossed) return
    const message = `${free} addresses are free, and ${few} or fewer are to be told of (pool_depletion_threshold)`
    reports.event({ time: now(), level: 'warning', reason: 'IPDepleted', message, key: 'IPDepleted' })
  }

  /** Where nothing keeps the pool from growing, that which pods were told. */
  #known(): readonly Shortage[] {
    const { shortages } = this
    return shortages.length > 0 || this.#lacked === undefined ? shortages : [this.#lacked]
  }

  #lack(): Shortage {
    const { isFull, limits, foreignEnis, vSwitches } = this.#options
    if (isFull()) return shortageOf({ kind: 'full', limits: limits(), foreignEnis: foreignEnis() })
    const empty = [...vSwitches.empty]
    return shortageOf(empty.length > 0 ? { kind: 'no-vswitch', empty } : { kind: 'busy' })
  }

  /** Each once: what fails for one ENI often fails for others. */
  #shortages(counts: (obstacle: Obstacle) => boolean): readonly Shortage[] {
    const { refusal, vSwitches, obstacles } = this.#options
    const refused = refusal.shortage === undefined ? [] : [refusal.shortage]
    const empty = vSwitches.allEmpty ? [shortageOf({ kind: 'no-vswitch', empty: [...vSwitches.empty] })] : []
    const failing = obstacles().flatMap((one) =>
      counts(one) ? [shortageOf({ kind: 'refused', error: one.error })] : [],
    )
    const all = [...refused, ...empty, ...failing]
    return all.filter((one, index) => all.findIndex((other) => isSame(one, other)) === index)
  }
}

/** That a vSwitch is empty is said by a call that failed, and by the vSwitches themselves. */
function isSame(one: Shortage, other: Shortage): boolean {
  return one.key === other.key || (one.resource === 'vswitch' && other.resource === 'vswitch')
}
