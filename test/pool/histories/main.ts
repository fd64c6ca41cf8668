/**
 * Plays histories and tells what they contained. `TERWAY_POOL_SEED=7` plays one, and writes it down, with
 * TERWAY_POOL_TRACE=1 also every call and line of the log; `1000 50` those of 50 seeds from 1000 on.
 */
import { textOf } from './history.ts'
import { play } from './play.ts'
import { tableOf } from './tally.ts'
import { historyOf, tryHistories } from './trial.ts'

const { TERWAY_POOL_SEED: one, TERWAY_POOL_TRACE: trace } = process.env
const [first = 0, count = 100] = process.argv.slice(2).map(Number)
const seeds = one === undefined ? Array.from({ length: count }, (_, index) => first + index) : [Number(one)]
if (one !== undefined) {
  const history = historyOf(Number(one))
  console.log(textOf(history))
  // What it fails with, if it does, is told below.
  if (trace !== undefined) await play(history, console.log).catch(() => undefined)
}
const began = performance.now()
const { tally, failure } = await tryHistories(seeds)
const seconds = (performance.now() - began) / 1000
console.log(tableOf(tally))
console.log(`${((tally.get('histories') ?? 0) / seconds).toFixed(0)} histories a second`)
if (failure !== undefined) {
  console.log(failure)
  process.exitCode = 1
}
