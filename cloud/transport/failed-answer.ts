/** From what the SDK core throws to a CloudError: classes differ between copies of it, so fields are looked at. */
import { z } from 'zod'
import { CloudError, type CloudErrorFields } from '../error.ts'

/** Codes that Node gives a connection that failed. */
const NETWORK = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'ERR_STREAM_PREMATURE_CLOSE'],
])

/** And OpenSSL, for one whose other end could not prove who it is: a proxy, or the clock of this node is wrong. */
const TLS = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|ERR_TLS_|ERR_SSL_|EPROTO)/

const text = z.string().optional().catch(undefined)
const THROWN = z.object({
  ...{ name: text, message: text, code: text, requestId: text },
  statusCode: z.number().optional().catch(undefined),
  /** Ms, from the header x-acs-retry-after. */
  retryAfter: z.number().nonnegative().optional().catch(undefined),
  /** The body of the answer. */
  data: z
    .object({
      Message: text,
      AccessDeniedDetail: z.object({ AuthAction: text }).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
})
type Thrown = z.infer<typeof THROWN>

/**
 * @param cause what the SDK's `callApi` has thrown
 * @param secrets must not be in the error; the gateway may quote the headers of a request whose signature is wrong
 */
export function toCloudError(action: string, cause: unknown, secrets: readonly string[]): CloudError {
  const thrown = THROWN.catch({}).parse(cause)
  const { name, code, message = String(cause) } = thrown
  const fail = (code: string, message: string, more: Partial<CloudErrorFields> = {}) =>
    new CloudError(redact(message, secrets), { action, code, ...more })
  if (thrown.statusCode !== undefined) {
    // A JSON body without a code is not the API's but a proxy's, perhaps. The SDK makes the text "undefined" of it.
    const known = code === undefined || code === 'undefined' ? 'BadAnswer' : code
    return fail(known, thrown.data?.Message ?? `HTTP status ${thrown.statusCode}`, answerFields(thrown))
  }
  if (name === 'RequestTimeoutError') return fail('Timeout', 'the connection was silent for too long')
  // The SDK glues the URL to the reason.
  if (code !== undefined && (NETWORK.has(code) || TLS.test(code)))
    return fail('Network', message.replace(/POST http.*$/s, ''), { cause })
  // The SDK has lost the HTTP status. The parser's message quotes the answer, which may quote the request.
  if (name === 'SyntaxError' || code?.startsWith('HPE_')) return fail('BadAnswer', 'it is not JSON over HTTP')
  return fail('Client', code === undefined ? message : `${code}: ${message}`, { cause })
}

function answerFields({ requestId, statusCode, retryAfter, data }: Thrown): Partial<CloudErrorFields> {
  const authAction = data?.AccessDeniedDetail?.AuthAction
  return {
    ...(statusCode === undefined ? {} : { httpStatus: statusCode }),
    ...(requestId === undefined || requestId === 'undefined' ? {} : { requestId }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(authAction === undefined ? {} : { authAction }),
  }
}

function redact(message: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => (secret === '' ? left : left.replaceAll(secret, '[secret]')), message)
}
