/**
 * Runs the suites named on the command line, or all of them: each streams its own output, then one table tells what
 * came of each, and the last line is `N passed, N failed, N skipped`. A suite that cannot run here is named with the
 * reason and counts as skipped. `hack/node hack/test.ts lint unit`
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { z } from 'zod'
import { cleanLeftovers } from '../test/cluster/leftovers.ts'
import { orphans } from '../test/cluster/owner.ts'
import { whyNoGuest } from './vm/guest.ts'

const NODE = 'hack/node'
const JEST = [NODE, '--experimental-vm-modules', 'node_modules/jest/bin/jest.js']
/** A suite that takes longer hangs. ms */
const LIMIT = 15 * 60_000

interface Suite {
  readonly name: string
  readonly needsRoot: boolean
  /** The suite that it is a part of, and that is run in its place when none is named. */
  readonly partOf?: string
  /** Why this machine cannot have what it runs on; empty when it can. */
  readonly whyNot?: () => Promise<string>
  readonly run: (runner: Runner) => Promise<Counts>
}

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

interface Row extends Counts {
  readonly suite: string
  readonly seconds: number
  /** Why it was not run; empty when it was. */
  readonly reason: string
}

const FAILED: Counts = { passed: 0, failed: 1, skipped: 0 }

const SUITES: readonly Suite[] = [
  {
    name: 'lint',
    needsRoot: false,
    run: commands([
      ['node_modules/.bin/biome', 'check', '--error-on-warnings'],
      [NODE, 'hack/lint/generate-import-rule.ts', '--check'],
      [NODE, 'hack/generate-proto.ts', '--check'],
    ]),
  },
  { name: 'types', needsRoot: false, run: commands([['node_modules/.bin/tsc']]) },
  { name: 'unit', needsRoot: false, run: jest('unit') },
  { name: 'wire', needsRoot: false, run: jest('wire', '--runInBand') },
  { name: 'build', needsRoot: false, run: jest('build', '--runInBand') },
  { name: 'pool-unit', needsRoot: false, partOf: 'unit', run: jest('unit', 'daemon/pool/', 'test/pool/') },
  { name: 'pool', needsRoot: false, run: jest('pool') },
  { name: 'cloud', needsRoot: false, run: jest('cloud', '--runInBand') },
  { name: 'fault', needsRoot: false, run: jest('fault', '--runInBand') },
  { name: 'kernel', needsRoot: true, run: jest('kernel', '--runInBand') },
  { name: 'guard', needsRoot: true, run: jest('guard', '--runInBand') },
  { name: 'e2e', needsRoot: true, run: jest('e2e', '--runInBand') },
  { name: 'vm', needsRoot: false, whyNot: whyNoGuest, run: jestInGuest('vm', '--runInBand') },
]

/** Starts the suites' processes, one at a time, and ends the current one when it is told to stop. */
class Runner {
  #child: ChildProcess | undefined
  #stopped = false

  get stopped(): boolean {
    return this.#stopped
  }

  stop(): void {
    this.#stopped = true
    this.#child?.kill('SIGTERM')
  }

  /** Resolves to true when the command succeeded. */
  async succeeds(argv: readonly string[]): Promise<boolean> {
    if (this.#stopped) return false
    const [program = '', ...args] = argv
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    this.#child = child
    const timer = setTimeout(() => {
      console.log(`"${argv.join(' ')}" takes more than ${LIMIT / 60_000} minutes; ending it`)
      child.kill('SIGKILL')
    }, LIMIT)
    try {
      const status = await new Promise<number | null>((resolve, reject) => {
        child.once('error', reject).once('exit', resolve)
      })
      return status === 0
    } finally {
      clearTimeout(timer)
    }
  }
}

/** A suite of plain commands counts as one test. */
function commands(list: readonly (readonly string[])[]): Suite['run'] {
  return async (runner) => {
    let failed = 0
    for (const argv of list) if (!(await runner.succeeds(argv))) failed += 1
    return failed > 0 ? FAILED : { passed: 1, failed: 0, skipped: 0 }
  }
}

const jestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  /** Files that broke before their tests could run. */
  numRuntimeErrorTestSuites: z.number(),
  testResults: z.array(z.object({ assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })) })),
})

function jest(config: string, ...flags: string[]): Suite['run'] {
  return reported(config, flags, () => [])
}

function jestInGuest(config: string, ...flags: string[]): Suite['run'] {
  return reported(config, flags, (share) => [NODE, 'hack/vm/run.ts', '--share', share, '--'])
}

/** @param by what runs jest, if it is not started directly: a command that can write to this directory */
function reported(
  config: string,
  flags: readonly string[],
  by: (directory: string) => readonly string[],
): Suite['run'] {
  return async (runner) => {
    const scratch = mkdtempSync(join(tmpdir(), 'terway-test-'))
    const outputFile = join(scratch, 'report.json')
    try {
      const argv = [...JEST, '--config', `test/jest/${config}.json`, '--json', `--outputFile=${outputFile}`, ...flags]
      const succeeded = await runner.succeeds([...by(scratch), ...argv])
      const report = jestReport.parse(JSON.parse(readFileSync(outputFile, 'utf8')))
      const failed = report.numFailedTests + report.numRuntimeErrorTestSuites
      const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
      // A test says in its name why it cannot run on this machine.
      for (const { status, fullName } of tests) if (status === 'pending') console.log(`skipped: ${fullName}`)
      return {
        passed: report.numPassedTests,
        failed: succeeded ? failed : Math.max(failed, 1),
        skipped: report.numPendingTests + report.numTodoTests,
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  }
}

async function reasonToSkip({ needsRoot, whyNot }: Suite): Promise<string> {
  if (needsRoot && process.getuid?.() !== 0) return 'needs root: network namespaces are made'
  return (await whyNot?.()) ?? ''
}

async function runSuite(suite: Suite, runner: Runner): Promise<Row> {
  const reason = await reasonToSkip(suite)
  if (reason !== '') return { suite: suite.name, passed: 0, failed: 0, skipped: 1, seconds: 0, reason }
  console.log(styleText('bold', `\n==> ${suite.name}`))
  const started = performance.now()
  const counts = await outcome(suite, runner)
  return { suite: suite.name, ...counts, seconds: (performance.now() - started) / 1000, reason }
}

async function outcome(suite: Suite, runner: Runner): Promise<Counts> {
  try {
    return await suite.run(runner)
  } catch (error) {
    // It crashed; that is a failure, and the others still run.
    if (!runner.stopped) console.log(`${suite.name} left no report:`, error)
    return FAILED
  }
}

function line(row: Row): string {
  const cells = [row.passed, row.failed, row.skipped, row.seconds.toFixed(1)]
  const text = row.suite.padEnd(10) + cells.map((cell) => String(cell).padStart(9)).join('')
  if (row.failed > 0) return styleText('red', text)
  return row.reason === '' ? text : styleText('yellow', `${text}  skipped: ${row.reason}`)
}

function chosen(names: readonly string[]): readonly Suite[] {
  const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name))
  if (unknown.length > 0) {
    console.error(`no suite ${unknown.join(', ')}; there are ${SUITES.map(({ name }) => name).join(', ')}`)
    process.exit(2)
  }
  return SUITES.filter(({ name, partOf }) => (names.length === 0 ? partOf === undefined : names.includes(name)))
}

const runner = new Runner()
const stop = () => runner.stop()
process.on('SIGINT', stop).on('SIGTERM', stop)
const rows: Row[] = []
for (const suite of chosen(process.argv.slice(2))) if (!runner.stopped) rows.push(await runSuite(suite, runner))

// A suite that was ended in the middle has left its clusters.
for (const prefix of orphans()) await cleanLeftovers(prefix)
if (runner.stopped) {
  console.log('interrupted')
  process.exit(130)
}
const total = (count: keyof Counts) => rows.reduce((sum, row) => sum + row[count], 0)
console.log(`\n${'suite'.padEnd(10)}${['passed', 'failed', 'skipped', 'seconds'].map((h) => h.padStart(9)).join('')}`)
for (const row of rows) console.log(line(row))
console.log(`\n${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`)
process.exitCode = total('failed') > 0 ? 1 : 0
