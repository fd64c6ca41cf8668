/**
 * One unary call of gRPC on a connection of its own, as a machine that is given the bytes of the server and says which
 * to send (RFC 9113; gRPC, PROTOCOL-HTTP2.md). Written by hand because a runtime starts the plugin for every pod:
 * loading Node's own HTTP/2 takes longer than the whole call.
 */
import {
  contentOf,
  encodeFrame,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  type Frame,
  FrameReader,
  FrameType,
  uint31,
  uint32,
} from './frame.ts'
import { checkFrame } from './frame-rules.ts'
import { HeaderDecoder } from './hpack.ts'
import { ErrorCode, Http2Error, nameOfError } from './http2-error.ts'
import { encodeMessage } from './message.ts'
import { HEADER_LIST_MAX, openingOf, STREAM, type UnaryRequest } from './opening.ts'
import { RequestBody } from './request-body.ts'
import { Response } from './response.ts'
import { Status, StatusError, statusOfReset } from './status.ts'

export type Ending =
  | { readonly kind: 'reply'; readonly message: Buffer }
  | { readonly kind: 'failure'; readonly error: StatusError }

/** RFC 9113, section 6.5.2. */
const SETTINGS_ENABLE_PUSH = 2
const SETTINGS_INITIAL_WINDOW_SIZE = 4
const SETTINGS_MAX_FRAME_SIZE = 5
/** Two bytes of identifier and four of value. */
const SETTING_BYTES = 6
/** Frames of one header block; the largest that is taken fills four, and they may be empty without end. */
const FRAGMENTS_MAX = 64

interface HeaderBlock {
  readonly endOfStream: boolean
  readonly fragments: Buffer[]
  /** Bytes of all fragments. */
  size: number
}

function protocolError(text: string): never {
  throw new Http2Error(ErrorCode.PROTOCOL_ERROR, text)
}

export class UnaryCall {
  readonly #reader = new FrameReader()
  readonly #decoder = new HeaderDecoder()
  readonly #response = new Response()
  readonly #request: UnaryRequest
  readonly #body: RequestBody
  /** Waits to be sent. */
  #out: Buffer[] = []
  /** The server has sent its settings, the beginning of everything. */
  #settled = false
  /** A header block of which more is to come. */
  #block: HeaderBlock | undefined
  /** The server will send nothing more on the stream; `reset` closes it for this side too. */
  #closed: 'no' | 'by-end' | 'by-reset' = 'no'
  #goaway = ''
  #ending: Ending | undefined

  constructor(request: UnaryRequest) {
    this.#request = request
    this.#body = new RequestBody(STREAM, encodeMessage(request.message))
  }

  /** Set once, and then nothing is to be received any more. */
  get ending(): Ending | undefined {
    return this.#ending
  }

  /** The first bytes to send: everything, when the windows allow it. */
  open(): Buffer {
    return Buffer.concat([...openingOf(this.#request), ...this.#body.take()])
  }

  /** Returns what must be sent in answer; often nothing. */
  receive(bytes: Buffer): Buffer {
    try {
      this.#reader.push(bytes)
      while (this.#ending === undefined) {
        const frame = this.#reader.next()
        if (frame === undefined) break
        this.#handle(frame)
      }
      if (this.#ending === undefined) this.#out.push(...this.#body.take())
    } catch (error) {
      this.#fail(error)
    }
    const out = Buffer.concat(this.#out)
    this.#out = []
    return out
  }

  /** The connection is gone. @param why the system's word; undefined when the server has closed it */
  disconnected(why = 'the connection was closed before the answer'): void {
    const text = this.#goaway === '' ? why : `${why}, after ${this.#goaway}`
    this.#ending ??= { kind: 'failure', error: new StatusError(Status.unavailable, text) }
  }

  /** Gives up: returns what tells the server to. */
  cancel(): Buffer {
    this.#ending ??= { kind: 'failure', error: new StatusError(Status.deadlineExceeded, 'no answer in time') }
    return this.#reset(ErrorCode.CANCEL)
  }

  #fail(error: unknown): void {
    if (error instanceof StatusError) {
      this.#ending = { kind: 'failure', error }
      if (this.#isOpen()) this.#out.push(this.#reset(ErrorCode.CANCEL))
      return
    }
    if (!(error instanceof Http2Error)) throw error
    const what = this.#settled ? 'the server breaks HTTP/2' : 'what answers is no HTTP/2 server'
    const text = `${what}: ${error.message}`
    this.#ending = { kind: 'failure', error: new StatusError(Status.internal, text, { cause: error }) }
    if (error.scope === 'connection') this.#send(FrameType.GOAWAY, uint32(0, error.code))
    else if (this.#isOpen()) this.#out.push(this.#reset(error.code))
  }

  #isOpen(): boolean {
    return this.#closed === 'no' || (this.#closed === 'by-end' && !this.#body.sent)
  }

  #reset(code: ErrorCode): Buffer {
    return encodeFrame({ type: FrameType.RST_STREAM, flags: 0, stream: STREAM, payload: uint32(code) })
  }

  #send(type: number, payload: Buffer, { flags = 0, stream = 0 } = {}): void {
    this.#out.push(encodeFrame({ type, flags, stream, payload }))
  }

  #check(frame: Frame): void {
    const { type, flags } = frame
    if (!this.#settled && (type !== FrameType.SETTINGS || (flags & FLAG_ACK) !== 0)) {
      protocolError('the first frame is not SETTINGS')
    }
    if (this.#block !== undefined && type !== FrameType.CONTINUATION) {
      protocolError(`a frame of type ${type} inside a header block`)
    }
    checkFrame(frame)
  }

  #handle(frame: Frame): void {
    this.#check(frame)
    switch (frame.type) {
      case FrameType.DATA:
        this.#onData(frame)
        break
      case FrameType.HEADERS:
        this.#block = { endOfStream: (frame.flags & FLAG_END_STREAM) !== 0, fragments: [], size: 0 }
        this.#onFragment(contentOf(frame), frame.flags)
        break
      case FrameType.CONTINUATION:
        this.#onFragment(frame.payload, frame.flags)
        break
      case FrameType.RST_STREAM:
        this.#closed = 'by-reset'
        throw statusOfReset(frame.payload.readUInt32BE())
      case FrameType.SETTINGS:
        this.#onSettings(frame)
        break
      case FrameType.PUSH_PROMISE:
        protocolError('a push, which was refused')
        break
      case FrameType.PING:
        if ((frame.flags & FLAG_ACK) === 0) this.#send(FrameType.PING, frame.payload, { flags: FLAG_ACK })
        break
      case FrameType.GOAWAY:
        this.#onGoaway(frame.payload)
        break
      case FrameType.WINDOW_UPDATE:
        this.#body.enlarge(frame.stream, uint31(frame.payload, 0))
        break
      default: // PRIORITY, and extensions that have not been agreed on (section 5.5)
    }
  }

  #onData(frame: Frame): void {
    const piece = contentOf(frame)
    const endOfStream = (frame.flags & FLAG_END_STREAM) !== 0
    if (endOfStream) this.#closed = 'by-end'
    this.#finish(this.#response.data(piece, endOfStream))
  }

  #onFragment(fragment: Buffer, flags: number): void {
    const block = this.#block ?? protocolError('CONTINUATION of nothing')
    block.fragments.push(fragment)
    block.size += fragment.length
    if (block.size > HEADER_LIST_MAX) {
      throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, `a header block of more than ${HEADER_LIST_MAX} bytes`)
    }
    if (block.fragments.length > FRAGMENTS_MAX) {
      throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, `a header block of more than ${FRAGMENTS_MAX} frames`)
    }
    if ((flags & FLAG_END_HEADERS) === 0) return
    this.#block = undefined
    const fields = this.#decoder.decode(Buffer.concat(block.fragments), HEADER_LIST_MAX)
    if (block.endOfStream) this.#closed = 'by-end'
    this.#finish(this.#response.headers(fields, block.endOfStream))
  }

  #finish(message: Buffer | undefined): void {
    if (message === undefined) return
    this.#ending = { kind: 'reply', message }
    if (this.#isOpen()) this.#out.push(this.#reset(ErrorCode.CANCEL)) // answered before it had read all of the request
  }

  #onSettings({ flags, payload }: Frame): void {
    const acknowledged = (flags & FLAG_ACK) !== 0
    if (payload.length % SETTING_BYTES !== 0 || (acknowledged && payload.length > 0)) {
      throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `SETTINGS of ${payload.length} bytes`)
    }
    if (acknowledged) return
    this.#settled = true
    for (let at = 0; at < payload.length; at += SETTING_BYTES) {
      this.#onSetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2))
    }
    this.#send(FrameType.SETTINGS, Buffer.alloc(0), { flags: FLAG_ACK })
  }

  /** The others limit what this side does not do: more streams, a table of header fields. */
  #onSetting(id: number, value: number): void {
    if (id === SETTINGS_ENABLE_PUSH && value !== 0) protocolError(`SETTINGS_ENABLE_PUSH ${value} from a server`)
    if (id === SETTINGS_INITIAL_WINDOW_SIZE) this.#body.setInitialWindow(value)
    if (id === SETTINGS_MAX_FRAME_SIZE) this.#body.setMaxFrameSize(value)
  }

  /** The server finishes the streams up to the one it names, and no other. */
  #onGoaway(payload: Buffer): void {
    if (payload.length < 8) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `GOAWAY of ${payload.length} bytes`)
    const debug = payload.subarray(8).toString('latin1')
    this.#goaway = `GOAWAY ${nameOfError(payload.readUInt32BE(4))}${debug === '' ? '' : ` ${JSON.stringify(debug)}`}`
    if (uint31(payload, 0) >= STREAM) return
    this.#closed = 'by-reset'
    throw new StatusError(Status.unavailable, `the server takes no more calls: ${this.#goaway}`)
  }
}
