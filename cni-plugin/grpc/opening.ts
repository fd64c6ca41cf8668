/** What a connection begins with: the preface, the settings of this side and the head of its one request. */
import { encodeFrame, FLAG_END_HEADERS, FrameType, uint32 } from './frame.ts'
import { encodeFields, type Field } from './hpack.ts'
import { INITIAL_WINDOW_SIZE, WINDOW_MAX } from './request-body.ts'

export interface UnaryRequest {
  /** `/package.Service/Method` */
  readonly path: string
  readonly userAgent: string
  /** How long the server may work on it, ms. */
  readonly timeoutMs: number
  readonly message: Uint8Array
}

/** The first stream that a client may open. */
export const STREAM = 1
/** Bytes of header fields that are taken from the server: far more than a status and its message need. */
export const HEADER_LIST_MAX = 65_536

/** RFC 9113, section 3.4. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
/**
 * Section 6.5.2, identifier and value. With the largest window there is, which the connection gets as well, the server
 * never waits for leave to go on with its reply, and may close right behind it. It holds the largest message even with
 * 256 bytes of padding to each of its bytes; what is kept of a reply is bounded by MESSAGE_MAX.
 */
const SETTINGS: readonly (readonly [id: number, value: number])[] = [
  [2, 0], // SETTINGS_ENABLE_PUSH
  [4, WINDOW_MAX], // SETTINGS_INITIAL_WINDOW_SIZE
  [6, HEADER_LIST_MAX], // SETTINGS_MAX_HEADER_LIST_SIZE
]
/** gRPC: a timeout has at most eight digits. */
const TIMEOUT_MAX = 99_999_999

/** `grpc-timeout`; rounded up, so that the client is the first to give up. */
function timeoutOf(milliseconds: number): string {
  if (milliseconds <= TIMEOUT_MAX) return `${Math.ceil(milliseconds)}m`
  return `${Math.min(Math.ceil(milliseconds / 1000), TIMEOUT_MAX)}S`
}

/** In the order that PROTOCOL-HTTP2.md of gRPC asks for. `localhost` is what its clients name a unix socket. */
function fieldsOf({ path, userAgent, timeoutMs }: UnaryRequest): Field[] {
  return [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['grpc-timeout', timeoutOf(timeoutMs)],
    ['te', 'trailers'],
    ['content-type', 'application/grpc'],
    ['user-agent', userAgent],
  ]
}

export function openingOf(request: UnaryRequest): Buffer[] {
  const settings = Buffer.concat(SETTINGS.flatMap(([id, value]) => [Buffer.of(0, id), uint32(value)]))
  const window = uint32(WINDOW_MAX - INITIAL_WINDOW_SIZE)
  const fields = encodeFields(fieldsOf(request))
  return [
    Buffer.from(PREFACE),
    encodeFrame({ type: FrameType.SETTINGS, flags: 0, stream: 0, payload: settings }),
    encodeFrame({ type: FrameType.WINDOW_UPDATE, flags: 0, stream: 0, payload: window }),
    encodeFrame({ type: FrameType.HEADERS, flags: FLAG_END_HEADERS, stream: STREAM, payload: fields }),
  ]
}
