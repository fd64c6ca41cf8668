/** Compares journal, cloud, kernel and sandboxes with each other and sets right what differs: by time, or on demand. */

import type { Clock } from '../../cloud/clock.ts'
import type { Ip } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import type { Reconciling } from '../pool/pool.ts'
import type { Reconciliation, Suspicions } from '../pool/reconcile.ts'
import type { Gc, GcFinding, GcOptions, GcReport } from '../rpc/gc-service.ts'
import type { SweepFinding, SweepOptions } from './sweep.ts'

export interface GarbageOptions {
  readonly pool: {
    readonly state: { readonly enis: { readonly size: number }; readonly addresses: { readonly size: number } }
    reconcile(podRoutes: ReadonlyMap<Ip, LinkName>, how: Reconciling): Promise<Reconciliation>
  }
  readonly sweep: { run(options?: SweepOptions): Promise<readonly SweepFinding[]> }
  readonly podRoutes: () => ReadonlyMap<Ip, LinkName>
  readonly pods: () => number
  readonly clock: Pick<Clock, 'sleep'>
  /** Told of each round that has changed something. */
  readonly removed?: (finding: GcFinding) => void
}

/** Between two looks of one round, ms: longer than a listing of the cloud is behind. */
const SECOND_LOOK = 2_000
/** Every so many rounds ENIs are looked for that are attached nowhere: they harm nobody, and it is another call. */
const THOROUGH_ROUNDS = 6

interface Looked extends Omit<GcReport, 'findings'> {
  readonly dryRun: boolean
}

export class Garbage implements Gc {
  readonly #options: GarbageOptions
  /** Rounds, one after the other. */
  #tail: Promise<unknown> = Promise.resolve()
  #round = 0

  constructor(options: GarbageOptions) {
    this.#options = options
  }

  /** On demand: looks everywhere. */
  run(options: GcOptions): Promise<GcReport> {
    return this.#inTurn(() => this.#collect(options, true))
  }

  /** By time; what belongs to the node alone has a sweep of its own. @throws CloudError */
  async round(): Promise<void> {
    await this.#inTurn(async () => {
      const { pool, podRoutes } = this.#options
      const thorough = this.#round++ % THOROUGH_ROUNDS === 0
      const { findings } = await pool.reconcile(podRoutes(), { thorough })
      for (const finding of findings) this.#options.removed?.(finding)
    })
  }

  async #collect({ dryRun, force }: GcOptions, thorough: boolean): Promise<GcReport> {
    const { pool, sweep, podRoutes, pods, clock } = this.#options
    const looked = { dryRun, enis: pool.state.enis.size, addresses: pool.state.addresses.size, pods: pods() }
    const look = async (seen?: Suspicions) => {
      const known = seen === undefined ? {} : { seen }
      const { findings, suspicions } = await pool.reconcile(podRoutes(), { dryRun, thorough, ...known })
      return { findings: [...findings, ...(await sweep.run({ dryRun }))], suspicions }
    }
    const first = await look()
    if (!force) return this.#report(first.findings, looked)
    await clock.sleep(SECOND_LOOK)
    const second = await look(dryRun ? first.suspicions : undefined)
    // A dry second look finds all of the first again; otherwise what it has acted on was a suspicion at the first.
    const settled = dryRun ? [] : first.findings.filter(({ kind }) => kind !== 'suspected' && kind !== 'foreign')
    return this.#report([...settled, ...second.findings], looked)
  }

  #report(findings: readonly GcFinding[], { dryRun, ...looked }: Looked): GcReport {
    for (const finding of dryRun ? [] : findings) this.#options.removed?.(finding)
    return { ...looked, findings }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work, work)
    this.#tail = turn.catch(() => undefined)
    return turn
  }
}
