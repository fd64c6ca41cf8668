/** Pages of a list: by token, or by number as older callers do. */
import { ApiError } from '../cloud/error.ts'
import type { Parameters } from './parameters.ts'

/** What `pageByNumber` reads. */
export const PAGE_PARAMETERS = ['PageNumber', 'PageSize']

export interface Limits {
  readonly min: number
  readonly max: number
  readonly default: number
  /** Where the size is not in `MaxResults`. */
  readonly parameter?: 'MaxResult'
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Empty on the last page. */
  readonly nextToken: string
}

/**
 * `items` are sorted by id. A token names the last item of its page, so that a list that changes meanwhile neither
 * repeats nor skips what was there all the time.
 */
export function pageByToken<T extends { readonly id: string }>(
  items: readonly T[],
  parameters: Parameters,
  limits: Limits,
): Page<T> {
  const size = parameters.integer(limits.parameter ?? 'MaxResults', limits) ?? limits.default
  const token = parameters.optional('NextToken') ?? ''
  const after = token === '' ? '' : decodeToken(token)
  const rest = items.filter((item) => item.id > after)
  const page = rest.slice(0, size)
  const last = page.at(-1)
  return { items: page, nextToken: last !== undefined && rest.length > size ? encodeToken(last.id) : '' }
}

export interface NumberedPage<T> {
  readonly items: readonly T[]
  readonly number: number
  readonly size: number
}

export function pageByNumber<T>(items: readonly T[], parameters: Parameters, limits: Limits): NumberedPage<T> {
  const number = parameters.integer('PageNumber', { min: 1, max: 1_000_000 }) ?? 1
  const size = parameters.integer('PageSize', limits) ?? limits.default
  return { items: items.slice((number - 1) * size, number * size), number, size }
}

const MARK = 'after:'

function encodeToken(id: string): string {
  return Buffer.from(`${MARK}${id}`).toString('base64url')
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString()
  if (text.startsWith(MARK)) return text.slice(MARK.length)
  throw new ApiError('InvalidParameter', `NextToken ${JSON.stringify(token)} is not one of ours.`)
}
