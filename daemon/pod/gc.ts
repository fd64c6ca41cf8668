/** Compares journal, cloud, kernel and sandboxes with each other and sets right what differs: by time, or on demand. */
import type { Clock } from '../../cloud/clock.ts'
import type { Ip } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import type { Reconciling } from '../pool/pool.ts'
import type { Finding, FindingKind, Reconciliation, Suspicions } from '../pool/reconcile.ts'
import type { EndedSuspects, SweepOptions, Swept } from './sweep.ts'

export interface GcOptions {
  /** Nothing is changed: not the journal, not the cloud, not the kernel. */
  readonly dryRun: boolean
  /** What must be seen twice is looked at twice now. */
  readonly force: boolean
}

/**
 * `removed`: what a pod has left on the node, and `failed` when it would not go. `fields.pod` names one where there is
 * one.
 */
export interface GcFinding extends Pick<Finding, 'level' | 'message' | 'fields'> {
  readonly kind: FindingKind | 'removed' | 'failed'
}

export interface GcReport {
  readonly findings: readonly GcFinding[]
  /** How many of each were looked at. */
  readonly enis: number
  readonly addresses: number
  readonly pods: number
}

export interface Gc {
  /**
   * Never twice at once, nor beside the one by time: it waits for its turn.
   * @throws CloudError when the cloud cannot be asked; the signal's reason when it aborts before a look. What an earlier
   * look has done stays done.
   */
  run(options: GcOptions, signal: AbortSignal): Promise<GcReport>
}

export interface GarbageOptions {
  readonly pool: {
    readonly state: { readonly enis: { readonly size: number }; readonly addresses: { readonly size: number } }
    reconcile(
      podRoutes: ReadonlyMap<Ip, LinkName>,
      how: Reconciling,
    ): Promise<Pick<Reconciliation, 'findings' | 'suspicions'>>
  }
  readonly sweep: { run(options?: SweepOptions): Promise<Swept> }
  readonly podRoutes: () => ReadonlyMap<Ip, LinkName>
  readonly pods: () => number
  readonly clock: Pick<Clock, 'sleep'>
  /** Told of each finding that was acted on, or is to be. */
  readonly removed?: (finding: GcFinding) => void
}

/** Between two looks of one round, ms: longer than a listing of the cloud is behind. */
const SECOND_LOOK = 3_500
/** Every so many rounds ENIs are looked for that are attached nowhere: they harm nobody, and it is another call. */
const THOROUGH_ROUNDS = 6

/** What a dry look has seen, for the next one to take for seen before. */
interface Seen {
  readonly suspicions: Suspicions
  readonly suspects: EndedSuspects
}

/** What a second look finds again. */
const FOUND_AGAIN: ReadonlySet<GcFinding['kind']> = new Set(['suspected', 'foreign', 'failed'])

export class Garbage implements Gc {
  readonly #options: GarbageOptions
  /** Rounds, one after the other. */
  #tail: Promise<unknown> = Promise.resolve()
  #round = 0

  constructor(options: GarbageOptions) {
    this.#options = options
  }

  /** On demand: looks everywhere. Between two looks the signal ends it. */
  run(options: GcOptions, signal: AbortSignal): Promise<GcReport> {
    return this.#inTurn(() => this.#collect(options, signal))
  }

  /** By time; what belongs to the node alone has a sweep of its own. @throws CloudError */
  async round(): Promise<void> {
    await this.#inTurn(async () => {
      const { pool, podRoutes } = this.#options
      const thorough = this.#round++ % THOROUGH_ROUNDS === 0
      const { findings } = await pool.reconcile(podRoutes(), { thorough })
      this.#count(findings)
    })
  }

  async #collect({ dryRun, force }: GcOptions, signal: AbortSignal): Promise<GcReport> {
    signal.throwIfAborted()
    const { pool, pods, clock } = this.#options
    const looked = { enis: pool.state.enis.size, addresses: pool.state.addresses.size, pods: pods() }
    const first = await this.#look(dryRun)
    if (!force) return { ...looked, findings: first.findings }
    await clock.sleep(SECOND_LOOK, signal)
    const second = await this.#look(dryRun, dryRun ? first : undefined)
    // A dry second look finds all of the first again; otherwise what it has acted on was a suspicion at the first.
    const settled = dryRun ? [] : first.findings.filter(({ kind }) => !FOUND_AGAIN.has(kind))
    return { ...looked, findings: [...settled, ...second.findings] }
  }

  async #look(dryRun: boolean, seen?: Seen): Promise<Seen & Pick<GcReport, 'findings'>> {
    const { pool, sweep, podRoutes } = this.#options
    const [cloud, node] = seen === undefined ? [{}, {}] : [{ seen: seen.suspicions }, { seen: seen.suspects }]
    const compared = await pool.reconcile(podRoutes(), { dryRun, thorough: true, ...cloud })
    const swept = await sweep.run({ dryRun, ...node })
    const findings = [...compared.findings, ...swept.findings]
    if (!dryRun) this.#count(findings)
    return { findings, suspicions: compared.suspicions, suspects: swept.suspects }
  }

  #count(findings: readonly GcFinding[]): void {
    for (const finding of findings) this.#options.removed?.(finding)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work, work)
    this.#tail = turn.catch(() => undefined)
    return turn
  }
}
