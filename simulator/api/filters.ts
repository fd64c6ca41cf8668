/** Filters of Describe actions: every one that is given must match. */
import { ApiError, type ErrorCode } from '../cloud/error.ts'
import type { Tags } from '../cloud/resource-tags.ts'
import type { Parameters } from './parameters.ts'

/** Compares parameters with the properties of the same name. An empty parameter asks for nothing. */
export function equalTo<T>(
  parameters: Parameters,
  properties: Readonly<Record<string, (item: T) => string>>,
): (item: T) => boolean {
  const tests = Object.entries(properties).flatMap(([name, property]) => {
    const wanted = parameters.optional(name) ?? ''
    return wanted === '' ? [] : [(item: T) => property(item) === wanted]
  })
  return (item) => tests.every((matches) => matches(item))
}

/** What `Parameters.tags` reads. */
export const TAG_PARAMETERS = ['Tag.N.Key', 'Tag.N.Value']

/** Compares `Tag.N`. A tag without a value asks only for the key. */
export function taggedAs(parameters: Parameters): (tags: Tags) => boolean {
  const wanted = [...parameters.tags()]
  return (tags) => wanted.every(([key, value]) => (value === '' ? tags.has(key) : tags.get(key) === value))
}

/** What the region file cannot describe has no tags. */
export const NO_TAGS: Tags = new Map()

/** One of the values that the reference lists, or `code`. Empty text is as good as none. */
export function choice<T extends string>(
  parameters: Parameters,
  name: string,
  { values, code = 'InvalidParameter' }: { readonly values: readonly T[]; readonly code?: ErrorCode },
): T | undefined {
  const text = parameters.optional(name) ?? ''
  if (text === '') return undefined
  const found = values.find((value) => value === text)
  if (found !== undefined) return found
  throw new ApiError(code, `The parameter ${name} must be one of ${values.join(', ')}, not ${JSON.stringify(text)}.`)
}
