/** Where the pool's events and its condition go: kept for who asks the daemon, and told to the log when they turn. */
import type { Logger } from 'pino'
import { EventLog, type PoolEvent } from './events.ts'
import type { NodeCondition } from './sufficiency.ts'

export interface PoolReports {
  event(event: PoolEvent): void
  /** At every look; most tell nothing new. */
  condition(condition: NodeCondition): void
}

export class KeptReports implements PoolReports {
  readonly events = new EventLog()
  readonly #log: Logger
  #current: NodeCondition | undefined

  constructor(log: Logger) {
    this.#log = log
  }

  /** Undefined until the pool has looked for the first time. */
  get current(): NodeCondition | undefined {
    return this.#current
  }

  event(event: PoolEvent): void {
    this.events.add(event)
  }

  condition(condition: NodeCondition): void {
    const before = this.#current?.status ?? 'True'
    this.#current = condition
    if (before === condition.status) return
    const { type, status, reason, message, since } = condition
    const isBad = status === 'False'
    this.#log[isBad ? 'warn' : 'info']({ type, status, reason }, message)
    const level = isBad ? 'warning' : 'normal'
    this.event({ time: since, level, reason: isBad ? 'IPExhausted' : 'IPRestored', message, key: type })
  }
}
