/** Runs the effects that records call for: one at a time for an ENI, again after a pause when one failed. */
import type { Logger } from 'pino'
import { isCloudError } from '../../cloud/error.ts'
import { Backoff } from './backoff.ts'
import {
  assignAddresses,
  attachEni,
  bringUp,
  createEni,
  deleteEni,
  detachEni,
  type EffectContext,
  isFinal,
  isPassing,
  unassignAddresses,
} from './effects.ts'
import { addressesOf, assignsOf, type EniKey, type EniRecord } from './model.ts'

export interface EffectRunnerOptions {
  readonly context: EffectContext
  readonly log: Logger
  /** Called when an effect has ended, well or not. Must not throw. */
  readonly ended: () => void
  /** Called when asking again cannot help; records what that means for the ENI. */
  readonly giveUp: (eni: EniRecord, error: unknown) => void
  /** Called when a call failed for a reason that has nothing to do with the ENI, so that others would fail as well. */
  readonly refused: (problem: string) => void
}

/** An attach that failed so often in a row will not succeed; with the back-off that is some 20 s. */
const ATTACH_ATTEMPTS = 5

/** After more failures in a row than this nobody should wait for the next try; with the back-off that is some 3 s. */
const STUMBLES = 2

export class EffectRunner {
  readonly #options: EffectRunnerOptions
  readonly #backoff: Backoff<EniKey>
  readonly #running = new Map<EniKey, Promise<void>>()

  constructor(options: EffectRunnerOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.context.now)
  }

  /** ENIs with an effect under way. */
  get busy(): ReadonlySet<EniKey> {
    return new Set(this.#running.keys())
  }

  /** ENIs whose last effect failed and is not to be repeated yet. */
  get failed(): ReadonlySet<EniKey> {
    return new Set([...this.#options.context.state.enis.keys()].filter((key) => this.#backoff.blocks(key)))
  }

  /** Those of them that have failed a few times only. */
  get stumbling(): ReadonlySet<EniKey> {
    return new Set([...this.failed].filter((key) => this.#backoff.isStumbling(key, STUMBLES)))
  }

  /** Why effects fail at present. */
  get problems(): string[] {
    return this.#backoff.problems
  }

  /** When the next failed effect may be repeated, ms since the epoch. */
  get nextTry(): number | undefined {
    return this.#backoff.nextEnd
  }

  /** Forgets failures of ENIs that are not on record any more. */
  tidy(): void {
    this.#backoff.keepOnly(this.#options.context.state.enis)
  }

  /** Starts the ENI's next effect unless one runs or must wait. @returns when what runs for it has ended. */
  start(key: EniKey): Promise<void> {
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const { context, ended } = this.#options
    const effect = context.signal.aborted || this.#backoff.blocks(key) ? undefined : this.#nextEffect(key)
    if (effect === undefined) return Promise.resolve()
    const run = effect(context)
      .then(() => this.#backoff.succeeded(key))
      .catch((error: unknown) => this.#failed(key, error))
      .finally(() => {
        this.#running.delete(key)
        ended()
      })
    this.#running.set(key, run)
    return run
  }

  /** When no effect runs any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running.values())
  }

  #nextEffect(key: EniKey): ((context: EffectContext) => Promise<void>) | undefined {
    const { state, ready } = this.#options.context
    const eni = state.enis.get(key)
    switch (eni?.phase) {
      case undefined:
      case 'lost':
        return undefined
      case 'creating':
        return (context) => createEni(context, eni)
      case 'attaching':
        return (context) => attachEni(context, eni)
      case 'detaching':
        return (context) => detachEni(context, eni)
      case 'deleting':
        return (context) => deleteEni(context, eni)
      case 'in-use': {
        if (ready(key) === undefined) return (context) => bringUp(context, eni)
        const [assign] = assignsOf(state, key)
        if (assign !== undefined) return (context) => assignAddresses(context, assign)
        const leaving = addressesOf(state, key).some((address) => address.phase === 'unassigning')
        return leaving ? (context) => unassignAddresses(context, eni) : undefined
      }
    }
  }

  /** Must not throw: nobody could catch it. */
  #failed(key: EniKey, error: unknown): void {
    if (this.#options.context.signal.aborted) return
    try {
      this.#noteFailure(key, error)
    } catch (err) {
      this.#options.log.error({ err }, 'a failed change of an ENI cannot be recorded, the journal may be full')
    }
  }

  #noteFailure(key: EniKey, error: unknown): void {
    const { context, log, giveUp, refused } = this.#options
    const eni = context.state.enis.get(key)
    const problem = error instanceof Error ? error.message : String(error)
    const name = eni === undefined || eni.phase === 'creating' ? key : eni.id
    log.warn({ err: error, eni: name, phase: eni?.phase }, 'a change of an ENI failed')
    this.#backoff.failed(key, { problem, passing: isPassing(error) })
    if (isCloudError(error, 'identity', 'local')) refused(problem)
    if (eni !== undefined && this.#isLost(eni, error)) giveUp(eni, error)
  }

  /** An ENI that pods use is tried for ever: what becomes of it is not for a failed call to say. */
  #isLost(eni: EniRecord, error: unknown): boolean {
    if (eni.phase !== 'attaching') return isFinal(error)
    const pods = addressesOf(this.#options.context.state, eni.key).some((address) => address.phase === 'owned')
    return !pods && (isFinal(error) || this.#backoff.failures(eni.key) >= ATTACH_ATTEMPTS)
  }
}
