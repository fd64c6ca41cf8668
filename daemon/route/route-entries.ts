/** Keeps the entries of the VPC's route tables that lead this node's prefixes here. They stay when the daemon ends. */
import { isDeepStrictEqual } from 'node:util'
import { isCloudError } from '../../cloud/error.ts'
import { within } from '../config/persist.ts'
import type { PoolClock } from '../pool/clock.ts'
import type { EventReason, PoolEvent } from '../pool/report/events.ts'
import { type Shortage, shortageOf, shortageText } from '../pool/report/exhaustion.ts'
import type { PoolReports } from '../pool/report/reports.ts'
import { type Look, lookAtRoutes, type RouteSight } from './route-look.ts'

export interface RouteEntriesOptions extends RouteSight {
  readonly journal: { getFact(name: string): unknown; putFact(name: string, value: unknown): void }
  readonly reports: Pick<PoolReports, 'event'>
  readonly clock: PoolClock
  /** 0 ≤ x < 1 */
  readonly random?: () => number
}

/** From one look at the tables to the next, ms, and up to this share more, so that nodes do not ask together. */
const INTERVAL = 300_000
const JITTER = 0.2
/** After what may work a moment later, ms; it doubles. */
const FIRST_RETRY = 2_000
const LONGEST_RETRY = 60_000
/** A start waits for so many looks that end so, and for no more. */
const TRIES = 3
/** A start of a node that was reached before waits this long for the first look, ms: its pods go on anyway. */
const PATIENCE = 5_000
/** Holds what was seen to lead here at the last look; null when something did not. */
const FACT = 'routed'

const NOT_YET: Shortage = {
  ...{ resource: 'api', key: 'not-yet' },
  limit: 'the route tables have not been looked at yet, or an entry is being made',
  advice: 'the runtime tries again',
}

export class RouteEntries {
  readonly #options: RouteEntriesOptions
  readonly #stop = new AbortController()
  readonly #first = Promise.withResolvers<void>()
  #loop: Promise<void> | undefined
  #leadsHere: boolean
  #problems: readonly Shortage[] = []
  #warnings: readonly Shortage[] = []
  #failures = 0

  constructor(options: RouteEntriesOptions) {
    this.#options = options
    this.#leadsHere = isDeepStrictEqual(options.journal.getFact(FACT), this.#fact)
  }

  /** What keeps packets of other nodes away from pods, and what soon will, in words for the operator. */
  get problems(): string[] {
    return [...this.#problems, ...this.#warnings].map(shortageText)
  }

  /** Why no packet of other nodes would find a pod; while the cloud does not answer, what was seen last counts. */
  get unreachable(): Shortage | undefined {
    if (this.#leadsHere) return undefined
    const why = this.#problems[0] ?? NOT_YET
    return { ...why, limit: `the VPC does not lead ${this.#options.cidrs.join(' and ')} to this node: ${why.limit}` }
  }

  /** Looks now and from time to time; resolves when there is no use in waiting any more. Never rejects. */
  async start(): Promise<void> {
    this.#loop ??= this.#run()
    if (!this.#leadsHere) await this.#first.promise
    else if (!(await within(this.#first.promise, PATIENCE))) {
      this.#options.log.warn(
        `no answer about the routes of the VPC within ${PATIENCE} ms; serving with those of before`,
      )
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }

  get #fact() {
    return { instance: this.#options.facts.instanceId, cidrs: [...this.#options.cidrs] }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const pause = await this.#round()
      if (this.#failures === 0 || this.#failures >= TRIES) this.#first.resolve()
      // Rejects only when the signal aborts, and that is looked at next.
      await this.#options.clock.sleep(pause, signal).catch(() => undefined)
    }
    this.#first.resolve()
  }

  /** @returns ms until the next one */
  async #round(): Promise<number> {
    const { log, random = Math.random } = this.#options
    let isTransient: boolean
    try {
      const look = await lookAtRoutes(this.#options, this.#stop.signal)
      this.#note(look)
      isTransient = look.isTransient
    } catch (err) {
      if (this.#stop.signal.aborted) return 0
      const failed = shortageOf({ kind: 'refused', error: err })
      if (this.#problems[0]?.key !== failed.key) log.warn({ err }, 'cannot look after the routes of the VPC')
      this.#tell('RouteEntryFailed', [failed])
      this.#problems = [failed]
      // What the operator has to put right is asked for again no more often than all is well.
      isTransient = !isCloudError(err, 'permanent', 'exhausted', 'not-found')
    }
    this.#failures = isTransient ? this.#failures + 1 : 0
    if (!isTransient) return INTERVAL * (1 + JITTER * random())
    return Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** (this.#failures - 1)) * (1 - random() / 2)
  }

  #note({ leadsHere, problems, warnings, made }: Look): void {
    const { journal, log } = this.#options
    if (leadsHere !== this.#leadsHere) journal.putFact(FACT, leadsHere ? this.#fact : null)
    this.#leadsHere = leadsHere
    const known = new Set([...this.#problems, ...this.#warnings].map(({ key }) => key))
    for (const one of [...problems, ...warnings]) if (!known.has(one.key)) log.warn({ advice: one.advice }, one.limit)
    this.#problems = problems
    this.#warnings = warnings
    this.#tell('RouteEntryFailed', problems)
    this.#tell('RouteTableFilling', warnings)
    if (made.length === 0) return
    log.info({ cidrs: made }, LEADS_HERE)
    this.#event({ level: 'normal', reason: 'RouteEntryCreated', message: `${LEADS_HERE}: ${made.join(' and ')}` })
  }

  #tell(reason: EventReason, shortages: readonly Shortage[]): void {
    for (const one of shortages) this.#event({ level: 'warning', reason, message: shortageText(one), key: one.key })
  }

  #event(event: Omit<PoolEvent, 'time'>): void {
    this.#options.reports.event({ time: this.#options.clock.now(), ...event })
  }
}

const LEADS_HERE = 'the VPC leads prefixes of this node here'
