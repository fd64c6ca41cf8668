/** The executable `terway-cli`: what an operator asks the daemon of a node. */
import { resolve } from 'node:path'
import { Command, CommanderError, Option } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { DEFAULT_SOCKET } from '../proto/paths.ts'
import { renderBox } from './box.ts'
import { DaemonError, gc, show, verify } from './daemon.ts'
import { renderDifferences } from './differences.ts'
import { renderFindings } from './findings.ts'
import { paintFor } from './paint.ts'
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
  else process.stdout.write(renderDifferences(reply))
  if (reply.differences.length > 0) process.exitCode = DIFFERENT
}

async function runGc({ socket, json, dryRun, force }: GcOptions): Promise<void> {
  const reply = await gc(resolve(socket), { dryRun: dryRun === true, force: force === true })
  if (json) printJson(reply)
  else process.stdout.write(renderFindings(reply, paintFor(process.stdout)))
}

const socketOption = () => new Option('--socket <path>', "the daemon's socket").default(DEFAULT_SOCKET)
const jsonOption = () => new Option('--json', "the daemon's answer as JSON")

const program = new Command('terway-cli')
  .description('Shows and repairs what terwayd, the Terway daemon of this node, holds and does.')
  .version(packageJson.version)
  .showHelpAfterError('(terway-cli --help shows what can be asked)')
  .exitOverride()
  .addHelpText(
    'after',
    '\nExit status: 0 all is well, 1 the kernel differs from the plans (verify), 2 no answer, a request that could not be\n' +
      'carried out, or a wrong command line.',
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

try {
  await program.parseAsync()
} catch (error) {
  // Commander has printed the help, or what is wrong with the command line, by itself.
  const asked = error instanceof CommanderError && error.exitCode === 0
  if (error instanceof DaemonError) console.error(`terway-cli: ${error.message}`)
  else if (!(error instanceof CommanderError)) console.error(error)
  process.exitCode = asked ? 0 : TROUBLE
}
