/**
 * The messages of proto/cni.proto in protobuf's wire format, by hand: whatever the plugin loads is paid for by every
 * pod. What the daemon's generator makes of the same file is compared with this in the tests.
 */

export interface Invocation {
  readonly containerId: string
  readonly netns: string
  readonly ifname: string
  readonly args: string
  readonly config: Uint8Array
}

export interface OutcomeError {
  readonly code: number
  readonly msg: string
  readonly details: string
}

/** One of the two, or neither when the daemon set none that this release knows. */
export interface Outcome {
  readonly result?: Buffer
  readonly error?: OutcomeError
}

/** The bytes are no message of this type. */
export class MessageError extends Error {
  override readonly name = 'MessageError'
}

/** Protocol Buffers, "Encoding": the lower three bits of a tag. */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const START_GROUP = 3
const END_GROUP = 4
const FIXED32 = 5

const VARINT_BYTES_MAX = 10
/** A field number has 29 bits, its tag three more. */
const TAG_BYTES_MAX = 5

function encodeVarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.of(...bytes, rest)
}

/** A field with its default value is left out. */
function encodeField(field: number, value: string | Uint8Array): readonly Uint8Array[] {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return bytes.length === 0 ? [] : [encodeVarint(field * 8 + BYTES), encodeVarint(bytes.length), bytes]
}

export function encodeInvocation({ containerId, netns, ifname, args, config }: Invocation): Buffer {
  return Buffer.concat([
    ...encodeField(1, containerId),
    ...encodeField(2, netns),
    ...encodeField(3, ifname),
    ...encodeField(4, args),
    ...encodeField(5, config),
  ])
}

/** Reads a message field by field. Every method throws MessageError when the bytes end too early or make no sense. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get done(): boolean {
    return this.#at === this.#bytes.length
  }

  tag(): { readonly field: number; readonly type: number } {
    const start = this.#at
    const tag = this.uint32()
    const field = tag >>> 3
    if (field === 0 || this.#at - start > TAG_BYTES_MAX) throw new MessageError(`no tag of a field: ${tag}`)
    return { field, type: tag & 7 }
  }

  /** The lower 32 bits, which is what a number that is too large means for a field of this size. */
  uint32(): number {
    let value = 0
    for (let i = 0; i < VARINT_BYTES_MAX; i += 1) {
      const byte = this.#take(1).readUInt8()
      if (i < TAG_BYTES_MAX) value = (value | ((byte & 0x7f) << (7 * i))) >>> 0
      if (byte < 0x80) return value
    }
    throw new MessageError(`a number of more than ${VARINT_BYTES_MAX} bytes`)
  }

  bytes(): Buffer {
    return this.#take(this.uint32())
  }

  string(): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.bytes())
    } catch (cause) {
      if (cause instanceof MessageError) throw cause
      throw new MessageError('a text that is not UTF-8', { cause })
    }
  }

  /** Passes over the value of a field that is not known, groups of groups included. */
  skip(field: number, type: number): void {
    const groups: number[] = []
    let tag = { field, type }
    for (;;) {
      if (tag.type === START_GROUP) groups.push(tag.field)
      else if (tag.type !== END_GROUP) this.#skipValue(tag.type)
      else if (groups.pop() !== tag.field) throw new MessageError(`the end of a group ${tag.field} that has not begun`)
      if (groups.length === 0) return
      tag = this.tag()
    }
  }

  #skipValue(type: number): void {
    if (type === VARINT) this.uint32()
    else if (type === FIXED64) this.#take(8)
    else if (type === BYTES) this.bytes()
    else if (type === FIXED32) this.#take(4)
    else throw new MessageError(`no wire type ${type}`)
  }

  #take(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#bytes.length) throw new MessageError('the message ends in the middle of a field')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}

/** @param before the same field earlier in the message, with which it is merged */
function decodeError(bytes: Buffer, before: OutcomeError | undefined): OutcomeError {
  let { code, msg, details } = before ?? { code: 0, msg: '', details: '' }
  const reader = new Reader(bytes)
  while (!reader.done) {
    const { field, type } = reader.tag()
    if (field === 1 && type === VARINT) code = reader.uint32()
    else if (field === 2 && type === BYTES) msg = reader.string()
    else if (field === 3 && type === BYTES) details = reader.string()
    else reader.skip(field, type)
  }
  return { code, msg, details }
}

/**
 * Of several values the last counts, as the format has it.
 * @throws MessageError
 */
export function decodeOutcome(bytes: Uint8Array): Outcome {
  let outcome: Outcome = {}
  const reader = new Reader(bytes)
  while (!reader.done) {
    const { field, type } = reader.tag()
    if (field === 1 && type === BYTES) outcome = { result: reader.bytes() }
    else if (field === 2 && type === BYTES) outcome = { error: decodeError(reader.bytes(), outcome.error) }
    else reader.skip(field, type)
  }
  return outcome
}
