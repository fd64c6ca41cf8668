/** Listings that come in pages, as a whole and each item once. */
import { z } from 'zod'
import { ask, badAnswer, callOf } from './answer.ts'
import { isCloudError } from './error.ts'
import type { CallOptions, CloudCall, Service, Transport } from './transport.ts'

type Query = CloudCall['query']

export interface TokenPage<T> {
  readonly items: readonly T[]
  /** Empty or absent on the last page. */
  readonly nextToken: string | undefined
}

/** A list that is paged by NextToken. */
export interface TokenListing<T> {
  readonly service: Service
  readonly action: string
  /** The largest page that the API allows, under the name that the action has for it. */
  readonly pageSize: Query
  readonly page: z.ZodType<TokenPage<T>>
  readonly idOf: (item: T) => string
}

/** `{"Xs": {"X": […]}, "NextToken": ""}`. A page without its wrapper is no empty list but a wrong answer. */
export function tokenPage<T>(wrapper: string, name: string, item: z.ZodType<T>): z.ZodType<TokenPage<T>> {
  const list = z.object({ [wrapper]: z.object({ [name]: z.array(item).optional() }) })
  const token = z.object({ NextToken: z.string().nullish() })
  return list
    .and(token)
    .transform((page) => ({ items: page[wrapper]?.[name] ?? [], nextToken: page.NextToken ?? undefined }))
}

/** A listing whose token expires again and again is too slow to ever end. */
const MAX_RESTARTS = 3

/**
 * All pages. What changes between two pages may be named twice: the later answer counts. A token that has expired
 * starts the listing anew, since a page in the middle cannot be asked for any other way.
 * @throws CloudError, or the signal's reason
 */
export async function listByToken<T>(
  transport: Transport,
  listing: TokenListing<T>,
  query: Query,
  options: CallOptions | undefined,
): Promise<T[]> {
  for (let restarts = 0; ; restarts++) {
    const found = new Map<string, T>()
    try {
      for await (const item of itemsOf(transport, listing, query, options)) found.set(listing.idOf(item), item)
      return [...found.values()]
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error
      if (restarts === MAX_RESTARTS) throw error.cause
    }
  }
}

/** The API does not take the token of a page any more. */
class TokenRefused extends Error {
  override readonly name = 'TokenRefused'
}

async function* itemsOf<T>(
  transport: Transport,
  { service, action, pageSize, page }: TokenListing<T>,
  query: Query,
  options: CallOptions | undefined,
): AsyncGenerator<T> {
  const first = { ...query, ...pageSize }
  let { items, nextToken } = await ask(transport, callOf(service, action, first), page, options)
  yield* items
  while (nextToken) {
    const token = nextToken
    const next = callOf(service, action, { ...first, NextToken: token })
    const answer = await ask(transport, next, page, options).catch((cause: unknown) => {
      throw refusesToken(cause) ? new TokenRefused(`${action} refuses its own token`, { cause }) : cause
    })
    if (answer.nextToken === token) throw badAnswer(action, 'a page names itself as the next one')
    yield* answer.items
    nextToken = answer.nextToken
  }
}

/** The same parameters gave a first page, so what is wrong with a later request can only be its token. */
function refusesToken(error: unknown): boolean {
  return isCloudError(error, 'permanent', 'not-found') && /^Invalid|Token/.test(error.code)
}

export interface NumberedPage<T> {
  readonly items: readonly T[]
  readonly total: number
}

/** A list whose pages are numbered from 1: the older way, of the VPC actions. */
export interface NumberedListing<T> {
  readonly service: Service
  readonly action: string
  readonly page: z.ZodType<NumberedPage<T>>
  readonly idOf: (item: T) => string
}

/** `{"Xs": {"X": […]}, "TotalCount": 1}` */
export function numberedPage<T>(wrapper: string, name: string, item: z.ZodType<T>): z.ZodType<NumberedPage<T>> {
  const list = z.object({ [wrapper]: z.object({ [name]: z.array(item).optional() }) })
  const count = z.object({ TotalCount: z.int() })
  return list.and(count).transform((page) => ({ items: page[wrapper]?.[name] ?? [], total: page.TotalCount }))
}

/** Largest page of these actions: PageSize in the VPC API reference. */
const NUMBERED_PAGE = 50

/** All pages, each item once. @throws CloudError, or the signal's reason */
export async function listByNumber<T>(
  transport: Transport,
  { service, action, page, idOf }: NumberedListing<T>,
  query: Query,
  options: CallOptions | undefined,
): Promise<T[]> {
  const found = new Map<string, T>()
  for (let PageNumber = 1; ; PageNumber++) {
    const call = callOf(service, action, { ...query, PageNumber, PageSize: NUMBERED_PAGE })
    const { items, total } = await ask(transport, call, page, options)
    for (const item of items) found.set(idOf(item), item)
    if (items.length === 0 || PageNumber * NUMBERED_PAGE >= total) return [...found.values()]
  }
}
