/** Messages inside the body of a request or response (gRPC, PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). */
import { Status, StatusError } from './status.ts'

/** One byte for the compressed flag, four for the length. */
const PREFIX_BYTES = 5
/** What gRPC's implementations accept unless told otherwise. */
export const MESSAGE_MAX = 4 * 1024 * 1024

export function encodeMessage(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  bytes[0] = 0
  bytes.writeUInt32BE(message.length, 1)
  bytes.set(message, PREFIX_BYTES)
  return bytes
}

/** Puts the one message of a unary response together from the pieces in which it arrives; keeps none of them. */
export class MessageReader {
  readonly #prefix = Buffer.alloc(PREFIX_BYTES)
  /** Filled as far as `#received` says, once the prefix is here. */
  #message: Buffer | undefined
  /** Bytes of prefix and message. */
  #received = 0

  /** @throws StatusError when this is no message that can be read, or more than one */
  push(piece: Buffer): void {
    let rest = piece
    if (this.#message === undefined) {
      const taken = piece.copy(this.#prefix, this.#received)
      this.#received += taken
      if (this.#received < PREFIX_BYTES) return
      this.#message = Buffer.allocUnsafe(this.#length())
      rest = piece.subarray(taken)
    }
    const at = this.#received - PREFIX_BYTES
    if (at + rest.length > this.#message.length) {
      throw new StatusError(Status.unimplemented, 'more than one message in the reply of a unary call')
    }
    rest.copy(this.#message, at)
    this.#received += rest.length
  }

  /** @throws StatusError when the message is not there, or not all of it */
  end(): Buffer {
    if (this.#received === 0) throw new StatusError(Status.unimplemented, 'no message in the reply of a unary call')
    if (this.#message === undefined || this.#received < PREFIX_BYTES + this.#message.length) {
      throw new StatusError(
        Status.internal,
        `the reply ends after ${this.#received} bytes, in the middle of its message`,
      )
    }
    return this.#message
  }

  #length(): number {
    const flag = this.#prefix.readUInt8(0)
    const length = this.#prefix.readUInt32BE(1)
    // The flag counts, not the header grpc-encoding, which may name an encoding that is then not used.
    if (flag !== 0) throw new StatusError(Status.internal, 'the reply is compressed, which was not asked for')
    if (length > MESSAGE_MAX) {
      throw new StatusError(Status.resourceExhausted, `the reply has ${length} bytes, over ${MESSAGE_MAX}`)
    }
    return length
  }
}
