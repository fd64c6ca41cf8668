/** docs/performance.md from the lines of a run: nothing but them and the remarks is in it, so it can be made again. */
import type { BenchLine } from '../line.ts'
import { phasesTable } from './phases.ts'
import { addByConcurrency, addByPods } from './plots.ts'
import type { Remarks } from './remarks.ts'
import { budgetTable, conditions, everyFigure, sideBySide, unmet } from './sections.ts'

/** Content by path below docs/. */
export type Report = ReadonlyMap<string, string>

/** @throws RangeError when the run is not of all benches. */
export function performanceReport(lines: readonly BenchLine[], remarks: Remarks): Report {
  const byName = new Map(lines.map((line) => [line.name, line]))
  const document = [
    HEADER,
    ...['## Conditions', conditions(lines, byName), CONDITIONS],
    ...['## The budget', BUDGET, budgetTable(byName), unmet(byName, remarks)],
    ...['## One ADD', PHASES, phasesTable(lines) ?? 'This run has no phases: plugin or daemon told none.'],
    ...['## Beside what else could be picked', COMPARISON, sideBySide(byName)],
    ...['## Pods on the node, and pods at once', PLOTS],
    ...['## Every figure', everyFigure(lines)],
  ]
  return new Map([
    ['performance.md', `${document.join('\n\n')}\n`],
    ['performance/add-by-pods.svg', addByPods(byName)],
    ['performance/add-by-concurrency.svg', addByConcurrency(byName)],
    ['performance/run.jsonl', lines.map((line) => `${JSON.stringify(line)}\n`).join('')],
  ])
}

const HEADER = `# How fast it is

Made by \`make bench REPORT=1\`, not by hand: measures, and writes this file, its plots and
[the figures themselves](performance/run.jsonl), from which \`hack/node test/bench/main.ts --from
docs/performance/run.jsonl\` makes it again. Words about figures that miss their target are in
\`test/bench/report/remarks.json\`.`

const CONDITIONS = `The load is that of the last minute before the run. The median of an even number of samples is the mean of the two in
the middle; other percentiles are samples, by nearest rank. A figure is judged as it was measured and shown with three
digits. Ratios are of two measurements taken one after the other, again and again: the median of a ratio is not the
ratio of the medians. A process is timed by another that has loaded nothing but what starts processes: from just before
the start until the process has ended and its output is closed, which is what a container runtime waits for.

Node doing nothing is what npm's package has, with its symbols; it is what the budget compares with. The executables
and the daemon run the same binary without them: \`exec.version.stripped.ratio\` compares with that.

\`cni.add.daemon\`, \`daemon.*\` and every figure with a plugin's process in it are of the daemon as it ships: its bundle,
its Node and its flags, on a simulated node in a network namespace of its own. The bursts (\`cni.*.burst100*\`),
\`cni.add.daemon.250.ratio\`, \`datapath.*\` and \`drift.*\` are of the same code and a real kernel, but from its sources
within the process of the benchmark: npm's Node, V8's default flags, no socket. \`pool.*\` is the pool alone, in that
process too, and \`cloud.import\` the client alone, bundled, in processes of npm's Node. The journal is on tmpfs
everywhere. *Warm* means that an address is ready: the cloud is not waited for.

The delay of the event loop is the time between two ticks that are due each millisecond, from the start to the end of
each burst; that of all bursts is taken together. \`….loop.worst\` is the longest of each burst.`

const BUDGET = `Each target is for the median of n samples, and where it says so for the 99th percentile too. What is counted or takes
place in virtual time has no noise and one sample; a sample of growth takes a daemon of its own.`

const PHASES = `What the plugin tells with \`TERWAY_CNI_TRACE=1\` and, within its call, the daemon's
\`terway_cni_phase_seconds\`, of single ADDs on a node with one pod. The share is of the sum of the medians.`

const COMPARISON = `Debian's containernetworking-plugins for the same work: a pair of links, an address, routes. The same process starts
all of them in turn, in the same conditions; each has one more pod all the time. Those two are Go, ask nobody, keep no
address for later, know nothing of a cloud, and wait in DEL until the kernel has let go of the link; Terway starts Node,
asks its daemon, which also installs policy routing and writes a journal, and answers DEL as soon as nothing reaches the
pod any more. Of 100 at once the time is from the first start to the last end.`

const PLOTS = `![ADD against pods on the node](performance/add-by-pods.svg)

![ADD against ADDs at once](performance/add-by-concurrency.svg)

Processes that start at once share the CPUs: what a start of Node takes alone is what bounds them.`
