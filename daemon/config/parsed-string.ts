/** Values of a file or of the journal as the project's own types. */
import { z } from 'zod'

/** A value of the schema that `parse` must accept; what it throws becomes the issue's message. */
export function parsed<Input, T>(schema: z.ZodType<Input>, parse: (value: Input) => T) {
  return schema.transform((value, context) => {
    try {
      return parse(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })
}

/** A string that `parse` must accept. */
export function parsedString<T>(parse: (text: string) => T) {
  return parsed(z.string('must be a string'), parse)
}
