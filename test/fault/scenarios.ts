/** What a node is about to do when its daemon is killed: which pods it is to have, one list of them after the other. */
import { type PoolLimits, poolLimits } from '../../daemon/pool/settings.ts'

export interface Stage {
  /** The pods that live when it is over: others are removed, then those that are missing are added. */
  readonly pods: readonly string[]
  readonly limits: PoolLimits
  /** Free addresses there are at least and at most when it is over. */
  readonly free: readonly [number, number]
  /** Over as soon as the pods are there or gone; otherwise when the pool has nothing more to do. */
  readonly hasty?: true
}

export interface Scenario {
  readonly name: string
  /** What the node has come to before anybody is killed. */
  readonly before: readonly Stage[]
  /** Then the journal is lost, and the pods live on. */
  readonly forgets?: true
  readonly stages: readonly Stage[]
}

interface Limits extends Partial<PoolLimits> {
  readonly minFree: number
  readonly maxFree: number
}

/** The node has three places for ENIs beside its primary one; somebody else's takes one of them. */
const PLACES = 3

function stage(pods: string, { addressesPerEni = 10, ...limits }: Limits, rest: Partial<Stage> = {}): Stage {
  const { minFree, maxFree } = limits
  return {
    pods: [...pods],
    limits: poolLimits({ maxEnis: PLACES, addressesPerEni, idle: undefined, ...limits }),
    free: [minFree, maxFree],
    ...rest,
  }
}

const DUAL = { families: ['ipv4', 'ipv6'] } as const
const PREFIX = { ...DUAL, unit: 'prefix', addressesPerEni: 4 } as const
const ONE_SPARE = { minFree: 1, maxFree: 1 }
const NO_SPARE = { minFree: 0, maxFree: 0 }

export const SCENARIOS: readonly Scenario[] = [
  { name: 'create: a cold start', before: [], stages: [stage('a', { minFree: 2, maxFree: 4 })] },
  {
    name: 'attach: a second ENI',
    before: [stage('ab', { minFree: 1, maxFree: 2, addressesPerEni: 3 })],
    stages: [stage('abcd', { minFree: 1, maxFree: 2, addressesPerEni: 3 })],
  },
  {
    name: 'assign: a second batch',
    before: [stage('a', { minFree: 1, maxFree: 2 })],
    stages: [stage('abcde', { minFree: 1, maxFree: 2 })],
  },
  {
    name: 'release: addresses go back',
    before: [stage('a', { minFree: 3, maxFree: 3 })],
    stages: [stage('a', NO_SPARE)],
  },
  { name: 'delete: an ENI goes back', before: [stage('a', NO_SPARE)], stages: [stage('', NO_SPARE)] },
  {
    name: 'cool-down: pods come and go',
    before: [stage('ab', { minFree: 0, maxFree: 3, addressesPerEni: 3, maxEnis: 2 })],
    stages: [
      stage('b', { minFree: 0, maxFree: 3, addressesPerEni: 3, maxEnis: 1 }, { hasty: true }),
      stage('bcd', { minFree: 0, maxFree: 3, addressesPerEni: 3, maxEnis: 1 }),
    ],
  },
  {
    name: 'adoption: the journal is lost',
    before: [stage('a', { minFree: 2, maxFree: 4 })],
    forgets: true,
    stages: [stage('ab', { minFree: 2, maxFree: 4 })],
  },
  {
    name: 'dual stack: grow and shrink',
    before: [],
    stages: [stage('ab', { ...DUAL, ...ONE_SPARE }), stage('a', { ...DUAL, ...ONE_SPARE })],
  },
  {
    name: 'prefix: grow and shrink',
    before: [],
    stages: [
      stage('a', { ...PREFIX, minFree: 1, maxFree: 16 }),
      stage('a', { ...PREFIX, minFree: 20, maxFree: 33 }),
      stage('a', { ...PREFIX, minFree: 1, maxFree: 16 }),
    ],
  },
  {
    name: 'exclusive: an ENI to a pod',
    before: [],
    stages: [stage('a', { kind: 'exclusive', ...ONE_SPARE }), stage('', { kind: 'exclusive', ...ONE_SPARE })],
  },
  {
    name: 'member: ENIs on a trunk',
    before: [],
    stages: [stage('a', { kind: 'member', ...ONE_SPARE }), stage('', { kind: 'member', ...ONE_SPARE })],
  },
]

/** @throws Error when there is none of that name */
export function scenarioNamed(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name)
  if (found === undefined) throw new Error(`there is no scenario "${name}"`)
  return found
}
