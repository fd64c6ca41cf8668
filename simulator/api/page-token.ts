/**
 * Tokens of pages as they leave the API: each is good for the listing it was given for, and for a time.
 *
 * How long the real ones live is not documented, and neither is the code for one that expired. Fifteen minutes, and the
 * code that Alibaba Cloud's products have in common for a wrong token, are guesses.
 */
import { createHash } from 'node:crypto'
import { ApiError } from '../cloud/error.ts'

/** ms */
const LIFE = 15 * 60_000

/** A caller may change the size of the pages on the way. */
const NOT_OF_THE_LISTING = new Set(['NextToken', 'MaxResults', 'MaxResult'])

type Query = ReadonlyMap<string, string>

export interface Listing {
  readonly action: string
  readonly query: Query
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Equal for calls that ask for pages of the same list. */
function fingerprint({ action, query }: Listing): string {
  const filter = [...query].filter(([name]) => !NOT_OF_THE_LISTING.has(name)).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([action, filter]))
    .digest('base64url')
    .slice(0, 16)
}

/** `token`: what the listing needs to go on. */
export function sealPageToken(token: string, listing: Listing): string {
  return Buffer.from(`${listing.now.toString(36)}.${fingerprint(listing)}.${token}`).toString('base64url')
}

/** The query with the token that was sealed, if it has one. @throws ApiError InvalidParameter.NextToken */
export function openPageToken(listing: Listing): Query {
  const sealed = listing.query.get('NextToken') ?? ''
  if (sealed === '') return listing.query
  const text = Buffer.from(sealed, 'base64url').toString()
  const [, time = '', filter, token = ''] = /^([0-9a-z]{1,11})\.([\w-]{16})\.(.+)$/.exec(text) ?? []
  if (time === '') throw refused('is not one of ours')
  if (filter !== fingerprint(listing)) throw refused('belongs to a listing with other parameters')
  if (Number.parseInt(time, 36) + LIFE <= listing.now) throw refused('has expired')
  return new Map([...listing.query, ['NextToken', token]])
}

function refused(why: string): ApiError {
  return new ApiError('InvalidParameter.NextToken', `The specified parameter NextToken is not valid: it ${why}.`)
}
