/** Plays the histories of many seeds; one that fails is made smaller and told so that it can be played again. */
import fc from 'fast-check'
import { histories } from './arbitrary.ts'
import { type History, textOf } from './history.ts'
import { play } from './play.ts'
import { shrink } from './shrink.ts'
import { sumOf, type Tally } from './tally.ts'

/** For making a failure smaller, ms. */
const PATIENCE = 30_000

export interface Trial {
  readonly tally: Tally
  /** Of the first that failed, in words for who looks for the cause. */
  readonly failure: string | undefined
}

/** @param patience ms for making a failure smaller */
export async function tryHistories(seeds: Iterable<number>, patience = PATIENCE): Promise<Trial> {
  const tallies: Tally[] = []
  for (const seed of seeds) {
    try {
      tallies.push(await play(historyOf(seed)))
    } catch (error) {
      return { tally: sumOf(tallies), failure: await tell(seed, error, patience) }
    }
  }
  return { tally: sumOf(tallies), failure: undefined }
}

export function historyOf(seed: number): History {
  const [history] = fc.sample(histories, { seed, numRuns: 1 })
  if (history === undefined) throw new Error(`no history of seed ${seed}`)
  return history
}

async function tell(seed: number, error: unknown, patience: number): Promise<string> {
  const smallest = await shrink({ history: historyOf(seed), error }, failureOf, patience)
  return [
    `history ${seed} fails: ${messageOf(error)}`,
    `to see it again: TERWAY_POOL_SEED=${seed} hack/node test/pool/histories/main.ts`,
    `what remains of it: ${messageOf(smallest.error)}`,
    textOf(smallest.history),
    smallest.error instanceof Error ? String(smallest.error.stack) : '',
  ].join('\n')
}

async function failureOf(history: History): Promise<unknown> {
  try {
    await play(history)
    return undefined
  } catch (error) {
    return error
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
