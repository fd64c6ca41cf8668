/**
 * Attributes of nf_tables as data, so that what is sent and what is found can be compared. Numbers are in the order of
 * the network.
 */
import { type AttrStream, cString, decodeAttributes } from '../codec.ts'

export interface Attribute {
  readonly type: number
  readonly value: Buffer | readonly Attribute[]
}

export function number(type: number, value: number): Attribute {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return { type, value: bytes }
}

export function text(type: number, value: string): Attribute {
  return { type, value: cString(value) }
}

export function bytes(type: number, value: Uint8Array): Attribute {
  return { type, value: Buffer.from(value) }
}

export function nested(type: number, value: readonly Attribute[]): Attribute {
  return { type, value }
}

export function writeAttributes(out: AttrStream, attributes: readonly Attribute[]): void {
  for (const { type, value } of attributes) {
    out.push(type, Buffer.isBuffer(value) ? value : (inner: AttrStream) => writeAttributes(inner, value))
  }
}

/** Whether all that is wanted is there; the kernel adds counters and handles of its own. @throws Error for bad bytes */
export function includes(found: Buffer, wanted: readonly Attribute[]): boolean {
  const attributes = decodeAttributes(found)
  return wanted.every(({ type, value }) => {
    const actual = attributes.get(type)
    if (actual === undefined) return false
    return Buffer.isBuffer(value) ? value.equals(actual) : includes(actual, value)
  })
}

/** Whether nothing else is there, either, but zeros: what the kernel says of options that are off. */
export function equals(found: Buffer, wanted: readonly Attribute[]): boolean {
  const attributes = decodeAttributes(found)
  const values = new Map(wanted.map(({ type, value }) => [type, value]))
  for (const type of values.keys()) if (!attributes.has(type)) return false
  return [...attributes].every(([type, actual]) => {
    const value = values.get(type)
    if (value === undefined) return actual.every((byte) => byte === 0)
    return Buffer.isBuffer(value) ? value.equals(actual) : equals(actual, value)
  })
}
