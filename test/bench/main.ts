/**
 * The benchmark: one line of JSON for each figure on stdout, progress on stderr. `--quick` takes fewer samples.
 * `hack/node test/bench/main.ts [--quick] [name…]`
 */
import { benchCloudImport } from './cloud-import.ts'
import { benchAddRatio, benchBursts } from './datapath-cni.ts'
import { benchRepair } from './datapath-drift.ts'
import { benchRoundTrip } from './datapath-rtt.ts'
import type { BenchLine } from './line.ts'
import { benchPoolAcquire } from './pool-acquire.ts'
import { benchChurn, benchRollout } from './pool-cloud.ts'

interface Bench {
  readonly name: string
  /** It makes network namespaces. */
  readonly needsRoot?: true
  readonly run: (quick: boolean) => Promise<readonly BenchLine[]>
}

const BENCHES: readonly Bench[] = [
  { name: 'cloud.import', run: (quick) => benchCloudImport(quick ? 11 : 51) },
  { name: 'pool.acquire', run: (quick) => benchPoolAcquire(quick ? 2_000 : 20_000) },
  { name: 'pool.calls.churn', run: () => benchChurn() },
  { name: 'pool.rollout100', run: () => benchRollout() },
  { name: 'cni.add.daemon', needsRoot: true, run: (quick) => benchAddRatio(quick ? 100 : 500) },
  { name: 'cni.burst100', needsRoot: true, run: (quick) => benchBursts(quick ? 10 : 50) },
  { name: 'datapath.rtt', needsRoot: true, run: (quick) => benchRoundTrip(quick ? 50 : 200) },
  { name: 'drift.repair', needsRoot: true, run: (quick) => benchRepair(quick ? 1 : 7) },
]

const quick = process.argv.includes('--quick')
const names = process.argv.slice(2).filter((argument) => argument !== '--quick')
const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
for (const { name, needsRoot, run } of BENCHES) {
  if (names.length > 0 && !names.includes(name)) continue
  if (needsRoot === true && process.getuid?.() !== 0) {
    console.error(`==> ${name} is skipped: it needs root`)
    continue
  }
  console.error(`==> ${name}`)
  for (const line of await run(quick)) console.log(JSON.stringify(line))
}
