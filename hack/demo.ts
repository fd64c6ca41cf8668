/**
 * `make demo`. Starts the walk (demo/walk.ts) as a process of its own and watches it: whatever ends the walk, be it
 * Ctrl-C, a crash or a kill, everything it made is removed from out here.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { cleanLeftovers, leftovers } from '../test/cluster/leftovers.ts'
import { failIfOwned } from '../test/cluster/owner.ts'
import { CommandError } from '../test/cluster/process.ts'
import { DEMO_PREFIX } from './demo/prefix.ts'

const USAGE = `usage: hack/node hack/demo.ts [--keep | --clean]
  --keep   leave it running and tell how to look inside
  --clean  end what was left running`

/** As shells report an end by a signal: 128 and its number. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
type Interruption = keyof typeof INTERRUPTED

const WALK = join(import.meta.dirname, 'demo', 'walk.ts')

/** Resolves to the walk's exit status, or to the signal that ended it because we were told to stop. */
async function walk(args: readonly string[]): Promise<number | Interruption> {
  // Its own session, so that a Ctrl-C comes here alone; and it dies when this process is killed.
  const argv = ['--pdeathsig', 'SIGKILL', '--', process.execPath, WALK, ...args]
  const child = spawn('setpriv', argv, { stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  return await new Promise((resolve, reject) => {
    let interruption: Interruption | undefined
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        interruption ??= signal
        child.kill('SIGKILL')
      })
    }
    child.once('error', reject)
    child.once('exit', (status) => resolve(interruption ?? status ?? 1))
  })
}

async function demonstrate(args: readonly string[]): Promise<number> {
  const ended = await walk(args)
  if (ended === 0) return 0
  await cleanLeftovers(DEMO_PREFIX)
  const left = leftovers(DEMO_PREFIX)
  for (const thing of left) console.log(`still there: ${thing}`)
  if (typeof ended === 'number') return ended
  console.log(`\ndemo: interrupted${left.length === 0 ? '; everything it had made is removed' : ''}`)
  return INTERRUPTED[ended]
}

async function clean(): Promise<number> {
  failIfOwned(DEMO_PREFIX)
  const found = leftovers(DEMO_PREFIX)
  await cleanLeftovers(DEMO_PREFIX)
  console.log(found.length === 0 ? 'no demo was left running' : 'the demo is ended; everything it had made is removed')
  return 0
}

const args = process.argv.slice(2)
try {
  if (args.length > 1 || !['--keep', '--clean', undefined].includes(args[0])) throw new CommandError(USAGE)
  if (process.getuid?.() !== 0) throw new CommandError('the demo makes network namespaces: run it as root')
  if (args[0] !== '--clean') failIfOwned(DEMO_PREFIX)
  process.exitCode = args[0] === '--clean' ? await clean() : await demonstrate(args)
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
