/** Plays the histories of so many seeds from one on, and tells in JSON what came of them. See apart.ts. */
import { tryHistories } from './trial.ts'

const [from = 0, count = 0, patience = 0] = process.argv.slice(2).map(Number)
const { failure, tally } = await tryHistories(
  Array.from({ length: count }, (_, index) => from + index),
  patience,
)
console.log(JSON.stringify({ failure, tally: [...tally] }))
