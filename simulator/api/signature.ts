/**
 * ACS3-HMAC-SHA256, the signature of every call ("V3 request structure and signature" of the Alibaba Cloud SDK docs).
 *
 * The client signs the strictly encoded query but may send it encoded more loosely, so the query is parsed and encoded
 * again here.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../cloud/error.ts'
import type { AccessKeyId } from '../region/ids.ts'
import type { NonceMemory } from './nonce-memory.ts'

export interface SignedRequest {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyMap<string, string>
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
}

export interface SigningKey {
  readonly id: AccessKeyId
  readonly secret: string
}

export interface Verifier<Key extends SigningKey> {
  readonly find: (id: AccessKeyId) => Key | undefined
  readonly nonces: NonceMemory
  /** Milliseconds since the epoch, of the wall clock: the client dates by its own. */
  readonly now: number
}

const ALGORITHM = 'ACS3-HMAC-SHA256'
/** How far the client's clock may be off, ms. */
export const CLOCK_TOLERANCE = 15 * 60_000

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')

/** RFC 3986: everything but letters, digits, `-`, `.`, `_` and `~` is escaped. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** Keys in the order of their code units. */
const byKey = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : a > b ? 1 : 0)

/** The text whose hash is signed. `signedHeaders` are sorted names in lower case. */
export function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const query = [...request.query].sort(byKey).map(([key, value]) => `${encode(key)}=${encode(value)}`)
  const headers = signedHeaders.map((name) => `${name}:${(request.headers.get(name) ?? '').trim()}\n`)
  return [
    request.method,
    request.path,
    query.join('&'),
    headers.join(''),
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n')
}

export function stringToSign(canonical: string): string {
  return `${ALGORITHM}\n${sha256(canonical)}`
}

export function sign(text: string, secret: string): string {
  return createHmac('sha256', secret).update(text).digest('hex')
}

interface Authorization {
  readonly keyId: AccessKeyId
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

/** @returns the key that signed the request. @throws ApiError with the code of the first thing that is wrong. */
export function verifySignature<Key extends SigningKey>(request: SignedRequest, verifier: Verifier<Key>): Key {
  const authorization = parseAuthorization(request.headers.get('authorization'))
  checkSignedHeaders(request, authorization)
  checkDate(request.headers.get('x-acs-date'), verifier.now)
  const key = verifier.find(authorization.keyId)
  if (key === undefined) {
    throw new ApiError('InvalidAccessKeyId.NotFound', `The access key ${authorization.keyId} does not exist.`)
  }
  const text = stringToSign(canonicalRequest(request, authorization.signedHeaders))
  if (!equal(sign(text, key.secret), authorization.signature)) {
    throw new ApiError(
      'SignatureDoesNotMatch',
      `The signature is not that of the request. server string to sign is:${text}`,
    )
  }
  if (request.headers.get('x-acs-content-sha256') !== sha256(request.body)) {
    throw new ApiError('SignatureDoesNotMatch', 'x-acs-content-sha256 is not the hash of the body.')
  }
  // Last, so that nobody without the secret can use up a nonce.
  const nonce = request.headers.get('x-acs-signature-nonce') ?? ''
  if (!verifier.nonces.use(`${key.id} ${nonce}`, verifier.now)) {
    throw new ApiError('SignatureNonceUsed', `The nonce ${nonce} was used before.`)
  }
  return key
}

function parseAuthorization(header: string | undefined): Authorization {
  const match = /^ACS3-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
    header ?? '',
  )
  if (match === null) {
    throw new ApiError('IncompleteSignature', `The Authorization header is missing or not of the form of ${ALGORITHM}.`)
  }
  const [, keyId = '', signedHeaders = '', signature = ''] = match
  return { keyId: keyId as AccessKeyId, signedHeaders: signedHeaders.split(';'), signature }
}

const MANDATORY = ['x-acs-action', 'x-acs-version', 'x-acs-date', 'x-acs-signature-nonce', 'x-acs-content-sha256']

/** The host, the content type and everything of the protocol must be signed. */
function checkSignedHeaders({ headers }: SignedRequest, { signedHeaders }: Authorization): void {
  const missing = MANDATORY.find((name) => !headers.has(name))
  if (missing !== undefined) throw new ApiError('IncompleteSignature', `The header ${missing} is missing.`)
  const sensitive = [...headers.keys()].filter(
    (name) => name === 'host' || name === 'content-type' || name.startsWith('x-acs-'),
  )
  const unsigned = sensitive.find((name) => !signedHeaders.includes(name))
  if (unsigned !== undefined) throw new ApiError('IncompleteSignature', `The header ${unsigned} is not signed.`)
}

function checkDate(text: string | undefined, now: number): void {
  const wellFormed = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text ?? '')
  const date = wellFormed ? Date.parse(text ?? '') : Number.NaN
  if (Math.abs(now - date) <= CLOCK_TOLERANCE) return
  const message = `x-acs-date is ${JSON.stringify(text)}, the server's time ${new Date(now).toISOString()}.`
  throw new ApiError('InvalidTimeStamp.Expired', message)
}

function equal(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
