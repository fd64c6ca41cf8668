/** Frames as a server makes them, written from the RFCs without the client's own code: a second opinion. */

export const DATA = 0
export const HEADERS = 1
export const PRIORITY = 2
export const RST_STREAM = 3
export const SETTINGS = 4
export const PUSH_PROMISE = 5
export const PING = 6
export const GOAWAY = 7
export const WINDOW_UPDATE = 8
export const CONTINUATION = 9

export const END_STREAM = 0x1
export const ACK = 0x1
export const END_HEADERS = 0x4
export const PADDED = 0x8
export const PRIORITIZED = 0x20

export const u32 = (...values: number[]): Buffer => Buffer.from(new Uint32Array(values).buffer).swap32()

export function frame(type: number, flags: number, stream: number, ...payload: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(payload)
  return Buffer.concat([
    Buffer.of(body.length >> 16, (body.length >> 8) & 255, body.length & 255),
    Buffer.of(type, flags),
    u32(stream),
    body,
  ])
}

export const settings = (...pairs: readonly (readonly [id: number, value: number])[]): Buffer =>
  frame(SETTINGS, 0, 0, ...pairs.map(([id, value]) => Buffer.concat([Buffer.of(0, id), u32(value)])))

/** A header block of literals; lengths below 127. */
export const block = (fields: Readonly<Record<string, string>>): Buffer =>
  Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [
      Buffer.of(0),
      ...[name, value].map((text) => Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)])),
    ]),
  )

export const head = (fields: Readonly<Record<string, string>> = {}): Buffer =>
  frame(HEADERS, END_HEADERS, 1, block({ ':status': '200', 'content-type': 'application/grpc', ...fields }))

export const trailers = (fields: Readonly<Record<string, string>> = { 'grpc-status': '0' }): Buffer =>
  frame(HEADERS, END_HEADERS | END_STREAM, 1, block(fields))

/** A message with the prefix of gRPC. */
export const message = (content: string | Uint8Array, flag = 0): Buffer => {
  const bytes = Buffer.from(content)
  return Buffer.concat([Buffer.of(flag), u32(bytes.length), bytes])
}

export const data = (...content: readonly Uint8Array[]): Buffer => frame(DATA, 0, 1, ...content)

export interface SentFrame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** The frames in bytes that hold whole frames. */
export function framesIn(bytes: Buffer): SentFrame[] {
  const frames: SentFrame[] = []
  for (let rest = bytes; rest.length > 0; ) {
    const end = 9 + rest.readUIntBE(0, 3)
    if (rest.length < end) throw new Error(`half a frame: ${rest.toString('hex')}`)
    const payload = rest.subarray(9, end)
    frames.push({ type: rest.readUInt8(3), flags: rest.readUInt8(4), stream: rest.readUInt32BE(5), payload })
    rest = rest.subarray(end)
  }
  return frames
}
