/** What the gateway answers, and how it reaches the caller. */
import type { ApiError } from '../cloud/error.ts'
import type { Answer, Json } from './action.ts'
import { AccessDenied } from './policy.ts'
import { Throttled } from './throttle.ts'

/** `silence`: nothing comes, the connection stays open. `reset`: it is reset. `page`: a proxy's page comes instead. */
export type Delivery =
  | { readonly kind: 'whole' }
  | { readonly kind: 'truncated' | 'silence' | 'reset' }
  | { readonly kind: 'page'; readonly status: number }

export interface ApiResponse {
  /** HTTP status; 0 when the call never got to the service. */
  readonly status: number
  readonly body: Readonly<Record<string, Json>>
  readonly headers: Readonly<Record<string, string>>
  readonly delivery: Delivery
}

/** A refusal, whoever made it. */
export interface Refusal {
  readonly code: string
  /** HTTP status. */
  readonly status: number
  readonly message: string
  /** Milliseconds of the region's clock. */
  readonly retryAfter?: number
  readonly accessDenied?: Answer
}

const WHOLE: Delivery = { kind: 'whole' }

export function success(answer: Answer, requestId: string): ApiResponse {
  return { status: 200, body: { RequestId: requestId, ...answer }, headers: {}, delivery: WHOLE }
}

/** Of a call that a fault kept from the service. */
export const UNPROCESSED: ApiResponse = { status: 0, body: {}, headers: {}, delivery: WHOLE }

export function refusalOf(error: ApiError): Refusal {
  return {
    code: error.code,
    status: error.status,
    message: error.message,
    ...(error instanceof Throttled ? { retryAfter: error.retryAfter } : {}),
    ...(error instanceof AccessDenied ? { accessDenied: error.detail } : {}),
  }
}

export function refused(refusal: Refusal, call: { readonly requestId: string; readonly host: string }): ApiResponse {
  const { code, status, message, retryAfter, accessDenied } = refusal
  const body = {
    RequestId: call.requestId,
    HostId: call.host,
    Code: code,
    Message: message,
    Recommend: `https://api.aliyun.com/troubleshoot?q=${code}`,
    ...(accessDenied === undefined ? {} : { AccessDeniedDetail: accessDenied }),
  }
  // The SDKs read milliseconds.
  const headers = retryAfter === undefined ? {} : { 'x-acs-retry-after': String(Math.ceil(retryAfter)) }
  return { status, body, headers, delivery: WHOLE }
}
