/** ADD and DEL as a container runtime sees them, exec to exit, beside what a user could pick instead. */
import { spanOf } from './exec/starter.ts'
import { type BenchLine, benchLine } from './line.ts'
import { spanOfCalls } from './node/daemon-log.ts'
import type { Run } from './progress.ts'
import { Race } from './race.ts'
import { Samples } from './samples.ts'

const WARM_UP = 3
const MANY = 100

/** One after the other. */
export async function benchRuntime({ quick, progress }: Run): Promise<readonly BenchLine[]> {
  const rounds = quick ? 20 : 300
  await using race = await Race.start(1, 'with-peers')
  for (let i = 0; i < WARM_UP; i++) await race.round()
  const samples = new Samples('ms')
  const ratios: number[] = []
  for (let i = 0; i < rounds; i++) {
    const { node, contenders } = await race.round()
    samples.add('cni.runtime.node', ...node.map(({ took }) => took))
    for (const { lines, add, del } of contenders) {
      const suffix = lines === 'cni' ? '.runtime' : ''
      samples.add(`${lines}.add${suffix}`, ...add.map(({ took }) => took))
      samples.add(`${lines}.del${suffix}`, ...del.map(({ took }) => took))
    }
    const [terway] = contenders
    ratios.push((terway?.add[0]?.took ?? Number.NaN) / (node[0]?.took ?? Number.NaN))
    progress.step('round', i + 1, rounds)
  }
  return [...samples.lines(), benchLine({ name: 'cni.add.runtime.ratio', unit: 'ratio' }, ratios)]
}

/**
 * All at once: from the first exec to the last exit.
 * @param quick without the others, which take a third of the time
 */
export async function benchExecBurst({ quick, progress }: Run): Promise<readonly BenchLine[]> {
  const rounds = quick ? 3 : 20
  await using race = await Race.start(MANY, quick ? 'alone' : 'with-peers')
  await race.round() // to warm up
  const samples = new Samples('ms')
  for (let i = 0; i < rounds; i++) {
    const { node, contenders, calls } = await race.round()
    samples.add('exec.node100', spanOf(node))
    for (const { lines, add, del } of contenders) {
      samples.add(`${lines}.add.exec${MANY}`, spanOf(add))
      samples.add(`${lines}.del.exec${MANY}`, spanOf(del))
    }
    if (calls.length !== MANY) throw new Error(`the daemon's log has ${calls.length} ADDs, ${MANY} were made`)
    samples.add('cni.add.exec100.daemon', spanOfCalls(calls))
    progress.step('round', i + 1, rounds)
  }
  return samples.lines()
}
