/** ADD and DEL inside the daemon: with a crowd on the node, and in a crowd. */
import { CrowdedNode } from '../scale/crowded-node.ts'
import { type BenchLine, benchLine } from './line.ts'
import { withLoopDelay } from './loop-delay.ts'

const PODS = 250
const BURST = 100
const WARM_UP = 30

/** One pod is on the other node too: the first makes, and the last takes, what all of them share. */
export async function benchAddRatio(pairs: number): Promise<readonly BenchLine[]> {
  await using few = await CrowdedNode.start({ prefix: 'tw-bench-add-few-', room: 8 })
  await using many = await CrowdedNode.start({ prefix: 'tw-bench-add-many-', room: PODS + 8 })
  await few.fill(0, 1)
  await many.fill(0, PODS)
  const ratios: number[] = []
  for (let i = 0; i < WARM_UP + pairs; i++) {
    const alone = await addAndRemove(few, 1)
    const crowded = await addAndRemove(many, PODS)
    if (i >= WARM_UP) ratios.push(crowded / alone)
  }
  return [benchLine({ name: 'cni.add.daemon.250.ratio', unit: 'ratio' }, ratios)]
}

/** @returns what the ADD took, ms */
async function addAndRemove(node: CrowdedNode, pod: number): Promise<number> {
  node.sandbox(pod)
  const began = performance.now()
  await node.add(pod)
  const took = performance.now() - began
  await node.del(pod)
  await node.node.context.removals.settled()
  return took
}

/** First in to last out; of DELs until the kernel has confirmed that the last link is gone. */
export async function benchBursts(rounds: number): Promise<readonly BenchLine[]> {
  await using node = await CrowdedNode.start({ prefix: 'tw-bench-burst-', room: BURST + 8 })
  const pods = Array.from({ length: BURST }, (_, i) => i)
  for (const pod of pods) node.sandbox(pod)
  const [adds, dels]: [Burst[], Burst[]] = [[], []]
  for (let i = 0; i < rounds; i++) {
    adds.push(await burst(() => Promise.all(pods.map((pod) => node.add(pod)))))
    const remove = async () => {
      await Promise.all(pods.map((pod) => node.del(pod)))
      await node.node.context.removals.settled()
    }
    dels.push(await burst(remove))
    const left = node.node.podLinks()
    if (left.length > 0) throw new Error(`links are left: ${left.join()}`)
  }
  return [...linesOf('cni.add.burst100', adds), ...linesOf('cni.del.burst100', dels)]
}

interface Burst {
  /** ms */
  readonly took: number
  /** Each time that the event loop was kept from anything else, ms. */
  readonly delays: readonly number[]
}

async function burst(run: () => Promise<unknown>): Promise<Burst> {
  const { result, delays } = await withLoopDelay(async () => {
    const began = performance.now()
    await run()
    return performance.now() - began
  })
  return { took: result, delays }
}

function linesOf(name: string, bursts: readonly Burst[]): BenchLine[] {
  return [
    benchLine(
      { name, unit: 'ms' },
      bursts.map(({ took }) => took),
    ),
    benchLine(
      { name: `${name}.loop`, unit: 'ms' },
      bursts.flatMap(({ delays }) => delays),
    ),
    benchLine(
      { name: `${name}.loop.worst`, unit: 'ms' },
      bursts.map(({ delays }) => Math.max(...delays)),
    ),
  ]
}
