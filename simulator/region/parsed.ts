/** Schemas for texts of the region file that become domain values. */
import { z } from 'zod'

/** Text that `parse` turns into a domain value; what it throws becomes the message at the key. */
export function parsed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })
}

export function id<T extends string>(pattern: RegExp, example: string) {
  return z
    .string()
    .regex(pattern, `must look like ${example}`)
    .transform((text) => text as T)
}

export function prefixed<T extends string>(prefix: string) {
  return id<T>(new RegExp(`^${prefix}-[a-z0-9-]{1,60}$`), `${prefix}-sim`)
}
