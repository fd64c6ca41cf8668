/** Frames of HTTP/2 (RFC 9113, sections 4 and 6). */
import { ErrorCode, Http2Error } from './http2-error.ts'

export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const

export const FLAG_ACK = 0x1
export const FLAG_END_STREAM = 0x1
export const FLAG_END_HEADERS = 0x4
const FLAG_PADDED = 0x8
const FLAG_PRIORITY = 0x20

/** Section 6.5.2: what either side may send before the other has asked for something else. */
export const INITIAL_MAX_FRAME_SIZE = 16_384

const HEADER_BYTES = 9
/** Stream dependency and weight in front of a header block, section 6.2. */
const PRIORITY_BYTES = 5
/** The highest bit of stream ids and window sizes is reserved. */
const RESERVED_BIT = 0x7fff_ffff

export interface Frame {
  /** One of `FrameType`, or one that is not in the RFC. */
  readonly type: number
  readonly flags: number
  /** 0 is the connection. */
  readonly stream: number
  readonly payload: Buffer
}

export function encodeFrame({ type, flags, stream, payload }: Frame): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes[3] = type
  bytes[4] = flags
  bytes.writeUInt32BE(stream, 5)
  payload.copy(bytes, HEADER_BYTES)
  return bytes
}

/** Payload of RST_STREAM, WINDOW_UPDATE and the like. */
export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i)
  return bytes
}

/** The number at the offset without its reserved bit. */
export function uint31(payload: Buffer, offset: number): number {
  return payload.readUInt32BE(offset) & RESERVED_BIT
}

/** Finds the frames in a stream of bytes, however it is cut. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0)

  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
  }

  /**
   * The next frame; undefined until all of it is here.
   * @throws Http2Error when it is longer than this side allows
   */
  next(): Frame | undefined {
    const rest = this.#rest
    if (rest.length < HEADER_BYTES) return undefined
    const length = rest.readUIntBE(0, 3)
    if (length > INITIAL_MAX_FRAME_SIZE) {
      throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `a frame of ${length} bytes, over ${INITIAL_MAX_FRAME_SIZE}`)
    }
    const end = HEADER_BYTES + length
    if (rest.length < end) return undefined
    this.#rest = rest.subarray(end)
    return {
      type: rest.readUInt8(3),
      flags: rest.readUInt8(4),
      stream: uint31(rest, 5),
      payload: rest.subarray(HEADER_BYTES, end),
    }
  }
}

/**
 * What DATA and HEADERS carry, without padding and priority.
 * @throws Http2Error when they leave no room for it
 */
export function contentOf({ type, flags, payload }: Frame): Buffer {
  const padded = (flags & FLAG_PADDED) !== 0
  const prioritized = type === FrameType.HEADERS && (flags & FLAG_PRIORITY) !== 0
  const start = (padded ? 1 : 0) + (prioritized ? PRIORITY_BYTES : 0)
  const end = payload.length - (padded ? (payload[0] ?? 0) : 0)
  if (start > payload.length) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `a frame of ${payload.length} bytes`)
  if (start > end) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'more padding than payload')
  return payload.subarray(start, end)
}
