/** What the pool asks of the cloud and what pods wait, in virtual time: no noise of the machine is in these figures. */
import { type BenchLine, benchLine } from './line.ts'
import { LATENCIES, NODE } from './planner/node.ts'
import { terway } from './planner/terway.ts'
import { churn1000, type Trace } from './planner/trace.ts'

const SEED = 1
const PODS = 100

/** Calls of every kind for each pod, with the watermarks of the defaults and with the adaptive strategy. */
export async function benchChurn(): Promise<readonly BenchLine[]> {
  const lines = [
    { name: 'pool.calls.churn', limits: {} },
    { name: 'pool.calls.churn.adaptive', limits: { strategy: 'adaptive' } },
  ] as const
  const scores = lines.map(async ({ name, limits }) => {
    const { callsPerPod } = await terway(name, limits, '').run(churn1000(), SEED)
    return benchLine({ name, unit: 'calls' }, [callsPerPod])
  })
  return await Promise.all(scores)
}

/**
 * A hundred pods at the moment when the daemon starts on a node without an ENI. No faster than the cloud: it has to make
 * an ENI with its addresses, attach it, and the guest has to have its link; all ENIs at the same time.
 */
export async function benchRollout(): Promise<readonly BenchLine[]> {
  const bound = LATENCIES.create + LATENCIES.attach + LATENCIES.link
  const { wait, unserved } = await terway('rollout', {}, '').run(ROLLOUT, SEED)
  if (unserved > 0) throw new Error(`${unserved} pods have no address`)
  return [
    benchLine({ name: 'pool.rollout100.bound', unit: 'ms' }, [bound]),
    benchLine({ name: 'pool.rollout100.last', unit: 'ms' }, [wait.max]),
    benchLine({ name: 'pool.rollout100.ratio', unit: 'ratio' }, [wait.max / bound]),
  ]
}

const ROLLOUT: Trace = {
  name: 'rollout100',
  description: `${PODS} pods at once on a cold node with ${NODE.enis} ENIs`,
  horizon: 60_000,
  arrivals: Array.from({ length: PODS }, () => ({ at: 0, until: 60_000 })),
  outages: [],
}
