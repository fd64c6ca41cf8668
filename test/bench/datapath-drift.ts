/** Another program takes something away from every pod of a full node: until it is there again. */
import { CrowdedNode } from '../scale/crowded-node.ts'
import { DAMAGES, prepare } from '../scale/damage.ts'
import { WatchedNode } from '../scale/watched-node.ts'
import { type BenchLine, benchLine } from './line.ts'
import { withLoopDelay } from './loop-delay.ts'

const PODS = 250

/** Of each damage, the pod that waited longest since the kernel told of it. */
export async function benchRepair(rounds: number): Promise<readonly BenchLine[]> {
  const times: number[] = []
  const pauses: number[] = []
  for (const policyRoute of ['map', 'rules'] as const) {
    await using crowded = await CrowdedNode.start({
      prefix: `tw-bench-repair-${policyRoute}-`,
      room: PODS + 8,
      policyRoute,
    })
    await crowded.fill(0, PODS)
    for (let round = 0; round < rounds; round++) {
      // What is damaged again and again is put back ever more slowly, so each round has a watch without a past.
      using watched = new WatchedNode(crowded)
      for (const damage of DAMAGES[policyRoute]) {
        const inflict = prepare(damage, crowded)
        const { result, delays } = await withLoopDelay(async () => {
          const repaired = watched.repaired(PODS)
          await inflict()
          return await repaired
        })
        times.push(Math.max(...result.map(({ milliseconds }) => milliseconds)))
        pauses.push(Math.max(...delays))
        const [left] = watched.differences()
        if (left !== undefined) throw new Error(`${left.object} ${left.subject} has not been put back`)
      }
    }
  }
  return [
    benchLine({ name: 'drift.repair.250', unit: 'ms' }, times),
    benchLine({ name: 'drift.repair.250.loop', unit: 'ms' }, pauses),
  ]
}
