/**
 * Encoding and decoding of rtnetlink bytes: the one place that touches the `netlink` package.
 *
 * The package's encoders are used as they are. Its decoders are not: they drop attributes they do not know, refuse a
 * whole message when one attribute has a length the kernel has changed since, and mix BigInt with numbers in events. So
 * a message is decoded here into its attributes by number, and each kind of object reads what it wants.
 */
import { endianness } from 'node:os'
import { MessageType, MulticastGroups } from 'netlink/dist/rt/structs.js'
import { AttrStream, getPadding, type StreamData } from 'netlink/dist/structs.js'

export {
  formatAddressMessage,
  formatLinkMessage,
  formatNeighborMessage,
  formatRouteMessage,
  formatRuleMessage,
} from 'netlink/dist/rt/structs.js'
export type { AttrStream }
export { MessageType, MulticastGroups }

const littleEndian = endianness() === 'LE'

/** Numbers of netlink messages are in the order of the machine. */
export const readU16 = (bytes: Buffer, offset = 0): number =>
  littleEndian ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset)
export const readU32 = (bytes: Buffer, offset = 0): number =>
  littleEndian ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset)
/** Beyond 2^53 not exact. */
export const readU64 = (bytes: Buffer, offset = 0): number =>
  Number(littleEndian ? bytes.readBigUInt64LE(offset) : bytes.readBigUInt64BE(offset))
export const readI32 = (bytes: Buffer, offset = 0): number => readU32(bytes, offset) | 0

export function writeU16(bytes: Buffer, value: number, offset: number): void {
  if (littleEndian) bytes.writeUInt16LE(value, offset)
  else bytes.writeUInt16BE(value, offset)
}

export function writeU32(bytes: Buffer, value: number, offset: number): void {
  if (littleEndian) bytes.writeUInt32LE(value >>> 0, offset)
  else bytes.writeUInt32BE(value >>> 0, offset)
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  writeU16(bytes, value, 0)
  return bytes
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  writeU32(bytes, value, 0)
  return bytes
}

/** Text with the terminating zero the kernel expects of names. */
export function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}

export function readCString(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}

/** The bytes that `write` puts into a stream, padded to the alignment of netlink (4 bytes). */
export function encode(write: (out: AttrStream) => void): Buffer {
  const out = new AttrStream()
  write(out)
  const bytes = Buffer.concat(out.bufs)
  return Buffer.concat([bytes, getPadding(bytes.length)])
}

/** One attribute by number, for those the package has no name or no working encoder for. */
export function encodeAttribute(type: number, data: StreamData): Buffer {
  return encode((out) => out.push(type, data))
}

/** struct nlattr of linux/netlink.h: length and type, two bytes each. */
const ATTRIBUTE_HEADER = 4
/** NLA_TYPE_MASK: the other bits of a type tell how its value is written. */
const TYPE = 0x3fff

/** `at` and `end`: where the value is. @throws Error when lengths do not fit the bytes. */
function forEachAttribute(bytes: Buffer, take: (type: number, at: number, end: number) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const left = bytes.length - at
    const length = left < ATTRIBUTE_HEADER ? 0 : readU16(bytes, at)
    if (length < ATTRIBUTE_HEADER || length > left) throw new Error(`an attribute of ${length} bytes in ${left}`)
    take(readU16(bytes, at + 2) & TYPE, at + ATTRIBUTE_HEADER, at + length)
    at += (length + 3) & ~3
  }
}

/** Attributes by number; of one that comes twice the last. */
export type Attributes = ReadonlyMap<number, Buffer>

/** @param wanted numbers of those that count, of many; all unless given. @throws Error when lengths do not fit the bytes. */
export function decodeAttributes(bytes: Buffer, wanted?: ReadonlySet<number>): Attributes {
  const attributes = new Map<number, Buffer>()
  forEachAttribute(bytes, (type, at, end) => {
    if (wanted === undefined || wanted.has(type)) attributes.set(type, bytes.subarray(at, end))
  })
  return attributes
}

/** The values of attributes in their order, for lists whose attributes all have one number. @throws Error as above. */
export function decodeList(bytes: Buffer): Buffer[] {
  const values: Buffer[] = []
  forEachAttribute(bytes, (_, at, end) => values.push(bytes.subarray(at, end)))
  return values
}
