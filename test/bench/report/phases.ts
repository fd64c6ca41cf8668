/** One ADD as a table of phases. */
import type { Phase } from '../../../daemon/pod/stopwatch.ts'
import type { BenchLine } from '../line.ts'
import { readable } from '../summary.ts'
import { numbers, table } from './markdown.ts'

const PREFIX = 'cni.add.phase.'

/** Of the daemon. Record, so that the compiler misses none. */
const INSIDE: Readonly<Record<Phase, string>> = {
  parse: 'what the runtime says, checked',
  queue: "until it is this pod's turn",
  acquire: 'an address from the pool',
  plan: 'what has to be in the kernel',
  journal: 'what is going to be done, and that it is done, on tmpfs',
  kernel: 'link, addresses, routes, neighbours, rules',
  result: 'the answer for the runtime',
}

/** In the order of time. `call` of the plugin is not among them: it is `rpc` and what the daemon tells. */
const PHASES: Readonly<Record<string, string>> = {
  exec: 'the runtime starts the process; the kernel loads it',
  start: 'Node starts, until the first line of the plugin',
  read: 'standard input and its checks',
  connect: "to the daemon's socket",
  rpc: 'request and reply on the socket, and in the daemon what comes before and after the call itself',
  ...Object.fromEntries(Object.entries(INSIDE).map(([phase, what]) => [`daemon.${phase}`, what])),
  print: 'the result on standard output',
  exit: 'Node ends, until the runtime has seen it',
}

/** Undefined when the run has no phases. */
export function phasesTable(lines: readonly BenchLine[]): string | undefined {
  const byName = new Map(lines.map((line) => [line.name, line]))
  const there = Object.keys(PHASES).flatMap((phase) => {
    const line = byName.get(PREFIX + phase)
    return line === undefined ? [] : [{ phase, line }]
  })
  if (there.length === 0) return undefined
  const total = there.reduce((sum, { line }) => sum + line.p50, 0)
  const rows = there.map(({ phase, line: { p50, p95 } }) => [
    ...[phase.replace('.', ': '), PHASES[phase] ?? ''],
    ...[readable(p50), readable(p95), `${Math.round((p50 / total) * 100)} %`],
  ])
  return table([{ head: 'phase' }, { head: 'what' }, ...numbers('p50, ms', 'p95, ms', 'share')], rows)
}
