/** Text of a file or of the journal as one of the project's own types. */
import { z } from 'zod'

/** A string that `parse` must accept; what it throws becomes the issue's message. */
export function parsedString<T>(parse: (text: string) => T) {
  return z.string('must be a string').transform((text, context) => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })
}
