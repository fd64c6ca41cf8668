/**
 * One call to the ECS or VPC API through the official SDK core: signing and the wire are the SDK's, deadline and retry
 * are ours (its timers are unreliable on reused sockets and it never retries by itself).
 */
import openapi from '@alicloud/openapi-core'
import { RuntimeOptions } from '@darabonba/typescript'
import { CloudError, isCloudError } from './error.ts'

/** The CommonJS default export arrives as a property of the namespace, or as itself in a bundle. */
const { $OpenApiUtil, OpenApiUtil } = openapi
const OpenApiClient = openapi.default

/** ECS and VPC API versions, sent as the header x-acs-version. */
const VERSIONS = { ecs: '2014-05-26', vpc: '2016-04-28' } as const
export type Service = keyof typeof VERSIONS

export interface Credential {
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string
}

export interface TransportOptions {
  /** `host` or `host:port`, no scheme. */
  readonly endpoints: Readonly<Record<Service, string>>
  readonly scheme: 'http' | 'https'
  readonly regionId: string
  /** Asked before each call, so that a rotated token is used at once. */
  readonly credential: () => Promise<Credential>
  /** One attempt may take this long, ms. */
  readonly attemptTimeout?: number
  /** All attempts together, ms. */
  readonly callTimeout?: number
  readonly onCall?: (call: FinishedCall) => void
}

export interface FinishedCall {
  readonly action: string
  /** `OK` or the error's code. */
  readonly code: string
  readonly milliseconds: number
  readonly attempt: number
}

export interface CloudCall {
  readonly service: Service
  readonly action: string
  /** Nested objects and arrays are flattened by the SDK (`Tag.1.Key`). RegionId is added. */
  readonly query: Readonly<Record<string, unknown>>
}

/** Defaults as Terway's Go client has them: 20 s for an attempt; three of those for a call. */
const ATTEMPT_TIMEOUT = 20_000
const CALL_TIMEOUT = 60_000
/** Full-jitter back-off: a random wait up to BASE × 2^attempt, at most CEILING, ms. */
const BACKOFF_BASE = 200
const BACKOFF_CEILING = 5_000

/** @returns the JSON body as sent. @throws CloudError when the call failed for good or its time ran out. */
export type Transport = (call: CloudCall, signal?: AbortSignal) => Promise<unknown>

export function createTransport(options: TransportOptions): Transport {
  const attemptTimeout = options.attemptTimeout ?? ATTEMPT_TIMEOUT
  const client = (service: Service) =>
    new OpenApiClient(
      new $OpenApiUtil.Config({
        endpoint: options.endpoints[service],
        protocol: options.scheme,
        regionId: options.regionId,
        // The SDK's connectTimeout is an idle timeout of the socket: both must be set.
        readTimeout: attemptTimeout,
        connectTimeout: attemptTimeout,
        userAgent: 'Terway',
        credential: { getCredential: async () => ({ ...(await options.credential()), type: 'sts' }) } as never,
      }),
    )
  const clients = { ecs: client('ecs'), vpc: client('vpc') }

  const attempt = async (call: CloudCall, number: number, timeout: number): Promise<unknown> => {
    const params = new $OpenApiUtil.Params({
      action: call.action,
      version: VERSIONS[call.service],
      protocol: options.scheme.toUpperCase(),
      pathname: '/',
      method: 'POST',
      authType: 'AK',
      style: 'RPC',
      reqBodyType: 'formData',
      bodyType: 'json',
    })
    const query = OpenApiUtil.query({ RegionId: options.regionId, ...call.query })
    const started = performance.now()
    const done = (code: string) =>
      options.onCall?.({ action: call.action, code, milliseconds: performance.now() - started, attempt: number })
    try {
      const request = new $OpenApiUtil.OpenApiRequest({ query })
      const answer = await withDeadline(clients[call.service].callApi(params, request, new RuntimeOptions({})), timeout)
      done('OK')
      return answer.body
    } catch (cause) {
      const error = toCloudError(call.action, cause)
      done(error.code)
      throw error
    }
  }

  return async (call, signal) => {
    const deadline = performance.now() + (options.callTimeout ?? CALL_TIMEOUT)
    for (let number = 1; ; number++) {
      signal?.throwIfAborted()
      const left = deadline - performance.now()
      try {
        return await attempt(call, number, Math.min(attemptTimeout, left))
      } catch (error) {
        const wait = Math.random() * Math.min(BACKOFF_CEILING, BACKOFF_BASE * 2 ** number)
        if (!isCloudError(error, 'throttled', 'transient') || performance.now() + wait >= deadline) throw error
        await pause(wait, signal)
      }
    }
  }
}

/** The SDK cannot abort a call, so a call past its time is left to end by itself. */
async function withDeadline<T>(call: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(milliseconds)), milliseconds)
  })
  try {
    return await Promise.race([call, expired])
  } finally {
    clearTimeout(timer)
  }
}

class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
  constructor(milliseconds: number) {
    super(`no answer within ${Math.round(milliseconds)} ms`)
  }
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, milliseconds)
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/** Codes that Node gives a socket that failed; the SDK keeps them as `code`. */
const NETWORK = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/

function toCloudError(action: string, cause: unknown): CloudError {
  const { name = '', message = String(cause), code, requestId } = fieldsOf(cause)
  const fail = (name: string) => new CloudError(message, { action, code: name, cause })
  if (cause instanceof DeadlineError || name === 'RequestTimeoutError') return fail('Timeout')
  // An answer that is not JSON surfaces as a SyntaxError of the SDK, its HTTP status lost.
  if (code === undefined) return fail('BadAnswer')
  if (NETWORK.test(code)) return fail('Network')
  return new CloudError(message, { action, code, cause, ...(requestId === undefined ? {} : { requestId }) })
}

type ErrorFields = { readonly [name in 'name' | 'message' | 'code' | 'requestId']?: string }

/** The text fields of whatever was thrown; the SDK throws classes of its own and of Node. */
function fieldsOf(cause: unknown): ErrorFields {
  if (typeof cause !== 'object' || cause === null) return {}
  const names = ['name', 'message', 'code', 'requestId'] as const
  const found = names.map((name) => [name, Reflect.get(cause, name)] as const)
  return Object.fromEntries(found.filter(([, value]) => typeof value === 'string'))
}
