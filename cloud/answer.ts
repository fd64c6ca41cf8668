/** Answers of the API as typed values: strict about what is used, blind to everything else. */
import { z } from 'zod'
import type { Action } from './actions.ts'
import { CloudError } from './error.ts'
import type { CallOptions, CloudCall, Service, Transport } from './transport.ts'

/** Calls the API and reads its answer. @throws CloudError, `BadAnswer` when the answer is not as documented. */
export async function ask<T>(
  transport: Transport,
  call: CloudCall,
  shape: z.ZodType<T>,
  options: CallOptions | undefined,
): Promise<T> {
  return read(call.action, await transport(call, options), shape)
}

/** @throws CloudError `BadAnswer` */
export function read<T>(action: string, body: unknown, shape: z.ZodType<T>): T {
  const result = shape.safeParse(body)
  if (result.success) return result.data
  throw badAnswer(action, `it is not as documented: ${z.prettifyError(result.error)}`, result.error)
}

/** An answer with HTTP status 200 that cannot be believed; asking again may give a better one. */
export function badAnswer(action: string, problem: string, cause?: unknown): CloudError {
  return new CloudError(`the answer cannot be used: ${problem}`, { action, code: 'BadAnswer', cause })
}

export function callOf(service: Service, action: Action, query: CloudCall['query']): CloudCall {
  return { service, action, query }
}

/** A text that `parse` must accept. What it throws becomes the issue's message. */
export function parsed<T>(parse: (text: string) => T): z.ZodType<T> {
  return z.string().transform((text, context) => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })
}

/** Where it has nothing to say the API leaves a field out, or sends null or an empty text. */
export function maybe<T>(shape: z.ZodType<T>): z.ZodType<T | undefined> {
  return z.preprocess((value) => (isBlank(value) ? undefined : value), shape.optional())
}

export function optional<T>(parse: (text: string) => T): z.ZodType<T | undefined> {
  return maybe(parsed(parse))
}

/** A text of which nothing is worse than that it is empty. */
export const TEXT: z.ZodType<string> = z
  .string()
  .nullish()
  .transform((text) => text ?? '')

/** `{"Xs": {"X": […]}}`: lists come wrapped in an object that is empty or missing when the list is. */
export function listOf<T>(name: string, item: z.ZodType<T>): z.ZodType<readonly T[]> {
  const list = z
    .array(z.unknown())
    .transform((items) => items.filter((one) => !isBlank(one)))
    .pipe(z.array(item))
  return z
    .object({ [name]: list.nullish() })
    .nullish()
    .transform((wrapper) => wrapper?.[name] ?? [])
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

/** The fields that have a value. */
export function present<T extends object>(fields: T): { [name in keyof T]?: Exclude<T[name], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [name in keyof T]?: Exclude<T[name], undefined> }
}

/** The value when it is one of those known, since the API adds new ones over the years. */
export function oneOf<T extends string, Other>(known: readonly T[], text: string, other: Other): T | Other {
  return (known as readonly string[]).includes(text) ? (text as T) : other
}

/** In the given order, at most `size` in each; the API limits the length of lists. */
export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
