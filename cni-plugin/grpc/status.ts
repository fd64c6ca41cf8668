/** Status codes of gRPC, and what the codes of the layers below mean in them. */
import { ErrorCode, nameOfError } from './http2-error.ts'

/** google/rpc/code.proto; the ones that this client makes itself or tells apart. */
export const Status = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** The call has ended otherwise than with a reply. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  /** As the server gave it, or one of `Status`. */
  readonly code: number

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A response without `grpc-status` (gRPC, http-grpc-status-mapping.md). */
export function statusOfHttp(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return Status.internal
    case 401:
      return Status.unauthenticated
    case 403:
      return Status.permissionDenied
    case 404:
      return Status.unimplemented
    case 429:
    case 502:
    case 503:
    case 504:
      return Status.unavailable
    default:
      return Status.unknown
  }
}

/** RST_STREAM of the server (gRPC, PROTOCOL-HTTP2.md, "Errors"). */
export function statusOfReset(code: number): StatusError {
  const text = `the server reset the stream: ${nameOfError(code)}`
  switch (code) {
    case ErrorCode.REFUSED_STREAM:
      return new StatusError(Status.unavailable, text)
    case ErrorCode.CANCEL:
      return new StatusError(Status.cancelled, text)
    case ErrorCode.ENHANCE_YOUR_CALM:
      return new StatusError(Status.resourceExhausted, text)
    case ErrorCode.INADEQUATE_SECURITY:
      return new StatusError(Status.permissionDenied, text)
    default:
      return new StatusError(Status.internal, text)
  }
}
