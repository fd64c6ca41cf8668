/** The performance budget: what each figure must not exceed. */
import type { BenchLine, Bounds, Unit } from './line.ts'

export interface Budget {
  /** Of the line. */
  readonly name: string
  readonly what: string
  readonly unit: Unit
  readonly target: Bounds
}

export const BUDGETS: readonly Budget[] = [
  {
    ...{ name: 'exec.version.ratio', unit: 'ratio', target: { p50: 1.25 } },
    what: '`terway` VERSION / Node as npm has it, doing nothing; the Node that is packed is `exec.version.stripped.ratio`',
  },
  {
    ...{ name: 'cni.add.runtime', unit: 'ms', target: { p50: 45, p99: 70 } },
    what: 'warm ADD as the runtime sees it: exec to JSON printed',
  },
  {
    ...{ name: 'cni.add.runtime.ratio', unit: 'ratio', target: { p50: 2.2 } },
    what: 'the same / Node as npm has it, doing nothing: `cni.runtime.node`',
  },
  {
    ...{ name: 'cni.add.exec100', unit: 'ms', target: { p50: 4_000 } },
    what: '100 warm ADDs at once by parallel exec: first exec to last exit',
  },
  {
    ...{ name: 'cni.add.exec100.daemon', unit: 'ms', target: { p50: 1_000 } },
    what: "the daemon's share of it: first RPC in to last RPC out",
  },
  {
    ...{ name: 'cni.add.daemon', unit: 'ms', target: { p50: 2.5, p99: 6 } },
    what: 'warm ADD inside the daemon: request in to reply out; what a client sees of it is `cni.add.daemon.client`',
  },
  {
    ...{ name: 'cni.del.daemon', unit: 'ms', target: { p50: 1.5 } },
    what: 'the same of DEL, links handed to the batching reaper',
  },
  {
    ...{ name: 'cni.add.daemon.250.ratio', unit: 'ratio', target: { p50: 1.3 } },
    what: 'warm ADD with 250 pods on the node / with none',
  },
  {
    ...{ name: 'datapath.rtt.250.ratio', unit: 'ratio', target: { p50: 1.15 } },
    what: 'round trip from a pod to the router with 250 pods on the node / with one',
  },
  {
    ...{ name: 'cni.add.burst100', unit: 'ms', target: { p50: 400 } },
    what: '100 warm ADDs at once inside the daemon: first in to last out',
  },
  {
    ...{ name: 'cni.add.burst100.loop', unit: 'ms', target: { p99: 10 } },
    what: 'delay of the event loop under such a burst, of all bursts together',
  },
  {
    ...{ name: 'cni.del.burst100.loop', unit: 'ms', target: { p99: 10 } },
    what: 'the same of 100 DELs',
  },
  {
    ...{ name: 'daemon.restart.250', unit: 'ms', target: { p50: 1_500 } },
    what: 'start with 250 pods on the node to serving',
  },
  { name: 'daemon.rss.250', unit: 'MB', target: { p50: 120 }, what: 'resident memory with 250 pods' },
  {
    ...{ name: 'daemon.rss.1000.ratio', unit: 'ratio', target: { p50: 1.1 } },
    what: 'resident memory after 1,000 ADD and DEL / after 100',
  },
  {
    ...{ name: 'daemon.fds.1000.growth', unit: 'count', target: { p50: 0 } },
    what: 'open descriptors after 1,000 ADD and DEL − after 100, without TCP connections: idle ones to the cloud are closed',
  },
  { name: 'daemon.cpu.idle', unit: '%', target: { p50: 0.5 }, what: 'CPU of one core that an idle daemon takes' },
  {
    ...{ name: 'pool.acquire', unit: 'us', target: { p50: 50 } },
    what: 'warm acquire in process, 10 ENIs of 50 addresses',
  },
  { name: 'pool.calls.churn', unit: 'calls', target: { p50: 0.1 }, what: 'cloud calls for each pod in steady churn' },
  {
    ...{ name: 'pool.rollout100.ratio', unit: 'ratio', target: { p50: 1.3 } },
    what: "100 cold pods at once: last ready / the bound of the cloud's latencies",
  },
  { name: 'cloud.import', unit: 'ms', target: { p50: 100 }, what: "the cloud client's part of the daemon's start" },
  { name: 'cloud.import.rss', unit: 'MB', target: { p50: 25 }, what: 'and of its memory' },
  {
    ...{ name: 'drift.repair.250', unit: 'ms', target: { p50: 1_000 } },
    what: 'what somebody else removed from 250 pods is back since the kernel told of it',
  },
]

const BY_NAME = new Map(BUDGETS.map((budget) => [budget.name, budget]))

/** The line with its target and whether it is met; as it is when there is no budget for it. */
export function judged(line: BenchLine): BenchLine {
  const budget = BY_NAME.get(line.name)
  if (budget === undefined) return line
  const { p50 = Number.POSITIVE_INFINITY, p99 = Number.POSITIVE_INFINITY } = budget.target
  return { ...line, target: budget.target, met: line.p50 <= p50 && line.p99 <= p99 }
}
