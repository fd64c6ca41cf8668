/** Listings that come in pages, as a whole and each item once. */
import { z } from 'zod'
import type { Action } from './actions.ts'
import { ask, badAnswer, callOf, read } from './answer.ts'
import { isCloudError } from './error.ts'
import type { CallOptions, CloudCall, Service, Transport } from './transport.ts'

type Query = CloudCall['query']

interface Listing<T> {
  readonly service: Service
  readonly action: Action
  readonly item: z.ZodType<T>
  readonly idOf: (item: T) => string
  /**
   * What stands for an item that is not understood. Without it such an item makes the whole answer a wrong one, which is
   * right for what is asked for by its id: left out, it would look as if it did not exist.
   */
  readonly instead?: (raw: unknown, problem: z.ZodError) => readonly T[]
}

/** For lists of everybody's items, so that an odd one of somebody else does not hide ours. */
export const LEFT_OUT = () => []

export interface TokenPage {
  readonly items: readonly unknown[]
  /** Empty or absent on the last page. */
  readonly nextToken: string | undefined
}

/** A list that is paged by NextToken. */
export interface TokenListing<T> extends Listing<T> {
  /** The largest page that the API allows, under the name that the action has for it. */
  readonly pageSize: Query
  readonly page: z.ZodType<TokenPage>
}

/** `{"Xs": {"X": […]}, "NextToken": ""}`. A page without its wrapper is no empty list but a wrong answer. */
export function tokenPage(wrapper: string, name: string): z.ZodType<TokenPage> {
  const token = z.object({ NextToken: z.string().nullish() })
  return wrapped(wrapper, name)
    .and(token)
    .transform((page) => ({ items: page[wrapper]?.[name] ?? [], nextToken: page.NextToken ?? undefined }))
}

function wrapped(wrapper: string, name: string) {
  return z.object({ [wrapper]: z.object({ [name]: z.array(z.unknown()).nullish() }) })
}

function understood<T>({ action, item, instead }: Listing<T>, raws: readonly unknown[]): T[] {
  if (instead === undefined) return raws.map((raw) => read(action, raw, item))
  return raws.flatMap((raw) => {
    const { data, error } = item.safeParse(raw)
    return error === undefined ? [data] : instead(raw, error)
  })
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
  listing: TokenListing<T>,
  query: Query,
  options: CallOptions | undefined,
): AsyncGenerator<T> {
  const { service, action, pageSize, page } = listing
  const first = { ...query, ...pageSize }
  let { items, nextToken } = await ask(transport, callOf(service, action, first), page, options)
  yield* understood(listing, items)
  while (nextToken) {
    const token = nextToken
    const next = callOf(service, action, { ...first, NextToken: token })
    const answer = await ask(transport, next, page, options).catch((cause: unknown) => {
      throw refusesToken(cause) ? new TokenRefused(`${action} refuses its own token`, { cause }) : cause
    })
    if (answer.nextToken === token) throw badAnswer(action, 'a page names itself as the next one')
    yield* understood(listing, answer.items)
    nextToken = answer.nextToken
  }
}

/** The same parameters gave a first page, so what is wrong with a later request can only be its token. */
function refusesToken(error: unknown): boolean {
  return isCloudError(error, 'permanent', 'not-found') && /^Invalid|Token/.test(error.code)
}

export interface NumberedPage {
  readonly items: readonly unknown[]
  readonly total: number
}

/** A list whose pages are numbered from 1: the older way, of the VPC actions. */
export interface NumberedListing<T> extends Listing<T> {
  readonly page: z.ZodType<NumberedPage>
}

/** `{"Xs": {"X": […]}, "TotalCount": 1}` */
export function numberedPage(wrapper: string, name: string): z.ZodType<NumberedPage> {
  const count = z.object({ TotalCount: z.int() })
  return wrapped(wrapper, name)
    .and(count)
    .transform((page) => ({ items: page[wrapper]?.[name] ?? [], total: page.TotalCount }))
}

/** Largest page of these actions: PageSize in the VPC API reference. */
const NUMBERED_PAGE = 50

/** All pages, each item once. @throws CloudError, or the signal's reason */
export async function listByNumber<T>(
  transport: Transport,
  listing: NumberedListing<T>,
  query: Query,
  options: CallOptions | undefined,
): Promise<T[]> {
  const { service, action, page } = listing
  const found = new Map<string, T>()
  for (let PageNumber = 1; ; PageNumber++) {
    const call = callOf(service, action, { ...query, PageNumber, PageSize: NUMBERED_PAGE })
    const { items, total } = await ask(transport, call, page, options)
    for (const item of understood(listing, items)) found.set(listing.idOf(item), item)
    if (items.length === 0 || PageNumber * NUMBERED_PAGE >= total) return [...found.values()]
  }
}
