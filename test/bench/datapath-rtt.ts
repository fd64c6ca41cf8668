/** What a packet takes from a pod to the router and back, with many pods on the node against one: the kernel's work. */
import { CrowdedNode } from '../scale/crowded-node.ts'
import { Echo } from '../scale/echo.ts'
import { type BenchLine, benchLine, median } from './line.ts'
import type { Run } from './progress.ts'

const ECHOES = 50

interface Case {
  readonly name: string
  readonly pods: number
  readonly policyRoute: 'map' | 'rules'
}

/** The last is for comparison: a packet passes the rules of all pods. */
const CASES: readonly Case[] = [
  { name: 'datapath.rtt.250.ratio', pods: 250, policyRoute: 'map' },
  { name: 'datapath.rtt.2000.ratio', pods: 2_000, policyRoute: 'map' },
  { name: 'datapath.rtt.2000.rules.ratio', pods: 2_000, policyRoute: 'rules' },
]

/** @param quick only the first case: thousands of pods take most of a minute to make */
export async function benchRoundTrip({ quick, progress }: Run): Promise<readonly BenchLine[]> {
  const rounds = quick ? 50 : 200
  const cases = quick ? CASES.slice(0, 1) : CASES
  await using alone = await CrowdedNode.start({ prefix: 'tw-bench-rtt-one-', room: 8 })
  alone.routeBack(await alone.add(0))
  using echo = new Echo(alone.sandbox(0), alone.gateway)
  const lines: BenchLine[] = []
  for (const [i, one] of cases.entries()) {
    lines.push(await measure(one, { echo, rounds }))
    progress.step('case', i + 1, cases.length)
  }
  return lines
}

interface Reference {
  readonly echo: Echo
  readonly rounds: number
}

/** In turn with the pod that is alone, so that what else the machine does is in both. */
async function measure({ name, pods, policyRoute }: Case, { echo, rounds }: Reference): Promise<BenchLine> {
  await using crowded = await CrowdedNode.start({ prefix: `tw-bench-rtt-${pods}-`, room: pods + 8, policyRoute })
  await crowded.fill(0, pods - 1)
  const last = pods - 1
  crowded.routeBack(await crowded.add(last))
  using crowdedEcho = new Echo(crowded.sandbox(last), crowded.gateway)
  const ratios = Array.from({ length: rounds }, () => {
    const reference = roundTrip(echo)
    return roundTrip(crowdedEcho) / reference
  })
  return benchLine({ name, unit: 'ratio' }, ratios)
}

/** The median of many. */
function roundTrip(echo: Echo): number {
  return median(Array.from({ length: ECHOES }, () => echo.roundTrip()))
}
