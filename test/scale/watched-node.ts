/** A crowded node whose networks are watched and put back, as the daemon does it. */
import { pino } from 'pino'
import { Drift } from '../../daemon/drift/drift.ts'
import type { PlanOwner } from '../../daemon/drift/places.ts'
import type { RepairReport } from '../../daemon/drift/report.ts'
import type { Difference } from '../../netlink/plan.ts'
import type { CrowdedNode } from './crowded-node.ts'

const PATIENCE = 20_000

export class WatchedNode implements Disposable {
  readonly reports: RepairReport[] = []
  readonly #crowded: CrowdedNode
  readonly #drift: Drift
  #wanted = { pods: 0, done: (): void => undefined }

  /** Takes the plans that the node has now and will have. */
  constructor(crowded: CrowdedNode) {
    const { context, netns } = crowded.node
    const { kernel, endpoints, enis } = context
    this.#crowded = crowded
    this.#drift = new Drift({
      ...{ netns, kernel, log: pino({ level: 'warn' }, { write: () => undefined }), onCompared: () => undefined },
      onRepair: (report) => this.#note(report),
    })
    for (const [owner, plan] of enis.plans()) this.#drift.watch(owner as PlanOwner, plan)
    endpoints.keptBy(this.#drift)
  }

  /** Resolves when the networks of so many pods have been put back since the last call. @throws Error when they are not */
  async repaired(pods: number): Promise<readonly RepairReport[]> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wanted = { pods, done: resolve }
    this.#look()
    const timer = setTimeout(resolve, PATIENCE)
    await promise
    clearTimeout(timer)
    if (this.#repairedPods() < pods) throw new Error(`put back are the networks of ${this.#repairedPods()} pods`)
    return this.reports.splice(0)
  }

  /** Between the plans of all pods and the kernel. */
  differences(): Difference[] {
    const { kernel, endpoints } = this.#crowded.node.context
    return kernel.verifyAll(endpoints.all().flatMap(({ plan }) => plan ?? [])).flat()
  }

  [Symbol.dispose](): void {
    this.#drift[Symbol.dispose]()
  }

  #note(report: RepairReport): void {
    this.reports.push(report)
    this.#look()
  }

  #repairedPods(): number {
    return new Set(this.reports.flatMap(({ pod, outcome }) => (outcome === 'repaired' ? (pod ?? []) : []))).size
  }

  #look(): void {
    if (this.#repairedPods() >= this.#wanted.pods) this.#wanted.done()
  }
}
