/** What a daemon takes of its node: memory, CPU while nothing happens, and the time to start. */
import { setTimeout as sleep } from 'node:timers/promises'
import { resourcesOf } from '../guard/resources.ts'
import { type BenchLine, benchLine } from './line.ts'
import { BenchNode } from './node/bench-node.ts'
import { cpuTime, residentMemory } from './node/process-usage.ts'
import type { Run } from './progress.ts'

const PODS = 250
/** What the last call left to do is done, ms. */
const SETTLE = 2_000

export async function benchLife({ quick, progress }: Run): Promise<readonly BenchLine[]> {
  await using node = await BenchNode.start(PODS + 8)
  await node.fill(0, PODS)
  await sleep(SETTLE)
  const memory: number[] = []
  const idle: number[] = []
  const windows = quick ? 1 : 6
  for (let i = 0; i < windows; i++) {
    idle.push(await idleShare(node.pid, quick ? 3_000 : 10_000))
    memory.push(residentMemory(node.pid))
    progress.step('idle window', i + 1, windows)
  }
  const restarts: number[] = []
  const rounds = quick ? 1 : 50
  for (let i = 0; i < rounds; i++) {
    restarts.push(await node.restart())
    progress.step('restart', i + 1, rounds)
  }
  return [
    benchLine({ name: 'daemon.rss.250', unit: 'MB' }, memory),
    benchLine({ name: 'daemon.cpu.idle', unit: '%' }, idle),
    benchLine({ name: 'daemon.restart.250', unit: 'ms' }, restarts),
  ]
}

/** Of one core, in percent: over a window in which nobody asks anything, ms. */
async function idleShare(pid: number, window: number): Promise<number> {
  const [began, before] = [performance.now(), cpuTime(pid)]
  await sleep(window)
  return ((cpuTime(pid) - before) / (performance.now() - began)) * 100
}

const FEW = 100
const MANY = 1_000
/** Pods that are there at once. */
const TURN = 50

/** ADD and DEL again and again: what stays behind. Each daemon gives one sample. */
export async function benchGrowth({ quick, progress }: Run): Promise<readonly BenchLine[]> {
  const rounds = quick ? 1 : 5
  const cycles = quick ? MANY / 2 : MANY
  const samples: { readonly few: Usage; readonly many: Usage }[] = []
  for (let i = 0; i < rounds; i++) {
    await using node = await BenchNode.start(3 * TURN)
    const few = await usageAfter(node, FEW)
    const many = await usageAfter(node, cycles - FEW)
    samples.push({ few, many })
    progress.step('daemon', i + 1, rounds)
  }
  return [
    line(
      'daemon.rss.100',
      'MB',
      samples.map(({ few }) => few.memory),
    ),
    line(
      'daemon.rss.1000',
      'MB',
      samples.map(({ many }) => many.memory),
    ),
    line(
      'daemon.rss.1000.ratio',
      'ratio',
      samples.map(({ few, many }) => many.memory / few.memory),
    ),
    line(
      'daemon.fds.1000.growth',
      'count',
      samples.map(({ few, many }) => many.descriptors - few.descriptors),
    ),
  ]
}

function line(name: string, unit: BenchLine['unit'], values: readonly number[]): BenchLine {
  return benchLine({ name, unit }, values)
}

interface Usage {
  /** MB */
  readonly memory: number
  /** Without TCP connections: one that is closed for being idle would hide one that leaks. */
  readonly descriptors: number
}

/** @param cycles a multiple of TURN */
async function usageAfter(node: BenchNode, cycles: number): Promise<Usage> {
  for (let done = 0; done < cycles; done += TURN) {
    const pods = Array.from({ length: TURN }, (_, place) => node.pod(String(place)))
    for (const verb of ['ADD', 'DEL'] as const) for (const pod of pods) await node.call(verb, pod)
    await node.gone(...pods)
  }
  await sleep(SETTLE)
  const { descriptors } = resourcesOf(node.pid, node.directory)
  const open = Object.values(descriptors).reduce((sum, one) => sum + one, 0)
  return { memory: residentMemory(node.pid), descriptors: open }
}
