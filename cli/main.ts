/** The executable `terway-cli`: what an operator asks the daemon of a node. */
import { resolve } from 'node:path'
import { Command, CommanderError, Option } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { DEFAULT_SOCKET } from '../proto/paths.ts'
import { renderBox } from './box.ts'
import { lineWidth } from './columns.ts'
import { DaemonError, gc, inspectHost, inspectPod, show, verify } from './daemon.ts'
import { renderDifferences } from './differences.ts'
import { renderFindings } from './findings.ts'
import { hostObjects, renderHost } from './host.ts'
import { isProblem, type ObjectOptions } from './objects.ts'
import { paintFor } from './paint.ts'
import { objectsToJudge, renderPod } from './pod.ts'
import { type PodName, parsePodName } from './pod-name.ts'
import { renderTree } from './tree.ts'

/** Exit status. A wrong command line counts as trouble, so that 1 always means what a script asked about. */
const DIFFERENT = 1
const TROUBLE = 2

interface CommonOptions {
  readonly socket: string
  readonly json?: true
}

interface ShowOptions extends CommonOptions {
  readonly output: 'tree' | 'box'
}

interface InspectOptions extends CommonOptions {
  readonly onlyProblems?: true
}

interface InspectPodOptions extends InspectOptions {
  readonly container?: string
}

interface GcOptions extends CommonOptions {
  readonly dryRun?: true
  readonly force?: true
}

const printJson = (message: object): boolean => process.stdout.write(`${JSON.stringify(message, null, 2)}\n`)

async function runShow({ socket, output, json }: ShowOptions): Promise<void> {
  const node = await show(resolve(socket))
  // By the daemon's clock: its times are no times of the day.
  const options = { now: node.now, paint: paintFor(process.stdout) }
  if (json) printJson(node)
  else process.stdout.write(output === 'box' ? renderBox(node, options) : renderTree(node, options))
}

async function runVerify({ socket, json }: CommonOptions): Promise<void> {
  const reply = await verify(resolve(socket))
  if (json) printJson(reply)
  else process.stdout.write(renderDifferences(reply, paintFor(process.stdout)))
  if (reply.differences.length > 0) process.exitCode = DIFFERENT
}

function objectOptions({ onlyProblems }: InspectOptions): ObjectOptions {
  const width = lineWidth(process.stdout, process.env)
  return { paint: paintFor(process.stdout), width, onlyProblems: onlyProblems === true }
}

async function runInspectPod(name: PodName, options: InspectPodOptions): Promise<void> {
  const { socket, json, container = '' } = options
  const inspection = await inspectPod(resolve(socket), { ...name, containerId: container })
  if (json) printJson(inspection)
  else process.stdout.write(renderPod(inspection, objectOptions(options)))
  if (objectsToJudge(inspection).some(isProblem)) process.exitCode = DIFFERENT
}

async function runInspectHost(options: InspectOptions): Promise<void> {
  const host = await inspectHost(resolve(options.socket))
  if (options.json) printJson(host)
  else process.stdout.write(renderHost(host, objectOptions(options)))
  if (hostObjects(host).some(isProblem)) process.exitCode = DIFFERENT
}

async function runGc({ socket, json, dryRun, force }: GcOptions): Promise<void> {
  const reply = await gc(resolve(socket), { dryRun: dryRun === true, force: force === true })
  if (json) printJson(reply)
  else process.stdout.write(renderFindings(reply, paintFor(process.stdout)))
}

const socketOption = () => new Option('--socket <path>', "the daemon's socket").default(DEFAULT_SOCKET)
const jsonOption = () => new Option('--json', "the daemon's answer as JSON")

const onlyProblemsOption = () => new Option('--only-problems', 'leave out what is as planned')

const program = new Command('terway-cli')
  .description('Shows and repairs what terwayd, the Terway daemon of this node, holds and does.')
  .version(packageJson.version)
  .showHelpAfterError('(terway-cli --help shows what can be asked)')
  .exitOverride()
  .addHelpText(
    'after',
    '\nExit status: 0 all is well, 1 the kernel differs from the plans (verify, inspect), 2 no answer, a request that\n' +
      'could not be carried out, or a wrong command line.',
  )

program
  .command('show')
  .description("the node's ENIs, their addresses and the pods that hold them")
  .addOption(new Option('-o, --output <form>', 'form of the answer').choices(['tree', 'box']).default('tree'))
  .addOption(jsonOption())
  .addOption(socketOption())
  .action(runShow)

program
  .command('verify')
  .description('compares every link, address, route and rule that should exist with the kernel; changes nothing')
  .addOption(jsonOption())
  .addOption(socketOption())
  .action(runVerify)

const inspect = program
  .command('inspect')
  .description('every object that should exist beside what the kernel has; changes nothing')

inspect
  .command('pod')
  .description("a pod's interfaces, the newest sandbox first: what they are, and plan against kernel")
  .argument('<[namespace/]name>', 'the pod; of the namespace default unless another is given', parsePodName)
  .option('--container <id>', 'only of the sandbox with this container id, or one that begins so')
  .addOption(onlyProblemsOption())
  .addOption(jsonOption())
  .addOption(socketOption())
  .action(runInspectPod)

inspect
  .command('host')
  .description(
    "the node's own and its ENIs' objects, plan against kernel; what the kernel can do, and how full its tables are",
  )
  .addOption(onlyProblemsOption())
  .addOption(jsonOption())
  .addOption(socketOption())
  .action(runInspectHost)

program
  .command('gc')
  .description(
    'compares journal, cloud, kernel and pods now instead of at the next round, gives back what nobody has and takes ' +
      "over what is Terway's; prints what it has done",
  )
  .option('--dry-run', 'change nothing, only print what would be done')
  .option('--force', 'look twice at once at what must be seen twice, instead of waiting for the next round')
  .addOption(jsonOption())
  .addOption(socketOption())
  .action(runGc)

// No top-level await: a single executable starts with CommonJS.
program.parseAsync().catch((error: unknown) => {
  // Commander has printed the help, or what is wrong with the command line, by itself.
  const asked = error instanceof CommanderError && error.exitCode === 0
  if (error instanceof DaemonError) console.error(`terway-cli: ${error.message}`)
  else if (!(error instanceof CommanderError)) console.error(error)
  process.exitCode = asked ? 0 : TROUBLE
})
