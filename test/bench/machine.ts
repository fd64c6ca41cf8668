/** How fast this machine is now, and how steady: what the spread of every other figure has to be compared with. */
import { TRUE } from './exec/programs.ts'
import { Starter } from './exec/starter.ts'
import { type BenchLine, benchLine } from './line.ts'
import type { Run } from './progress.ts'

/** Some 5 ms of arithmetic that neither allocates nor waits. */
const ITERATIONS = 5_000_000

export async function benchMachine({ quick }: Run): Promise<readonly BenchLine[]> {
  const n = quick ? 50 : 200
  const loops = Array.from({ length: n }, calibrate)
  await using starter = new Starter()
  const starts: number[] = []
  for (let i = 0; i < n; i++) starts.push((await starter.one(TRUE)).took)
  return [
    benchLine({ name: 'machine.loop', unit: 'ms' }, loops),
    benchLine({ name: 'machine.spawn', unit: 'ms' }, starts),
  ]
}

function calibrate(): number {
  const began = performance.now()
  let state = 1
  for (let i = 0; i < ITERATIONS; i++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  const took = performance.now() - began
  // Used, so that the loop is not optimised away.
  return state === 0 ? Number.NaN : took
}
