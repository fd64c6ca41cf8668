/**
 * Puts back what somebody else removes or changes of the plans it is given: as soon as the kernel tells of it, and by a
 * comparison of everything from time to time for what it tells nothing of. What no plan wants is left alone.
 */
import type { Logger } from 'pino'
import type { KernelEvent } from '../../netlink/monitor.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { concernOf } from './concerns.ts'
import type { Extent } from './extent.ts'
import { type DriftClock, Gathering } from './gathering.ts'
import { Pace } from './pace.ts'
import type { PlanOwner } from './places.ts'
import { PlanIndex } from './plan-index.ts'
import { type Check, Queue } from './queue.ts'
import { describeDifference, type RepairReport } from './report.ts'
import { breathe, type DriftKernel, Restoration, type Restored } from './restoration.ts'

/** Between two comparisons of everything, ms; up to a fifth longer, so that the nodes of a cluster do not go in step. */
const INTERVAL = 300_000
const JITTER = 0.2

const FIGHT = 'another program keeps undoing this: find it and make it leave these objects alone; repairing every 5 s'

export interface RepairsOptions {
  readonly kernel: DriftKernel
  readonly clock: DriftClock
  readonly log: Logger
  /** Hands over what the kernel has told until now. */
  readonly drain: () => void
  /** After every repair, also one that failed. */
  readonly onRepair: (report: RepairReport) => void
  /** After every comparison of everything: how long it took, pauses included, ms. */
  readonly onCompared: (milliseconds: number) => void
  /** From 0 up to 1. */
  readonly random?: () => number
}

export class Repairs implements Disposable {
  readonly #options: RepairsOptions
  readonly #index = new PlanIndex()
  readonly #pods = new Map<PlanOwner, string>()
  readonly #pace = new Pace()
  readonly #queue = new Queue()
  readonly #gathering: Gathering
  readonly #restoration: Restoration
  #isWorking = false
  #isStopped = false
  /** When the comparison of everything began that is not over yet. */
  #roundSince: number | undefined
  #cancelRound: () => void
  #cancelLater: (() => void) | undefined

  constructor(options: RepairsOptions) {
    const { kernel, clock, drain } = options
    this.#options = options
    this.#gathering = new Gathering(clock, () => void this.#work())
    // A repair that takes several steps is told of step by step.
    const beforeConfirming = (checks: readonly Check[]) => {
      drain()
      for (const check of checks) this.#queue.satisfy(check)
    }
    this.#restoration = new Restoration({ kernel, clock, plans: this.#index.plans, beforeConfirming })
    this.#cancelRound = this.#scheduleRound()
  }

  /** The plan holds now, and shall. Takes the place of the owner's last one. */
  watch(owner: PlanOwner, plan: NetworkPlan, pod?: string): void {
    this.#index.set(owner, plan)
    if (pod !== undefined) this.#pods.set(owner, pod)
  }

  /** From now on nothing of the owner's plan is put back. */
  forget(owner: PlanOwner): void {
    this.#index.delete(owner)
    this.#pods.delete(owner)
    this.#pace.forget(owner)
    this.#queue.delete(owner)
  }

  notice(event: KernelEvent): void {
    const concern = concernOf(event, this.#index)
    if (concern === undefined) return
    this.#add(concern.owners === 'all' ? this.#index.plans.keys() : concern.owners, concern.extent)
  }

  /** The table of source marks may not be as it was. */
  noticeMarks(): void {
    const owners = [...this.#index.plans].flatMap(([owner, { marks }]) => (marks.length > 0 ? [owner] : []))
    this.#add(owners, 'marks')
  }

  /** The owner's plan may not be as it was. */
  look(owner: PlanOwner): void {
    if (this.#index.plans.has(owner)) this.#add([owner], 'whole')
  }

  /** Compares everything, beside what is more urgent. */
  compareAll(): void {
    this.#roundSince ??= this.#now
    this.#queue.addRegular(this.#index.plans.keys())
    void this.#work()
  }

  [Symbol.dispose](): void {
    this.#isStopped = true
    this.#gathering.stop()
    this.#cancelRound()
    this.#cancelLater?.()
  }

  get #now(): number {
    return this.#options.clock.steady()
  }

  #scheduleRound(): () => void {
    const { clock, random = Math.random } = this.#options
    return clock.after(INTERVAL * (1 + JITTER * random()), () => {
      this.#cancelRound = this.#scheduleRound()
      this.compareAll()
    })
  }

  #add(owners: Iterable<PlanOwner>, extent: Extent): void {
    const since = this.#now
    for (const owner of owners) {
      const shared = this.#index.plans.get(owner)?.podNetns === undefined
      this.#queue.addUrgent({ owner, extent, shared, since })
      this.#gathering.note()
    }
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return
    this.#isWorking = true
    this.#cancelLater?.()
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      const done = await this.#restoration.run(batch)
      await breathe(this.#options.clock)
      for (const restored of done) this.#settle(restored)
    }
    this.#isWorking = false
    if (this.#isStopped) return
    this.#endRound()
    this.#comeBack()
  }

  #take(): Check[] {
    if (this.#isStopped) return []
    const now = this.#now
    const mayBe = (owner: PlanOwner) => this.#pace.notBefore(owner) <= now
    const urgent = this.#gathering.isOpen ? [] : this.#queue.takeUrgent(mayBe)
    return urgent.length > 0 ? urgent : this.#queue.takeRegular(mayBe)
  }

  #endRound(): void {
    if (this.#roundSince === undefined) return
    this.#options.onCompared(this.#now - this.#roundSince)
    this.#roundSince = undefined
  }

  /** When the first of those that must wait may be looked at. */
  #comeBack(): void {
    const times = [...this.#queue.urgent].map((owner) => this.#pace.notBefore(owner))
    if (times.length === 0 || this.#gathering.isOpen) return
    const pause = Math.max(0, Math.min(...times) - this.#now)
    this.#cancelLater = this.#options.clock.after(pause, () => void this.#work())
  }

  #settle({ check, since, differences, error }: Restored): void {
    const { owner } = check
    // Forgotten since, it is nobody's business any more.
    if (this.#isStopped || !this.#index.plans.has(owner)) return
    if (differences.length === 0 && error === undefined) {
      this.#pace.held(owner)
      return
    }
    const pod = this.#pods.get(owner)
    const milliseconds = this.#now - since
    const report = { owner, ...(pod === undefined ? {} : { pod }), differences, milliseconds }
    if (error === undefined) {
      this.#succeeded({ ...report, outcome: 'repaired' })
    } else {
      this.#queue.addUrgent({ ...check, extent: 'whole', since })
      this.#failed({ ...report, outcome: 'failed', error })
    }
  }

  #succeeded(report: RepairReport): void {
    const { log, onRepair } = this.#options
    log.warn(fieldsOf(report), 'put back what somebody else had removed or changed')
    const fought = this.#pace.repaired(report.owner, report.differences, this.#now)
    if (fought.length > 0) log.error(fieldsOf({ ...report, differences: fought }), FIGHT)
    onRepair(report)
  }

  #failed(report: RepairReport): void {
    const { log, onRepair } = this.#options
    const pause = this.#pace.failed(report.owner, this.#now)
    const fields = { ...fieldsOf(report), err: report.error, retryInMs: pause }
    log.error(fields, 'the network is not as it should be and cannot be repaired')
    onRepair(report)
  }
}

function fieldsOf({ owner, pod, differences, milliseconds }: RepairReport) {
  const whose = pod === undefined ? { owner } : { owner, pod }
  return { ...whose, differences: differences.map(describeDifference), ms: Math.round(milliseconds) }
}
