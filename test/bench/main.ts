/** The benchmark: one line of JSON for each figure on stdout; progress, and at the end a table, on stderr. */
import { mkdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { directoryOf } from '../cluster/directory.ts'
import { cleanLeftovers } from '../cluster/leftovers.ts'
import { claim, failIfOwned, owns } from '../cluster/owner.ts'
import { BENCHES, type Bench, gives } from './benches.ts'
import { judged } from './budget.ts'
import { BENCH_LINE, type BenchLine } from './line.ts'
import { PREFIX } from './node/bench-node.ts'
import { Progress } from './progress.ts'
import { writeReport } from './report/write.ts'
import { summary } from './summary.ts'

const list = BENCHES.map(({ name, needsRoot, what }) => `  ${(name + (needsRoot ? ' *' : '')).padEnd(18)}${what}`).join(
  '\n',
)

const HELP = `usage: hack/node test/bench/main.ts [--quick] [--report] [bench…]
       hack/node test/bench/main.ts --from FILE

  --quick      fewer samples: under two minutes in all
  --report     write docs/performance.md and what belongs to it from this run, which has to be of all benches
  --from FILE  run nothing: write them from the lines of an earlier run
  --help       this text

Benches (all unless some are named; those with * need root):
${list}
`

const { values: options, positionals: names } = commandLine()

function commandLine() {
  try {
    return parseArgs({
      options: {
        ...{ quick: { type: 'boolean', default: false }, report: { type: 'boolean', default: false } },
        ...{ from: { type: 'string' }, help: { type: 'boolean', default: false } },
      },
      allowPositionals: true,
    })
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`)
    process.exit(2)
  }
}

async function main(): Promise<void> {
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name))
  if (options.help) console.log(HELP)
  else if (unknown.length > 0)
    refuse(`no bench ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}`)
  else if (options.report && names.length > 0) refuse('a report is made of all benches: name none')
  else if (options.report && !isRoot()) refuse('a report is made of all benches: be root')
  else if (options.from !== undefined) report(linesOf(readFileSync(options.from, 'utf8')))
  else await measure()
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function refuse(why: string): void {
  console.error(why)
  process.exitCode = 2
}

async function measure(): Promise<void> {
  cleanUpWhenTold()
  const progress = new Progress()
  const chosen = BENCHES.filter(({ name }) => names.length === 0 || names.includes(name))
  const lines: BenchLine[] = []
  for (const [i, bench] of chosen.entries()) {
    progress.say(`==> [${i + 1}/${chosen.length}] ${bench.name}`)
    if (bench.needsRoot === true && !isRoot()) {
      progress.say('      is skipped: it needs root')
      continue
    }
    const began = performance.now()
    for (const line of await alone(bench, progress)) {
      lines.push(line)
      console.log(JSON.stringify(line))
    }
    progress.say(`      ${((performance.now() - began) / 1_000).toFixed(1)} s`)
  }
  console.error(`\n${summary(lines)}`)
  if (options.report) report(lines)
}

/** What it makes on the machine is this process's. @throws CommandError when another benchmark is running. */
async function alone(bench: Bench, progress: Progress): Promise<BenchLine[]> {
  if (bench.needsRoot !== true) return await figures(bench, progress)
  failIfOwned(PREFIX)
  await cleanLeftovers(PREFIX)
  mkdirSync(directoryOf(PREFIX), { recursive: true })
  claim(PREFIX)
  try {
    return await figures(bench, progress)
  } finally {
    await cleanLeftovers(PREFIX)
  }
}

/** @throws Error when the bench gives a line that it does not list. */
async function figures(bench: Bench, progress: Progress): Promise<BenchLine[]> {
  const { quick } = options
  const measured = await bench.run({ quick, progress })
  const lines = measured.map((line) => judged(quick ? { ...line, quick } : line))
  const surplus = lines.filter(({ name }) => !gives(bench, name)).map(({ name }) => name)
  if (surplus.length > 0) throw new Error(`${bench.name} does not list ${surplus.join(', ')}`)
  const missing = bench.lines.filter((name) => !lines.some((line) => gives({ lines: [name] }, line.name)))
  if (missing.length > 0) progress.say(`      not measured: ${missing.join(', ')}`)
  return lines
}

/** Processes and namespaces of a node under measurement go with it; those of one that is killed, when the next starts. */
function cleanUpWhenTold(): void {
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      process.stderr.write(`\n${signal}: removing what this run has made\n`)
      const cleaned = owns(PREFIX) ? cleanLeftovers(PREFIX) : Promise.resolve()
      void cleaned.finally(() => process.exit(status))
    })
  }
}

function linesOf(text: string): BenchLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => judged(BENCH_LINE.parse(JSON.parse(line))))
}

function report(lines: readonly BenchLine[]): void {
  for (const file of writeReport(lines)) console.error(`wrote ${file}`)
}

await main()
