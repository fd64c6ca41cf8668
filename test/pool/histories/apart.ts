/**
 * Plays histories in a process of its own: twice as fast as within Jest, and with a deliberate bug in the pool if one is
 * named.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import type { Trial } from './trial.ts'

export interface Share {
  readonly from: number
  readonly count: number
  /** ms for making a failure smaller */
  readonly patience: number
}

const TOLD = z.object({ failure: z.string().optional(), tally: z.array(z.tuple([z.string(), z.number()])) })
const MUTATE = join(import.meta.dirname, '../mutation/mutate.ts')
const PLAYER = join(import.meta.dirname, 'player.ts')

/** @throws Error when the process breaks off */
export async function playApart({ from, count, patience }: Share, mutant?: string): Promise<Trial> {
  const { TERWAY_POOL_MUTANT: _, ...env } = process.env
  const args = [...(mutant === undefined ? [] : ['--import', MUTATE]), PLAYER, ...[from, count, patience].map(String)]
  const child = spawn(process.execPath, args, {
    env: mutant === undefined ? env : { ...env, TERWAY_POOL_MUTANT: mutant },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // Nobody waits for its answer any more when this process has ended.
  const stop = () => child.kill()
  process.once('exit', stop)
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  process.off('exit', stop)
  if (child.exitCode !== 0) throw new Error(`histories from ${from} on broke off: ${err}`)
  const { failure, tally } = TOLD.parse(JSON.parse(out))
  return { failure, tally: new Map(tally) }
}
