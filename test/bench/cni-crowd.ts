/** How the latency of an ADD grows: with the pods that are there already, and with those that come at once. */
import { BARE_NODE } from './exec/programs.ts'
import { Starter } from './exec/starter.ts'
import type { BenchLine } from './line.ts'
import { BenchNode } from './node/bench-node.ts'
import type { Run } from './progress.ts'
import { Samples } from './samples.ts'

/** Addresses: those of pods that have just left are being cleared of their connections. */
const SPARE = 50

/** Pods on the node. */
export const PRESENT = [0, 50, 100, 250, 500] as const
const QUICK_STEP = 250
/** ADDs at once. */
export const AT_ONCE = [1, 2, 5, 10, 25, 50, 100] as const
/** Of a hundred cni.exec100 tells. */
const QUICK_MOST = 10

/** From exec to exit, and the daemon's part of it by its own clock; of one pod on top of those. */
export async function benchPods({ quick, progress }: Run): Promise<readonly BenchLine[]> {
  const rounds = quick ? 10 : 200
  const levels = quick ? PRESENT.filter((level) => level % QUICK_STEP === 0) : PRESENT
  const most = Math.max(...levels)
  await using node = await BenchNode.start(most + SPARE)
  await using starter = new Starter()
  const samples = new Samples('ms')
  let present = 0
  for (const level of levels) {
    await node.fill(present, level)
    present = level
    for (let i = 0; i < rounds; i++) {
      const pod = node.pod('one-more')
      using log = node.log()
      const { took } = await starter.one(node.exec('ADD', pod))
      const inside = log.take().calls.map(({ milliseconds }) => milliseconds)
      samples.add(`cni.add.pods.${level}`, took)
      samples.add(`cni.add.daemon.pods.${level}`, ...inside)
      await node.call('DEL', pod)
      await node.gone(pod)
      progress.step(`round with ${level} pods`, i + 1, rounds)
    }
  }
  return samples.lines()
}

/** Of each level. */
const [WARM_UP, LEAST_ROUNDS] = [1, 3]

/** Each of them as its own runtime sees it; the bare start of Node beside it, since the processes share the CPUs. */
export async function benchConcurrency({ quick, progress }: Run): Promise<readonly BenchLine[]> {
  const operations = quick ? 10 : 300
  const levels = quick ? AT_ONCE.filter((level) => level <= QUICK_MOST) : AT_ONCE
  const most = Math.max(...levels)
  await using node = await BenchNode.start(2 * most + SPARE)
  await using starter = new Starter()
  await node.fill(0, 1)
  const samples = new Samples('ms')
  for (const level of levels) {
    const rounds = Math.max(LEAST_ROUNDS, Math.ceil(operations / level))
    for (let i = -WARM_UP; i < rounds; i++) {
      const pods = Array.from({ length: level }, (_, place) => node.pod(String(place)))
      const bare = await starter.atOnce(pods.map(() => BARE_NODE))
      const added = await starter.atOnce(pods.map((pod) => node.exec('ADD', pod)))
      await Promise.all(pods.map((pod) => node.call('DEL', pod)))
      await node.gone(...pods)
      if (i < 0) continue
      samples.add(`exec.node.concurrency.${level}`, ...bare.map(({ took }) => took))
      samples.add(`cni.add.concurrency.${level}`, ...added.map(({ took }) => took))
      progress.step(`round of ${level} at once`, i + 1, rounds)
    }
  }
  return samples.lines()
}
