/** Runs the effects that records call for: one at a time for an ENI, again after a pause when one failed. */
import type { Logger } from 'pino'
import type { CloudEni } from '../../cloud/ecs.ts'
import { isCloudError } from '../../cloud/error.ts'
import { Backoff } from './backoff.ts'
import { type EffectContext, type Equipped, podsOn } from './effects/context.ts'
import { isComing, type Job, type JobName, jobsOf } from './effects/jobs.ts'
import { Latency } from './effects/latency.ts'
import { isFinal, isPassing, problemOf } from './effects/outcome.ts'
import { StateWatch } from './effects/state-watch.ts'
import type { AssignRecord, EniKey, EniRecord, EniRole } from './model.ts'
import { isLive } from './supply.ts'
import { carriesMembers } from './trunk.ts'

export interface EffectRunnerOptions {
  readonly context: EffectContext
  readonly log: Logger
  /** Called when an effect has ended, well or not. Must not throw. */
  readonly ended: () => void
  /** Called when asking again cannot help; records what that means for the ENI, or for the one assignment named. */
  readonly giveUp: (eni: EniRecord, error: unknown, assign: AssignRecord | undefined) => void
  /** Called when a call failed for a reason that has nothing to do with the ENI, so that others would fail as well. */
  readonly refused: (error: unknown) => void
  /** Called at every try that failed, before anything follows from it. */
  readonly failed?: (eni: EniRecord, job: JobName, error: unknown) => void
  /** Called when a call has brought addresses that can be given away. */
  readonly grew?: () => void
  /** An attach that failed so often in a row will not succeed. 5, which with the back-off are some 20 s. */
  readonly attachAttempts?: number
  /** From 0 up to 1. */
  readonly random?: () => number
}

const ATTACH_ATTEMPTS = 5

/** After more failures in a row than this nobody should wait for the next try; with the back-off that is some 3 s. */
const STUMBLES = 2

/** Why the pool has fewer addresses than it has asked for. */
export interface Obstacle {
  readonly error: unknown
  /** It has happened a few times only, and the next try may well succeed. */
  readonly stumble: boolean
}

/** An ENI is slow when it has been coming for so many times as long as they use to, but not before that many ms. */
const SLOW_FACTOR = 3
const SLOW_AT_LEAST = 8_000
/** From the attach until it is ready, ms; of other ENIs than members with the link, which comes up to 3 s later. */
const MEMBER_GUESS = { from: 1_000, to: 2_000 }
const OTHER_GUESS = { from: 2_000, to: 7_000 }

/** What runs for an ENI, and what failed. */
interface Desk {
  running: Promise<void> | undefined
  readonly backoff: Backoff<JobName>
  /** Since when it is on its way to be ready, as far as this process has seen; ms since the epoch. */
  coming: number | undefined
}

export class EffectRunner {
  readonly #options: EffectRunnerOptions
  readonly #context: Equipped
  readonly #desks = new Map<EniKey, Desk>()
  readonly #usual = { member: new Latency(MEMBER_GUESS), other: new Latency(OTHER_GUESS) }

  constructor(options: EffectRunnerOptions) {
    this.#options = options
    this.#context = { ...options.context, watch: new StateWatch(options.context) }
  }

  /** ENIs with an effect under way. */
  get busy(): ReadonlySet<EniKey> {
    return this.#keys(({ running }) => running !== undefined)
  }

  /** ENIs of which something failed that brings addresses and that is not to be repeated yet. */
  get failed(): ReadonlySet<EniKey> {
    return this.#keys((desk) => obstacles(desk).length > 0)
  }

  /** Those of them that have failed a few times only. */
  get stumbling(): ReadonlySet<EniKey> {
    return this.#keys((desk) => {
      const names = obstacles(desk)
      return names.length > 0 && names.every((name) => desk.backoff.isStumbling(name, STUMBLES))
    })
  }

  /** ENIs that take far longer to be ready than they use to. */
  get slow(): ReadonlySet<EniKey> {
    const now = this.#context.clock.now()
    return this.#keys((desk, key) => this.#slowAt(desk, key) <= now)
  }

  /** Why effects fail at present. */
  get problems(): string[] {
    return [...this.#desks.values()].flatMap(({ backoff }) => backoff.current.map(([, { problem }]) => problem))
  }

  /** Of them, those that keep addresses from pods: what cannot be given back does not, nor what nobody asks for now. */
  get obstacles(): readonly Obstacle[] {
    return [...this.#desks].flatMap(([key, { backoff }]) =>
      backoff.current.flatMap(([name, { error }]) =>
        this.#isAskedFor(key, name, backoff) ? [{ error, stumble: backoff.isStumbling(name, STUMBLES) }] : [],
      ),
    )
  }

  /** When a failed effect may be repeated next, or an ENI comes to be slow; ms since the epoch. */
  get nextTry(): number | undefined {
    const now = this.#context.clock.now()
    const moments = [...this.#desks].flatMap(([key, desk]) => {
      const slowAt = this.#slowAt(desk, key)
      return slowAt > now && Number.isFinite(slowAt) ? [slowAt, ...desk.backoff.ends] : desk.backoff.ends
    })
    return moments.length > 0 ? Math.min(...moments) : undefined
  }

  /** Forgets what failed for ENIs that are not on record any more. */
  tidy(): void {
    for (const [key, { running }] of this.#desks) {
      if (running === undefined && !this.#context.state.enis.has(key)) this.#desks.delete(key)
    }
  }

  /** Starts the ENI's next effect unless one runs or must wait. @returns when what runs for it has ended */
  start(key: EniKey): Promise<void> {
    const { state, signal } = this.#context
    if (signal.aborted || !state.enis.has(key)) return Promise.resolve()
    const desk = this.#deskOf(key)
    this.#noteComing(desk, key)
    desk.running ??= this.#next(desk, key)
    return desk.running ?? Promise.resolve()
  }

  /** An answer has described the ENI: what is begun for it soon need not ask. @param at of the answer, ms since the epoch */
  saw(eni: CloudEni, at: number): void {
    this.#context.watch.saw(eni, at)
  }

  /** When no effect runs any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#desks.values()].map(({ running }) => running))
  }

  #next(desk: Desk, key: EniKey): Promise<void> | undefined {
    const job = jobsOf(this.#context, key).find(({ name }) => !desk.backoff.blocks(name))
    return job === undefined ? undefined : this.#run(desk, key, job)
  }

  /** What was given up counts until its pause is over: others would have failed as well. */
  #isAskedFor(key: EniKey, name: JobName, backoff: Backoff<JobName>): boolean {
    const eni = this.#context.state.enis.get(key)
    if (eni === undefined || !isLive(eni) || !bringsAddresses(name)) return false
    return backoff.blocks(name) || jobsOf(this.#context, key).some((job) => job.name === name)
  }

  #deskOf(key: EniKey): Desk {
    const known = this.#desks.get(key)
    if (known !== undefined) return known
    const { now, random } = { now: () => this.#context.clock.now(), random: this.#options.random ?? Math.random }
    const desk: Desk = { running: undefined, backoff: new Backoff({ now, random }), coming: undefined }
    this.#desks.set(key, desk)
    return desk
  }

  #keys(matches: (desk: Desk, key: EniKey) => boolean): ReadonlySet<EniKey> {
    return new Set([...this.#desks].flatMap(([key, desk]) => (matches(desk, key) ? [key] : [])))
  }

  /** Never rejects. */
  async #run(desk: Desk, key: EniKey, job: Job): Promise<void> {
    try {
      await job.run()
      desk.backoff.succeeded(job.name)
      if (bringsAddresses(job.name) && this.#context.state.enis.get(key)?.phase === 'in-use') this.#options.grew?.()
    } catch (error) {
      this.#failed(desk, key, job, error)
    }
    desk.running = undefined
    this.#noteComing(desk, key)
    this.#options.ended()
  }

  #noteComing(desk: Desk, key: EniKey): void {
    const { clock, state, ready } = this.#context
    if (isComing(this.#context, key)) {
      desk.coming ??= clock.now()
      return
    }
    const eni = state.enis.get(key)
    if (desk.coming !== undefined && eni?.phase === 'in-use' && ready(key) !== undefined) {
      this.#usualOf(eni.role).add(clock.now() - desk.coming)
    }
    desk.coming = undefined
  }

  #usualOf(role: EniRole): Latency {
    return role === 'member' ? this.#usual.member : this.#usual.other
  }

  /** ms since the epoch; Infinity when it is not on its way */
  #slowAt({ coming }: Desk, key: EniKey): number {
    const eni = this.#context.state.enis.get(key)
    if (coming === undefined || eni === undefined) return Number.POSITIVE_INFINITY
    return coming + Math.max(SLOW_AT_LEAST, SLOW_FACTOR * this.#usualOf(eni.role).typical)
  }

  /** Must not throw: nobody could catch it. */
  #failed(desk: Desk, key: EniKey, job: Job, error: unknown): void {
    if (this.#context.signal.aborted) return
    try {
      this.#noteFailure(desk, key, job, error)
    } catch (err) {
      this.#options.log.error({ err }, 'a failed change of an ENI cannot be recorded, the journal may be full')
    }
  }

  #noteFailure(desk: Desk, key: EniKey, job: Job, error: unknown): void {
    const { log, giveUp, refused, failed } = this.#options
    const eni = this.#context.state.enis.get(key)
    const problem = problemOf(error)
    const name = eni === undefined || eni.phase === 'creating' ? key : eni.id
    log.warn({ err: error, eni: name, phase: eni?.phase, job: job.name }, 'a change of an ENI failed')
    desk.backoff.failed(job.name, { error, problem, passing: isPassing(error) })
    if (eni !== undefined) failed?.(eni, job.name, error)
    if (isCloudError(error, 'identity', 'local')) refused(error)
    if (eni !== undefined && this.#isLost(desk, eni, job, error)) giveUp(eni, error, job.assign)
  }

  /**
   * An ENI that pods use is tried for ever: what becomes of it is not for a failed call to say. So is a trunk with
   * members on it, which cannot go before them.
   */
  #isLost(desk: Desk, eni: EniRecord, { name, assign }: Job, error: unknown): boolean {
    const { key, phase } = eni
    if (assign !== undefined || phase === 'creating') return isFinal(error)
    if (name !== 'place' || phase !== 'attaching') return false
    if (podsOn(this.#context, key) > 0 || carriesMembers(this.#context.state, eni)) return false
    return isFinal(error) || desk.backoff.failures(name) >= (this.#options.attachAttempts ?? ATTACH_ATTEMPTS)
  }
}

/** What of it stands in the way of pods: that nothing can be given back does not. */
function obstacles({ backoff }: Desk): JobName[] {
  return backoff.blocked.filter(bringsAddresses)
}

function bringsAddresses(name: JobName): boolean {
  return !name.startsWith('unassign')
}
