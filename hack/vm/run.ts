/**
 * Runs a command in the guest and ends with its status: `hack/node hack/vm/run.ts [--share DIR] -- ip link`. DIR is the
 * one directory of this machine that the command can write to.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type GuestCommand, runInGuest } from './guest.ts'

/** A guest that takes longer hangs. ms */
const LIMIT = 10 * 60_000

const { values, positionals } = parseArgs({ options: { share: { type: 'string' } }, allowPositionals: true })
if (positionals.length === 0) {
  console.error('usage: hack/node hack/vm/run.ts [--share DIR] -- COMMAND...')
  process.exit(2)
}
const command: GuestCommand = {
  argv: positionals,
  tree: join(import.meta.dirname, '..', '..'),
  ...(values.share === undefined ? {} : { share: values.share }),
  ...(process.stdout.isTTY ? { env: { FORCE_COLOR: '1' } } : {}),
}

const ending = new AbortController()
const end = (why: string) => ending.abort(new Error(why))
process.on('SIGINT', () => end('interrupted')).on('SIGTERM', () => end('interrupted'))
setTimeout(() => end(`not done after ${LIMIT / 60_000} minutes`), LIMIT).unref()
try {
  process.exitCode = await runInGuest(command, ending.signal)
} catch (error) {
  console.error(`guest: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
