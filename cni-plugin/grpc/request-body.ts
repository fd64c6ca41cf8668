/** The body of the request, sent as fast as the windows of the server allow (RFC 9113, sections 5.2 and 6.9). */
import { encodeFrame, FLAG_END_STREAM, FrameType, INITIAL_MAX_FRAME_SIZE } from './frame.ts'
import { ErrorCode, Http2Error } from './http2-error.ts'

/** Section 6.9.2: both windows while the server has said nothing. */
export const INITIAL_WINDOW_SIZE = 65_535
/** Section 6.9.1. */
export const WINDOW_MAX = 0x7fff_ffff
/** Section 4.2. */
const MAX_FRAME_SIZE_MAX = 0xff_ffff

export class RequestBody {
  readonly #stream: number
  #rest: Buffer
  #connectionWindow = INITIAL_WINDOW_SIZE
  /** Negative after the server has made its initial size smaller than what was sent already. */
  #streamWindow = INITIAL_WINDOW_SIZE
  #initialWindow = INITIAL_WINDOW_SIZE
  #maxFrameSize = INITIAL_MAX_FRAME_SIZE

  /** @param bytes at least one: the last of them ends the stream */
  constructor(stream: number, bytes: Buffer) {
    this.#stream = stream
    this.#rest = bytes
  }

  get sent(): boolean {
    return this.#rest.length === 0
  }

  /** The frames that may be sent now; none when a window is used up or everything is sent. */
  take(): Buffer[] {
    const frames: Buffer[] = []
    for (;;) {
      const size = Math.min(this.#rest.length, this.#connectionWindow, this.#streamWindow, this.#maxFrameSize)
      if (size <= 0) return frames
      const payload = this.#rest.subarray(0, size)
      this.#rest = this.#rest.subarray(size)
      this.#connectionWindow -= size
      this.#streamWindow -= size
      const flags = this.sent ? FLAG_END_STREAM : 0
      frames.push(encodeFrame({ type: FrameType.DATA, flags, stream: this.#stream, payload }))
    }
  }

  /** WINDOW_UPDATE for the stream, or for the connection when it is 0. @throws Http2Error */
  enlarge(stream: number, increment: number): void {
    const scope = stream === 0 ? 'connection' : 'stream'
    if (increment === 0) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE by nothing', scope)
    const window = (stream === 0 ? this.#connectionWindow : this.#streamWindow) + increment
    if (window > WINDOW_MAX) throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, `a window of ${window} bytes`, scope)
    if (stream === 0) this.#connectionWindow = window
    else this.#streamWindow = window
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE, which counts for the stream that is open as well. @throws Http2Error */
  setInitialWindow(size: number): void {
    const window = this.#streamWindow + size - this.#initialWindow
    if (Math.max(size, window) > WINDOW_MAX) {
      throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, `an initial window of ${size} bytes`)
    }
    this.#streamWindow = window
    this.#initialWindow = size
  }

  /** SETTINGS_MAX_FRAME_SIZE. @throws Http2Error */
  setMaxFrameSize(size: number): void {
    if (size < INITIAL_MAX_FRAME_SIZE || size > MAX_FRAME_SIZE_MAX) {
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `frames of at most ${size} bytes`)
    }
    this.#maxFrameSize = size
  }
}
