/** What the packed plugin adds to the start of Node: nothing is asked of a daemon. */
import { BARE_NODE, STRIPPED_NODE, TERWAY_VERSION } from './exec/programs.ts'
import { Starter } from './exec/starter.ts'
import type { BenchLine } from './line.ts'
import type { Run } from './progress.ts'
import { Samples } from './samples.ts'

const WARM_UP = 3

export async function benchVersion({ quick, progress }: Run): Promise<readonly BenchLine[]> {
  const rounds = quick ? 30 : 300
  await using starter = new Starter()
  const samples = new Samples('ms')
  const ratios = new Samples('ratio')
  for (let i = -WARM_UP; i < rounds; i++) {
    const { took: node } = await starter.one(BARE_NODE)
    const { took: terway } = await starter.one(TERWAY_VERSION)
    const { took: stripped } = await starter.one(STRIPPED_NODE)
    if (i < 0) continue
    samples.add('exec.node', node)
    samples.add('exec.node.stripped', stripped)
    samples.add('exec.version', terway)
    ratios.add('exec.version.ratio', terway / node)
    ratios.add('exec.version.stripped.ratio', terway / stripped)
    progress.step('round', i + 1, rounds)
  }
  return [...samples.lines(), ...ratios.lines()]
}
