/** The executable `terway-sim`. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { destination, type Logger, pino } from 'pino'
import { MAX_SPEED } from './clock.ts'
import { CommandError } from './fabric/command.ts'
import { FabricError } from './fabric/error.ts'
import { cleanFabric } from './fabric/fabric.ts'
import { ListenError } from './listen.ts'
import { readRegion } from './region/parse.ts'
import { RegionError } from './region/region.ts'
import { startSimulator } from './simulator.ts'

interface RunOptions {
  readonly region: string
  readonly prefix: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly speed: number
  readonly seed?: number
  readonly fabric: boolean
  readonly exitWithParent: boolean
}

/** How often `--exit-with-parent` looks, ms. */
const PARENT_POLL = 500

const program = new Command('terway-sim')
  .description(
    'A region of Alibaba Cloud on one machine: the ECS, VPC and metadata APIs, and a VPC of network namespaces.',
  )
  .showHelpAfterError('(terway-sim --help shows what there is)')

program
  .command('run')
  .description('simulate a region until SIGINT or SIGTERM; prints one line of JSON when it can be used')
  .requiredOption('--region <file>', 'the region, as in conf/regions/two-nodes.yaml')
  .option('--prefix <text>', 'first part of the names of all namespaces', 'terway')
  .addOption(
    new Option('--listen <host:port>', 'where the API is served outside the VPC')
      .argParser(parseListen)
      .default({ host: '127.0.0.1', port: 0 }, '127.0.0.1, a free port'),
  )
  .addOption(
    new Option('--speed <factor>', 'how many seconds of the region pass in a real one')
      .argParser(parseSpeed)
      .default(1),
  )
  .addOption(
    new Option('--seed <number>', "of faults that happen by chance, instead of the region file's").argParser(parseSeed),
  )
  .option('--no-fabric', 'the API only: no namespaces, no links, no metadata service, no root needed')
  .option('--exit-with-parent', 'stop when the process that started this one has ended', false)
  .addHelpText(
    'after',
    `
Examples:
  terway-sim run --region conf/regions/two-nodes.yaml
  terway-sim run --region conf/regions/two-nodes.yaml --no-fabric --listen 127.0.0.1:8080
  terway-sim run --region conf/regions/hundred-nodes.yaml --no-fabric --speed 20

The namespaces are <prefix>-vpc and <prefix>-<node>; in a node, the API is at http://100.100.80.10 and the metadata
service at http://100.100.100.200. Outside, <api>/state shows the cloud, <api>/audit every call, and <api>/faults takes
what shall go wrong: docs/simulator.md.`,
  )
  .action(async (options: RunOptions) => await run(options))

program
  .command('clean')
  .description('remove what a simulator that was killed has left')
  .requiredOption('--prefix <text>', 'the prefix it ran with')
  .action(async ({ prefix }: { readonly prefix: string }) => {
    const removed = await cleanFabric(prefix)
    process.stdout.write(removed.length === 0 ? 'nothing is left\n' : `removed ${removed.join(', ')}\n`)
  })

function parseListen(text: string): RunOptions['listen'] {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) throw new InvalidArgumentError('It must be like 127.0.0.1:0 or [::1]:8080.')
  return { host: match[1] ?? match[2] ?? '', port }
}

function parseSpeed(text: string): number {
  const speed = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (speed <= 0 || speed > MAX_SPEED) throw new InvalidArgumentError(`It must be above 0 and at most ${MAX_SPEED}.`)
  return speed
}

function parseSeed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a number of at most 9 digits.')
  return Number(text)
}

async function run(options: RunOptions): Promise<void> {
  const log = pino({ name: 'terway-sim' }, destination({ dest: 2, sync: true }))
  const described = readRegion(options.region)
  const region = { ...described, seed: options.seed ?? described.seed }
  // From the start: a signal while the fabric is made must not leave half of it.
  const ended = untilAsked(log, options.exitWithParent)
  const simulator = await startSimulator({
    region,
    fabricPrefix: options.fabric ? options.prefix : undefined,
    listen: options.listen,
    speed: options.speed,
    log,
  })
  process.stdout.write(`${JSON.stringify(simulator.ready)}\n`)
  log.info({ reason: await ended }, 'stopping')
  await simulator.stop()
}

/** Resolves with the reason to stop. */
function untilAsked(log: Logger, exitWithParent: boolean): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        log.info({ signal }, 'asked to stop')
        resolve(signal)
      })
    }
    if (!exitWithParent) return
    const parent = process.ppid
    const timer = setInterval(() => {
      if (process.ppid !== parent) resolve('the parent has ended')
    }, PARENT_POLL)
    timer.unref()
  })
}

/** Errors that a user can act on by their message alone. */
function isExpected(error: unknown): error is Error {
  return [RegionError, FabricError, CommandError, ListenError].some((expected) => error instanceof expected)
}

try {
  await program.parseAsync()
  // Whatever is still open, like a reader of stdout that never reads, is not worth waiting for.
  process.exit(0)
} catch (error) {
  process.stderr.write(
    `terway-sim: ${isExpected(error) ? error.message : error instanceof Error ? error.stack : error}\n`,
  )
  process.exit(1)
}
