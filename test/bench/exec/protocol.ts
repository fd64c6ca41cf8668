/** What the process that starts others for the benchmark is asked and answers: a line of JSON each. */
import { z } from 'zod'

const EXEC = z.object({
  argv: z.tuple([z.string()], z.string()),
  /** The whole environment. */
  env: z.record(z.string(), z.string()),
  stdin: z.string(),
})
export type Exec = z.infer<typeof EXEC>

const RUN = z.object({
  /** Just before it was started, ms since the epoch. */
  began: z.number(),
  /** Until it had ended and its output was closed, ms. */
  took: z.number(),
  /** Null when a signal ended it. */
  status: z.int().nullable(),
  ...{ stdout: z.string(), stderr: z.string() },
})
export type Run = z.infer<typeof RUN>

/** All of them at once. */
export const QUESTION = z.array(EXEC)
/** In the same order. */
export const ANSWER = z.array(RUN)
