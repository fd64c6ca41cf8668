/** Header blocks (RFC 7541): what is received may use all of it, what is sent uses literals alone. */
import { ErrorCode, Http2Error } from './http2-error.ts'
import { decodeHuffman } from './huffman.ts'
import { STATIC_TABLE } from './static-table.ts'

/** Name and value; bytes above 127 are as in Latin-1. */
export type Field = readonly [name: string, value: string]

/** SETTINGS_HEADER_TABLE_SIZE that holds while nobody has asked for another, and this side does not. */
const TABLE_SIZE_MAX = 4096
/** What a field counts for beyond its characters, section 4.1. */
const ENTRY_OVERHEAD = 32
/** Larger than anything that could be meant, and far from where numbers lose precision. */
const INTEGER_MAX = 2 ** 28

/** As section 4.1 counts it. */
function sizeOf([name, value]: Field): number {
  return name.length + value.length + ENTRY_OVERHEAD
}

/** @throws Http2Error which ends the connection: both sides would no longer agree on the table. */
function broken(text: string): never {
  throw new Http2Error(ErrorCode.COMPRESSION_ERROR, text)
}

/** An integer whose first byte keeps `prefix` bits for it, section 5.1. */
function encodeInteger(value: number, prefix: number): Buffer {
  const limit = 2 ** prefix - 1
  if (value < limit) return Buffer.of(value)
  const bytes = [limit]
  let rest = value - limit
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.of(...bytes, rest)
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  return Buffer.concat([encodeInteger(bytes.length, 7), bytes])
}

/** Literals without indexing and with a name of their own, section 6.2.2: the connection carries no second block. */
export function encodeFields(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), encodeString(name), encodeString(value)]))
}

/** Reads numbers and strings off a header block. */
class BlockReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at === this.#bytes.length
  }

  /** The first byte of the next representation or string, which stays where it is. */
  peek(): number {
    return this.#bytes[this.#at] ?? broken('a header block that ends in the middle of a field')
  }

  integer(prefix: number): number {
    const limit = 2 ** prefix - 1
    let value = this.peek() & limit
    this.#at += 1
    if (value < limit) return value
    for (let scale = 1; ; scale *= 128) {
      const byte = this.peek()
      this.#at += 1
      value += (byte & 0x7f) * scale
      if (value > INTEGER_MAX || scale > INTEGER_MAX) broken('a number that is too large')
      if (byte < 0x80) return value
    }
  }

  string(): string {
    const huffman = (this.peek() & 0x80) !== 0
    const length = this.integer(7)
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    if (bytes.length < length) broken('a string that is longer than its header block')
    this.#at += length
    return huffman ? decodeHuffman(bytes) : bytes.toString('latin1')
  }
}

/** The receiving side of one connection: each block may refer to what the blocks before it have left in the table. */
export class HeaderDecoder {
  /** Newest first. */
  readonly #table: Field[] = []
  #tableSize = 0
  #tableLimit = TABLE_SIZE_MAX

  /**
   * @param limit of the fields' size as SETTINGS_MAX_HEADER_LIST_SIZE counts it: a few bytes can refer to a long entry
   * many times
   * @throws Http2Error when the block breaks the rules or the limit
   */
  decode(block: Buffer, limit: number): Field[] {
    const reader = new BlockReader(block)
    while (!reader.done && isSizeUpdate(reader.peek())) this.#resize(reader.integer(5))
    const fields: Field[] = []
    let size = 0
    while (!reader.done) {
      const field = this.#field(reader)
      size += sizeOf(field)
      if (size > limit) throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, `header fields of more than ${limit} bytes`)
      fields.push(field)
    }
    return fields
  }

  #field(reader: BlockReader): Field {
    const first = reader.peek()
    if (first >= 0x80) return this.#entry(reader.integer(7))
    if (first >= 0x40) {
      const field = this.#literal(reader, 6)
      this.#add(field)
      return field
    }
    if (isSizeUpdate(first)) broken('a change of the table size after a field')
    // Without indexing or never indexed: the difference is for those who pass fields on.
    return this.#literal(reader, 4)
  }

  #literal(reader: BlockReader, prefix: number): Field {
    const index = reader.integer(prefix)
    return [index === 0 ? reader.string() : this.#entry(index)[0], reader.string()]
  }

  #entry(index: number): Field {
    const found = STATIC_TABLE[index - 1] ?? this.#table[index - 1 - STATIC_TABLE.length]
    return found ?? broken(`no entry ${index} in the header table`)
  }

  /** An entry larger than the table empties it and is not kept, section 4.4. */
  #add(field: Field): void {
    this.#table.unshift(field)
    this.#tableSize += sizeOf(field)
    this.#evict()
  }

  #resize(limit: number): void {
    if (limit > TABLE_SIZE_MAX) broken(`a header table of ${limit} bytes, at most ${TABLE_SIZE_MAX} are allowed`)
    this.#tableLimit = limit
    this.#evict()
  }

  #evict(): void {
    while (this.#tableSize > this.#tableLimit) {
      const oldest = this.#table.pop()
      if (oldest !== undefined) this.#tableSize -= sizeOf(oldest)
    }
  }
}

function isSizeUpdate(first: number): boolean {
  return first >= 0x20 && first < 0x40
}
