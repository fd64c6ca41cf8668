/** Every case there is: one for each step of each scenario and each moment of the step. */
import { COOL_DOWN, FaultRegion, type Subject } from './fault-region.ts'
import type { NodeHost, Outcome } from './node-host.ts'
import type { Scenario } from './scenarios.ts'
import { type Death, MOMENTS, type Step, type StepKind } from './steps.ts'
import { type Expectation, type Fault, faultsAtDeath, faultsAtRest } from './verdict.ts'

/** When the next process starts: at once, when the cloud has ended what was under way, or while the API is away. */
export type Return = 'at once' | 'after a pause' | 'API away'
const RETURNS: readonly Return[] = ['at once', 'after a pause', 'API away']
/** ms of the region; longer than any of its latencies */
const A_PAUSE = 2_000
/** ms of the region; longer than a start waits for the cloud */
const AN_OUTAGE = 8_000

export interface Case extends Subject {
  readonly kind: StepKind
  readonly death: Death
  readonly returns: Return
}

export interface Result extends Case {
  /** False: this time the step was not made. */
  readonly reached: boolean
  readonly faults: readonly Fault[]
}

/** What a scenario does where nobody is killed. */
export interface Course {
  readonly scenario: Scenario
  readonly steps: readonly Step[]
  readonly faults: readonly Fault[]
}

export async function follow(host: NodeHost, scenario: Scenario): Promise<Course> {
  const region = await FaultRegion.start()
  try {
    const outcome = await host.obey(region.order('live', { scenario }))
    if (outcome.kind !== 'done') throw new Error(`${scenario.name}: ${describe(outcome)}`)
    const found = outcome.findings.map(surprise)
    const faults = [...found, ...faultsAtRest(await region.world(), expectation(region, scenario))]
    return { scenario, steps: outcome.steps, faults }
  } finally {
    await region.stop()
  }
}

/** In turn each case has another return. */
export function casesOf({ scenario, steps }: Pick<Course, 'scenario' | 'steps'>): Case[] {
  const deaths = steps.flatMap(({ name, kind }) => MOMENTS[kind].map((moment) => ({ step: name, kind, moment })))
  return deaths.map(({ step, kind, moment }, index) => {
    return { scenario, kind, death: { step, moment }, returns: RETURNS[index % RETURNS.length] ?? 'at once' }
  })
}

/** Two events may meet in one decision, so that a step is not made: the case is tried again, so many times in all. */
const ATTEMPTS = 3

export async function tryCase(host: NodeHost, one: Case): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const result = await tryOnce(host, one)
    if (result.reached || one.kind === 'look' || attempt === ATTEMPTS) return result
  }
}

async function tryOnce(host: NodeHost, one: Case): Promise<Result> {
  const { scenario, death, returns } = one
  const region = await FaultRegion.start()
  try {
    const end = await host.obey(region.order('live', one, death))
    if (end.kind === 'done') return { ...one, reached: false, faults: [] }
    const atDeath = await region.world()
    const early = end.kind === 'killed' ? [] : [unfinished(end)]
    if (returns === 'after a pause') await region.pass(A_PAUSE)
    if (returns === 'API away') await region.goAway(AN_OUTAGE)
    const after = await host.obey(region.order('go-on', one))
    const late = after.kind === 'done' ? after.findings.map(surprise) : [unfinished(after)]
    const atRest = await region.world()
    const faults = [
      ...[...early, ...faultsAtDeath(atDeath, region.ground(scenario))],
      ...[...late, ...faultsAtRest(atRest, expectation(region, scenario))],
    ]
    return { ...one, reached: true, faults }
  } finally {
    await region.stop()
  }
}

function expectation(region: FaultRegion, scenario: Scenario): Expectation {
  const pods = scenario.stages.at(-1)?.pods ?? []
  return { ...region.ground(scenario), coolDown: COOL_DOWN, pods }
}

/** A comparison with the cloud has something to set right although the work is done. */
function surprise(what: string): Fault {
  return { kind: 'unaccounted', what }
}

function unfinished(outcome: Exclude<Outcome, { kind: 'done' }>): Fault {
  return { kind: 'unfinished', what: describe(outcome) }
}

function describe(outcome: Exclude<Outcome, { kind: 'done' }>): string {
  return outcome.kind === 'failed' ? outcome.why : 'it was killed although nobody had ordered it'
}
