/** ADD and DEL without a process: what the daemon takes by its own clock, and as a client that stays connected sees it. */
import type { BenchLine } from './line.ts'
import { BenchNode } from './node/bench-node.ts'
import type { Run } from './progress.ts'
import { Samples } from './samples.ts'

/** Pods of a turn: their ADDs one after the other, then their DELs, so that no deleted link delays an ADD. */
const TURN = 50
const WARM_UP = 2

export async function benchDaemon({ quick, progress }: Run): Promise<readonly BenchLine[]> {
  const turns = quick ? 4 : 40
  await using node = await BenchNode.start(3 * TURN)
  await node.fill(0, 1)
  using log = node.log()
  const samples = new Samples('ms')
  for (let turn = -WARM_UP; turn < turns; turn++) {
    const pods = Array.from({ length: TURN }, (_, place) => node.pod(String(place)))
    const took = { ADD: [] as number[], DEL: [] as number[] }
    for (const verb of ['ADD', 'DEL'] as const) {
      for (const pod of pods) took[verb].push(await node.call(verb, pod))
    }
    await node.gone(...pods)
    const { calls } = log.take()
    if (turn < 0) continue
    for (const { verb, milliseconds } of calls) samples.add(`cni.${verb.toLowerCase()}.daemon`, milliseconds)
    samples.add('cni.add.daemon.client', ...took.ADD)
    samples.add('cni.del.daemon.client', ...took.DEL)
    progress.step('turn', turn + 1, turns)
  }
  return samples.lines()
}
