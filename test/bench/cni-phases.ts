/** Where the time of one ADD goes: what the plugin tells of itself, and within its call what the daemon tells. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { LineProcess } from './exec/line-process.ts'
import { Starter } from './exec/starter.ts'
import type { BenchLine } from './line.ts'
import { BenchNode } from './node/bench-node.ts'
import { phaseSums, phasesOfOneCall } from './node/phase-sums.ts'
import { PLUGIN_PHASES, pluginPhases, TRACED } from './plugin-trace.ts'
import type { Run } from './progress.ts'
import { Samples } from './samples.ts'

const PREFIX = 'cni.add.phase'
/** Where test/cluster has daemons show them. */
const METRICS = 'http://127.0.0.1:9191/metrics'
const WARM_UP = 5
/** The daemon has then forgotten that it was read, ms. */
const SETTLE = 50

export async function benchPhases({ quick, progress }: Run): Promise<readonly BenchLine[]> {
  const rounds = quick ? 20 : 300
  await using node = await BenchNode.start(50)
  await using starter = new Starter()
  await using scraper = new LineProcess({
    ...{ script: join(import.meta.dirname, 'node', 'scraper-main.ts'), netns: node.node.netnsPath },
  })
  await node.fill(0, 1)
  const sums = async () => phaseSums(z.string().parse(await scraper.ask(METRICS)), 'ADD')
  const samples = new Samples('ms')
  for (let i = -WARM_UP; i < rounds; i++) {
    const pod = node.pod('one')
    const before = await sums()
    await sleep(SETTLE)
    const run = await starter.one(node.exec('ADD', pod, TRACED))
    const after = await sums()
    await node.call('DEL', pod)
    await node.gone(pod)
    const phases = pluginPhases(run)
    if (phases === undefined || after.size === 0) {
      progress.say(`      no phases: ${phases === undefined ? 'the plugin' : 'the daemon'} does not tell any`)
      return []
    }
    if (i >= 0) addTo(samples, { phases, daemon: phasesOfOneCall(before, after) })
    progress.step('round', i + 1, rounds)
  }
  return samples.lines()
}

interface OneCall {
  readonly phases: NonNullable<ReturnType<typeof pluginPhases>>
  readonly daemon: ReadonlyMap<string, number>
}

function addTo(samples: Samples, { phases, daemon }: OneCall): void {
  for (const phase of PLUGIN_PHASES) samples.add(`${PREFIX}.${phase}`, phases[phase])
  for (const [phase, took] of daemon) samples.add(`${PREFIX}.daemon.${phase}`, took)
  const inside = [...daemon.values()].reduce((sum, one) => sum + one, 0)
  samples.add(`${PREFIX}.rpc`, phases.call - inside)
}
