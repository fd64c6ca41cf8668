/** What the pool tells of itself: why it cannot grow, whom it turned away, whether pods can be served. */
import type { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import type { AddressRequest } from './address-request.ts'
import { noAddress, type PoolError } from './error.ts'
import type { Refusal } from './refusal.ts'
import { type Shortage, shortageOf, shortageText } from './report/exhaustion.ts'
import type { PoolReports } from './report/reports.ts'
import { type NodeCondition, nextLook, sufficiency } from './report/sufficiency.ts'
import type { PoolLimits } from './settings.ts'

export interface OutlookOptions {
  readonly refusal: Refusal
  readonly vSwitches: VSwitches
  /** Of effects that fail, in words for the operator. */
  readonly failures: () => readonly string[]
  readonly limits: () => PoolLimits
  readonly foreignEnis: () => number
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

  constructor(options: OutlookOptions) {
    this.#options = options
  }

  /** What keeps the pool from making ENIs. */
  get shortages(): readonly Shortage[] {
    const { refusal, vSwitches } = this.#options
    const refused = refusal.shortage === undefined ? [] : [refusal.shortage]
    const empty = vSwitches.allEmpty ? [shortageOf({ kind: 'no-vswitch', empty: [...vSwitches.empty] })] : []
    return [...refused, ...empty]
  }

  /** The same with calls that fail, in words for the operator. */
  get problems(): string[] {
    const { vSwitches, failures } = this.#options
    const full = vSwitches.allEmpty ? vSwitches.problems : []
    return [...this.shortages.map(shortageText), ...full, ...failures()]
  }

  /** For an ADD that can have no address. */
  refuse(): PoolError {
    const { limits, foreignEnis, failures } = this.#options
    const [failure] = failures()
    const failing = failure === undefined ? [] : [shortageOf({ kind: 'refused', error: failure })]
    const [shortage] = [...this.shortages, ...failing]
    if (shortage !== undefined) return noAddress(shortage, shortage.resource === 'instance')
    return noAddress(shortageOf({ kind: 'full', limits: limits(), foreignEnis: foreignEnis() }), true)
  }

  /** An ADD was turned away with the error. */
  note({ pod }: AddressRequest, { message }: PoolError): void {
    const { reports, now } = this.#options
    this.#turnedAway += 1
    const who = pod === undefined ? {} : { pod }
    reports.event({ time: now(), level: 'warning', reason: 'AllocIPFailed', message, ...who })
  }

  /** @returns when to look again although nothing happens, ms since the epoch */
  look({ waiting, free }: Look): number | undefined {
    const { reports, now } = this.#options
    const facts = { waiting, free, turnedAway: this.#turnedAway, shortages: this.#known() }
    this.#turnedAway = 0
    this.#condition = sufficiency(this.#condition, facts, now())
    reports.condition(this.#condition)
    return nextLook(this.#condition)
  }

  #known(): readonly Shortage[] {
    const { limits, foreignEnis } = this.#options
    const { shortages } = this
    if (shortages.length > 0 || this.#turnedAway === 0) return shortages
    return [shortageOf({ kind: 'full', limits: limits(), foreignEnis: foreignEnis() })]
  }
}
