/** All benchmarks, in the order in which they run: first what is in process, while this process is still small. */
import { benchCloudImport } from './cloud-import.ts'
import { AT_ONCE, benchConcurrency, benchPods, PRESENT } from './cni-crowd.ts'
import { benchDaemon } from './cni-daemon.ts'
import { benchPhases } from './cni-phases.ts'
import { benchExecBurst, benchRuntime } from './cni-runtime.ts'
import { PEERS } from './contenders.ts'
import { benchGrowth, benchLife } from './daemon-life.ts'
import { benchAddRatio, benchBursts } from './datapath-cni.ts'
import { benchRepair } from './datapath-drift.ts'
import { benchRoundTrip } from './datapath-rtt.ts'
import { benchVersion } from './exec-version.ts'
import type { BenchLine } from './line.ts'
import { benchMachine } from './machine.ts'
import { benchPoolAcquire } from './pool-acquire.ts'
import { benchChurn, benchRollout } from './pool-cloud.ts'
import type { Run } from './progress.ts'

export interface Bench {
  readonly name: string
  readonly what: string
  /** Names of the lines it gives; `x.*` for those of which the measured program tells the rest. */
  readonly lines: readonly string[]
  /** It makes network namespaces. */
  readonly needsRoot?: true
  readonly run: (run: Run) => Promise<readonly BenchLine[]>
}

const ofPeers = (suffix: string) => PEERS.map((name) => `peer.${name}.${suffix}`)

export const BENCHES: readonly Bench[] = [
  {
    name: 'machine',
    what: 'how fast and how steady the machine is',
    lines: ['machine.loop', 'machine.spawn'],
    run: benchMachine,
  },
  {
    ...{
      name: 'pool.acquire',
      what: 'an address from the pool, and the memory of the pool',
      lines: ['pool.acquire', 'pool.memory.1000'],
    },
    run: ({ quick }) => benchPoolAcquire(quick ? 2_000 : 20_000),
  },
  {
    ...{
      name: 'pool.calls.churn',
      what: 'cloud calls in steady churn, in virtual time',
      lines: ['pool.calls.churn', 'pool.calls.churn.adaptive'],
    },
    run: () => benchChurn(),
  },
  {
    name: 'pool.rollout100',
    what: '100 pods on a cold node, in virtual time',
    lines: ['pool.rollout100.bound', 'pool.rollout100.last', 'pool.rollout100.ratio'],
    run: () => benchRollout(),
  },
  {
    ...{ name: 'cni.burst100', what: '100 ADDs and 100 DELs at once inside the daemon', needsRoot: true },
    lines: ['add', 'del'].flatMap((verb) => ['', '.loop', '.loop.worst'].map((rest) => `cni.${verb}.burst100${rest}`)),
    run: ({ quick }) => benchBursts(quick ? 5 : 50),
  },
  {
    ...{
      name: 'cni.250.ratio',
      what: 'ADD with 250 pods on the node against none',
      needsRoot: true,
      lines: ['cni.add.daemon.250.ratio'],
    },
    run: ({ quick }) => benchAddRatio(quick ? 30 : 500),
  },
  {
    name: 'cloud.import',
    what: 'loading the cloud client',
    lines: ['cloud.import', 'cloud.import.rss', 'cloud.import.source', 'cloud.import.source.rss'],
    run: ({ quick }) => benchCloudImport(quick ? 3 : 51),
  },
  {
    name: 'exec.version',
    what: 'what the packed plugin adds to the start of Node',
    lines: ['exec.node', 'exec.node.stripped', 'exec.version', 'exec.version.ratio', 'exec.version.stripped.ratio'],
    run: benchVersion,
  },
  {
    ...{
      name: 'cni.runtime',
      what: 'ADD and DEL from exec to exit, beside ptp and bridge',
      needsRoot: true,
      run: benchRuntime,
    },
    lines: [
      ...['cni.runtime.node', 'cni.add.runtime', 'cni.del.runtime', 'cni.add.runtime.ratio'],
      ...[...ofPeers('add'), ...ofPeers('del')],
    ],
  },
  {
    name: 'cni.phases',
    what: 'where the time of one ADD goes',
    needsRoot: true,
    lines: ['cni.add.phase.*'],
    run: benchPhases,
  },
  {
    ...{
      name: 'cni.exec100',
      what: '100 ADDs and 100 DELs by parallel exec, beside ptp and bridge',
      needsRoot: true,
      run: benchExecBurst,
    },
    lines: [
      ...['exec.node100', 'cni.add.exec100', 'cni.del.exec100', 'cni.add.exec100.daemon'],
      ...[...ofPeers('add.exec100'), ...ofPeers('del.exec100')],
    ],
  },
  {
    ...{ name: 'cni.concurrency', what: 'ADD against how many come at once', needsRoot: true, run: benchConcurrency },
    lines: AT_ONCE.flatMap((level) => [`exec.node.concurrency.${level}`, `cni.add.concurrency.${level}`]),
  },
  {
    ...{ name: 'cni.pods', what: 'ADD against how many pods are there', needsRoot: true, run: benchPods },
    lines: PRESENT.flatMap((level) => [`cni.add.pods.${level}`, `cni.add.daemon.pods.${level}`]),
  },
  {
    ...{ name: 'cni.daemon', what: 'ADD and DEL without a process', needsRoot: true, run: benchDaemon },
    lines: ['cni.add.daemon', 'cni.add.daemon.client', 'cni.del.daemon', 'cni.del.daemon.client'],
  },
  {
    ...{ name: 'daemon.life', what: 'memory, idle CPU and restart with 250 pods', needsRoot: true, run: benchLife },
    lines: ['daemon.rss.250', 'daemon.cpu.idle', 'daemon.restart.250'],
  },
  {
    ...{
      name: 'daemon.growth',
      what: 'what 1,000 ADDs and DELs leave behind in the daemon',
      needsRoot: true,
      run: benchGrowth,
    },
    lines: ['daemon.rss.100', 'daemon.rss.1000', 'daemon.rss.1000.ratio', 'daemon.fds.1000.growth'],
  },
  {
    ...{ name: 'datapath.rtt', what: 'what a packet takes with many pods on the node', needsRoot: true },
    lines: ['datapath.rtt.250.ratio', 'datapath.rtt.2000.ratio', 'datapath.rtt.2000.rules.ratio'],
    run: benchRoundTrip,
  },
  {
    ...{
      name: 'drift.repair',
      what: 'putting back what somebody else removed',
      needsRoot: true,
      lines: ['drift.repair.250', 'drift.repair.250.loop'],
    },
    run: ({ quick }) => benchRepair(quick ? 1 : 7),
  },
]

/** Whether the bench says that it gives a line of this name. */
export function gives({ lines }: Pick<Bench, 'lines'>, name: string): boolean {
  return lines.some((line) => (line.endsWith('.*') ? name.startsWith(line.slice(0, -1)) : line === name))
}
