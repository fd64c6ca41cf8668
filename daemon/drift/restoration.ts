/** Compares plans with the kernel and sets right what differs, without keeping the event loop from its work. */
import { isNetnsGone } from '../../netlink/error.ts'
import type { Difference, NetworkPlan } from '../../netlink/plan.ts'
import { PlanError } from '../../netlink/plan-error.ts'
import { partOf } from './extent.ts'
import type { DriftClock } from './gathering.ts'
import type { PlanOwner } from './places.ts'
import type { Check } from './queue.ts'
import { describeDifference } from './report.ts'

/** The event loop has its turn after so much work, ms. A plan is compared and repaired in one go, in 1 to 3 ms. */
const SLICE = 4

/** What of the plan interpreter is used. */
export interface DriftKernel {
  /** Compares plans with one reading of the host, made as far as they need it. The function throws NetlinkError. */
  verifier(): (plan: NetworkPlan) => Difference[]
  /** @throws PlanError, NetlinkError */
  apply(plan: NetworkPlan): void
  /** Those of all plans in one transaction, and the table that they are in. @throws PlanError */
  repairMarks(plans: readonly NetworkPlan[]): void
}

type Verify = ReturnType<DriftKernel['verifier']>

export interface RestorationOptions {
  readonly kernel: DriftKernel
  readonly clock: DriftClock
  /** As they are at the moment: an owner can come and go between two slices. */
  readonly plans: ReadonlyMap<PlanOwner, NetworkPlan>
  /** Called before it is looked whether these have taken: that sees what the kernel has told of them until now. */
  readonly beforeConfirming: (checks: readonly Check[]) => void
}

export interface Restored {
  readonly check: Check
  /** When the difference was found, or told of; ms on the clock. */
  readonly since: number
  /** What there was to do. None when the plan held, or when the comparison itself has failed. */
  readonly differences: readonly Difference[]
  /** Why the plan does not hold still. */
  readonly error?: unknown
}

interface Attempt extends Restored {
  readonly plan: NetworkPlan
}

/** The kernel took every request, and the plan does not hold all the same. */
export class StillDifferentError extends Error {
  override readonly name = 'StillDifferentError'

  constructor(left: readonly Difference[]) {
    super(`after the repair: ${left.map(describeDifference).join('; ')}`)
  }
}

export class Restoration {
  readonly #options: RestorationOptions

  constructor(options: RestorationOptions) {
    this.#options = options
  }

  /** @returns what came of each check, except for owners that have gone and pods that have ended. Never rejects. */
  async run(batch: readonly Check[]): Promise<readonly Restored[]> {
    const verify = this.#options.kernel.verifier()
    const looked = await this.#inSlices(batch, (check) => this.#restore(check, verify))
    const attempts = looked.some(hasMarks) ? this.#withMarks(looked) : looked
    const isTaken = ({ differences, error }: Attempt) => differences.length === 0 || error !== undefined
    if (attempts.every(isTaken)) return attempts
    await breathe(this.#options.clock)
    this.#options.beforeConfirming(attempts.flatMap((attempt) => (isTaken(attempt) ? [] : [attempt.check])))
    const again = this.#options.kernel.verifier()
    return await this.#inSlices(attempts, (attempt) => (isTaken(attempt) ? attempt : this.#confirm(attempt, again)))
  }

  #restore(check: Check, verify: Verify): Attempt | undefined {
    const { kernel, clock, plans } = this.#options
    const plan = plans.get(check.owner)
    if (plan === undefined) return undefined
    const base = { check, plan, since: check.since ?? clock.steady() }
    const part = partOf(plan, check.extent)
    let differences: readonly Difference[] = []
    try {
      differences = verify(part)
      if (hasEnded(differences)) return undefined
      if (differences.some(({ object }) => object !== 'mark')) kernel.apply(part)
      return { ...base, differences }
    } catch (error) {
      if (error instanceof PlanError && isNetnsGone(error.cause)) return undefined
      // It may want a link that is gone.
      if (check.extent === 'host' || check.extent === 'node') {
        return this.#restore({ ...check, extent: 'whole' }, verify)
      }
      return { ...base, differences, error }
    }
  }

  /** Marks of all plans at once: one transaction, and one reading of what is there. */
  #withMarks(attempts: readonly Attempt[]): readonly Attempt[] {
    const { kernel, plans } = this.#options
    try {
      kernel.repairMarks([...plans.values()])
      return attempts
    } catch (error) {
      return attempts.map((attempt) => (hasMarks(attempt) ? { error, ...attempt } : attempt))
    }
  }

  /** Looks whether the repair has taken. */
  #confirm(attempt: Attempt, verify: Verify): Attempt | undefined {
    const { check, plan } = attempt
    if (this.#options.plans.get(check.owner) !== plan) return undefined
    try {
      const left = verify(partOf(plan, check.extent))
      if (hasEnded(left)) return undefined
      return left.length === 0 ? attempt : { ...attempt, error: new StillDifferentError(left) }
    } catch (error) {
      return { ...attempt, error }
    }
  }

  /** What is undefined is left out. */
  async #inSlices<T, R>(all: readonly T[], act: (one: T) => R | undefined): Promise<R[]> {
    const { clock } = this.#options
    const results: R[] = []
    let began = clock.steady()
    for (const one of all) {
      const result = act(one)
      if (result !== undefined) results.push(result)
      if (clock.steady() - began < SLICE) continue
      await breathe(clock)
      began = clock.steady()
    }
    return results
  }
}

/** Lets the event loop do what has come up meanwhile. */
export function breathe(clock: DriftClock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(0, resolve)
  })
}

const hasMarks = ({ differences }: Attempt): boolean => differences.some(({ object }) => object === 'mark')

/** The sandbox is no more: its DEL, or the sweep, removes what is left. */
const hasEnded = (differences: readonly Difference[]): boolean => differences.some(({ object }) => object === 'netns')
