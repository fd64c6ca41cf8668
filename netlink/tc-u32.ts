/** The u32 classifier: words of a packet, counted from its network header, compared under masks. */
import { type Cidr, familyOf, ipToBytes, splitCidr } from '../inet/address.ts'
import { decodeAttributes, encodeAttribute, readI32, readU32, u32, writeU32 } from './codec.ts'

/** linux/pkt_cls.h */
const TCA_U32_CLASSID = 1
const TCA_U32_LINK = 3
const TCA_U32_SEL = 5
const TCA_U32_ACT = 7
const TCA_U32_INDEV = 8
const TCA_U32_MARK = 10
/** A packet that matches goes through the actions and to no later filter. */
const TC_U32_TERMINAL = 1
/** struct tc_u32_sel: flags, offshift, nkeys, …; then keys: mask, value, offset, offmask */
const SELECTOR = 16
const KEY = 16
/** Hash tables below this are somebody's own: only a link of another filter leads there (gen_new_htid of cls_u32.c). */
const FIRST_ROOT_TABLE = 0x800

/** Bytes of the network header in front of the addresses (RFC 791 §3.1, RFC 8200 §3). */
const OFFSETS = { ipv4: { source: 12, destination: 16 }, ipv6: { source: 8, destination: 24 } } as const

/** One word of the packet. */
export interface U32Key {
  /** Bytes from the network header. */
  readonly offset: number
  readonly value: number
  readonly mask: number
}

export interface Match {
  readonly source?: Cidr
  readonly destination?: Cidr
}

const EVERYTHING: U32Key = { offset: 0, value: 0, mask: 0 }

/** The words of an address that its prefix says something of. */
function addressKeys(cidr: Cidr, end: 'source' | 'destination'): U32Key[] {
  const { network, length } = splitCidr(cidr)
  const bytes = Buffer.from(ipToBytes(network))
  const start = OFFSETS[familyOf(cidr)][end]
  const words = Math.ceil(length / 32)
  return Array.from({ length: words }, (_, index) => {
    const bits = Math.min(32, length - 32 * index)
    return { offset: start + 4 * index, value: bytes.readUInt32BE(4 * index), mask: (0xffff_ffff << (32 - bits)) >>> 0 }
  })
}

/** One key at least: of packets that all match, nothing is compared. */
export function keysOf({ source, destination }: Match): readonly [U32Key, ...U32Key[]] {
  const [first = EVERYTHING, ...others] = [
    ...(source === undefined ? [] : addressKeys(source, 'source')),
    ...(destination === undefined ? [] : addressKeys(destination, 'destination')),
  ]
  return [first, ...others]
}

/** Keys as one text: filters with the same one match the same packets. */
export const identityOf = (keys: readonly U32Key[]): string =>
  keys.map(({ offset, value, mask }) => `${hex(value)}/${hex(mask)} at ${offset}`).join(' ')

const hex = (word: number): string => word.toString(16).padStart(8, '0')

export interface U32Options {
  readonly keys: readonly U32Key[]
  /** A class of the qdisc that the filter is on. */
  readonly classid?: number
  /** The list of them, encoded; empty for none. */
  readonly actions: Buffer
}

export function encodeU32({ keys, classid, actions }: U32Options): Buffer {
  const selector = Buffer.alloc(SELECTOR + KEY * keys.length)
  selector.writeUInt8(TC_U32_TERMINAL, 0)
  selector.writeUInt8(keys.length, 2)
  for (const [index, { offset, value, mask }] of keys.entries()) {
    const start = SELECTOR + KEY * index
    selector.writeUInt32BE(mask, start)
    selector.writeUInt32BE(value, start + 4)
    writeU32(selector, offset, start + 8)
  }
  return Buffer.concat([
    ...(classid === undefined ? [] : [encodeAttribute(TCA_U32_CLASSID, u32(classid))]),
    ...(actions.length === 0 ? [] : [encodeAttribute(TCA_U32_ACT, actions)]),
    encodeAttribute(TCA_U32_SEL, selector),
  ])
}

export interface FoundU32 extends U32Options {
  /** It matches by more than its keys, or goes on to other filters. */
  readonly special: boolean
}

/** `undefined` for the hash tables that are listed among the filters. */
export function parseU32(options: Buffer, handle: number): FoundU32 | undefined {
  const attributes = decodeAttributes(options)
  const selector = attributes.get(TCA_U32_SEL)
  if (selector === undefined) return undefined
  const keys = Array.from({ length: selector.readUInt8(2) }, (_, index) => {
    const start = SELECTOR + KEY * index
    return {
      key: {
        offset: readI32(selector, start + 8),
        value: selector.readUInt32BE(start + 4),
        mask: selector.readUInt32BE(start),
      },
      offsetMask: readU32(selector, start + 12),
    }
  })
  const classid = attributes.get(TCA_U32_CLASSID)
  return {
    keys: keys.map(({ key }) => key),
    actions: attributes.get(TCA_U32_ACT) ?? Buffer.alloc(0),
    special:
      selector.readUInt8(0) !== TC_U32_TERMINAL ||
      handle >>> 20 < FIRST_ROOT_TABLE ||
      keys.some(({ offsetMask }) => offsetMask !== 0) ||
      [TCA_U32_LINK, TCA_U32_INDEV, TCA_U32_MARK].some((attribute) => attributes.has(attribute)),
    ...(classid === undefined ? {} : { classid: readU32(classid) }),
  }
}
