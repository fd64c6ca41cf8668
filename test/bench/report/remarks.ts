/** What a person has to say of figures that miss their target: kept here, so that a new run does not lose it. */
import { z } from 'zod'
import remarks from './remarks.json' with { type: 'json' }

const REMARK = z.strictObject({
  /** The least that can be had, and how that was measured. */
  floor: z.string(),
  /** What was done about it, and what that gave. */
  tried: z.string(),
})

/** By the name of the figure. */
export type Remarks = Readonly<Record<string, z.infer<typeof REMARK>>>

export const REMARKS: Remarks = z.record(z.string(), REMARK).parse(remarks)
