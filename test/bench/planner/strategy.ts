/** A way to keep a node's addresses, measured on a trace. */
import type { Score } from './score.ts'
import type { Trace } from './trace.ts'

export interface Strategy {
  readonly name: string
  /** What a reader of its numbers must know. */
  readonly remark?: string
  /** The same trace and seed give the same score. */
  run(trace: Trace, seed: number): Promise<Score>
}
