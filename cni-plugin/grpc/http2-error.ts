/** Errors of HTTP/2, each of which ends the stream or the whole connection (RFC 9113, section 5.4). */

/** RFC 9113, section 7. */
export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode]

/** `CANCEL`, or the number of a code that is not in the RFC. */
export function nameOfError(code: number): string {
  return Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ?? `error ${code}`
}

/** What the server sent breaks the protocol. */
export class Http2Error extends Error {
  override readonly name = 'Http2Error'
  readonly code: ErrorCode
  /** Whether the rest of the connection is of use: a stream's error is answered with RST_STREAM, not with GOAWAY. */
  readonly scope: 'stream' | 'connection'

  constructor(code: ErrorCode, message: string, scope: 'stream' | 'connection' = 'connection') {
    super(`${nameOfError(code)}: ${message}`)
    this.code = code
    this.scope = scope
  }
}
