import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { cString, encodeAttribute, readU16, readU32, u32, writeU16, writeU32 } from './codec.ts'
import { Errno } from './errno.ts'
import { NetlinkError } from './error.ts'
import {
  Exchange,
  encodeRequests,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_ECHO,
  type Request,
} from './message.ts'

const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const IPCTNL_MSG_CT_GET = 0x101
const IPCTNL_MSG_CT_DELETE = 0x102
const NFT_MSG_NEWTABLE = 0xa00
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const PORT = 4711
const KERNEL = 0

const request = (text: string, flags = 0): Request => ({ type: RTM_NEWLINK, flags, payload: Buffer.alloc(16), text })
const dump: Request = { type: RTM_GETLINK, flags: NLM_F_DUMP, payload: Buffer.alloc(16), text: 'list links' }

interface Crafted {
  type: number
  flags?: number
  seq: number
  portid?: number
  payload?: Buffer
}

function craft({ type, flags = 0, seq, portid = PORT, payload = Buffer.alloc(0) }: Crafted): Buffer {
  const bytes = Buffer.alloc(16 + ((payload.length + 3) & ~3))
  writeU32(bytes, 16 + payload.length, 0)
  writeU16(bytes, type, 4)
  writeU16(bytes, flags, 6)
  writeU32(bytes, seq, 8)
  writeU32(bytes, portid, 12)
  payload.copy(bytes, 16)
  return bytes
}

const ack = (seq: number, errno = 0, more: Partial<Crafted> = {}) =>
  craft({ type: NLMSG_ERROR, seq, payload: Buffer.concat([u32(-errno), Buffer.alloc(16)]), ...more })
const done = (seq: number, errno = 0, more: Partial<Crafted> = {}) =>
  craft({ type: NLMSG_DONE, seq, payload: u32(-errno), ...more })
const link = (seq: number, byte: number, more: Partial<Crafted> = {}) =>
  craft({ type: RTM_NEWLINK, seq, payload: Buffer.of(byte), ...more })

const exchange = (requests: Request[], firstSeq = 10) => new Exchange({ requests, firstSeq, portid: PORT })

describe('requests', () => {
  test('are numbered, and of changes and single reads the last asks for an ack, which stands for all before it', () => {
    const flags = (requests: readonly Request[]) =>
      requests.map((_, index) => readU16(encodeRequests(requests, 10), 6 + 32 * index))
    expect(flags([request('a'), request('b'), request('c')])).toEqual([1, 1, 1 | NLM_F_ACK])
    expect(flags([request('a'), { ...dump, flags: 0 }])).toEqual([1, 1 | NLM_F_ACK])
  })

  test('that list ask for no ack', () => {
    const bytes = encodeRequests([request('a', NLM_F_CREATE), dump], 10)
    expect(bytes).toHaveLength(64)
    expect([readU32(bytes, 0), readU16(bytes, 6), readU32(bytes, 8)]).toEqual([32, NLM_F_CREATE | 5, 10])
    expect([readU16(bytes, 38), readU32(bytes, 40)]).toEqual([NLM_F_DUMP | 1, 11])
  })

  test('of ctnetlink and nf_tables are told from each other by their own numbers', () => {
    const flagsOf = (type: number, flags: number) => readU16(encodeRequests([{ ...dump, type, flags }], 1), 6)
    expect(flagsOf(IPCTNL_MSG_CT_GET, NLM_F_DUMP)).toBe(NLM_F_DUMP | 1)
    expect(flagsOf(IPCTNL_MSG_CT_DELETE, 0)).toBe(5)
    // NLM_F_REPLACE and NLM_F_EXCL are the bits of a dump.
    for (const [message, gets] of [
      [0, false],
      [4, true],
      [6, false],
      [7, true],
      [8, false],
      [13, true],
    ] as const) {
      expect(flagsOf(NFT_MSG_NEWTABLE + message, NLM_F_DUMP)).toBe(NLM_F_DUMP | (gets ? 1 : 5))
    }
  })
})

describe('frames of a transaction', () => {
  const frame = (text: string): Request => ({ ...request(text), frame: true })
  const framed = () => exchange([frame('all'), request('a'), request('b'), frame('all')])

  test('ask for no ack, and nothing waits for one', () => {
    const flags = readU16(encodeRequests([frame('all')], 1), 6)
    expect(flags & NLM_F_ACK).toBe(0)
    const transaction = framed()
    expect(transaction.text).toBe('a and 1 more')
    transaction.feed(Buffer.concat([ack(11), ack(12)]), KERNEL)
    expect(transaction.complete).toBe(true)
    expect(transaction.acks.map(({ error }) => error)).toEqual(Array(4).fill(undefined))
  })

  test('that are refused end all that has no answer yet', () => {
    const transaction = framed()
    transaction.feed(ack(11, Errno.ENOENT), KERNEL)
    transaction.feed(ack(10, Errno.EPERM), KERNEL)
    expect(transaction.complete).toBe(true)
    transaction.feed(Buffer.concat([ack(10, Errno.EINVAL), ack(12)]), KERNEL)
    expect(transaction.acks.map(({ error }) => error?.code)).toEqual(['EPERM', 'ENOENT', 'EPERM', 'EPERM'])
  })
})

describe('acks', () => {
  test('the last one ends a batch, and every failure before it is heard', () => {
    const batch = exchange([request('a'), request('b'), request('c'), request('d')])
    batch.feed(ack(11, Errno.EEXIST), KERNEL)
    expect(batch.complete).toBe(false)
    batch.feed(Buffer.concat([ack(12, Errno.ENODEV), ack(13)]), KERNEL)
    expect(batch.complete).toBe(true)
    expect(batch.acks.map(({ error }) => error?.code)).toEqual([undefined, 'EEXIST', 'ENODEV', undefined])
    expect(batch.acks[1]?.error?.message).toBe('b: EEXIST (file already exists)')
  })

  test('a last request that fails ends its batch too', () => {
    const batch = exchange([request('a'), request('b')])
    batch.feed(ack(11, Errno.EPERM), KERNEL)
    expect(batch.complete).toBe(true)
    expect(batch.acks.map(({ error }) => error?.code)).toEqual([undefined, 'EPERM'])
  })

  test('objects of a read that another request follows are its own', () => {
    const batch = exchange([{ ...dump, flags: 0 }, request('b')])
    batch.feed(Buffer.concat([link(10, 7), ack(11)]), KERNEL)
    expect(batch.complete).toBe(true)
    expect(batch.acks.map(({ messages }) => messages.map(({ payload }) => payload[0]))).toEqual([[7], []])
  })

  test('alone are small: only what brings objects may be large', () => {
    const brings = (requests: Request[]) => exchange(requests).bringsObjects
    expect(brings([request('a'), request('b', NLM_F_CREATE)])).toBe(false)
    expect(brings([request('a'), request('b', NLM_F_ECHO)])).toBe(true)
    expect([brings([dump]), brings([{ ...dump, flags: 0 }])]).toEqual([true, true])
  })

  test('carry the text of the extended ack, with and without the echoed request', () => {
    const text = encodeAttribute(1, cString('Nexthop has invalid gateway'))
    const capped = Buffer.concat([u32(-Errno.EINVAL), Buffer.alloc(16), text])
    const batch = exchange([request('a'), request('b')])
    batch.feed(craft({ type: NLMSG_ERROR, seq: 10, flags: 0x300, payload: capped }), KERNEL)
    const echoed = Buffer.alloc(24)
    writeU32(echoed, 24, 0)
    const whole = Buffer.concat([u32(-Errno.EINVAL), echoed, text])
    batch.feed(craft({ type: NLMSG_ERROR, seq: 11, flags: 0x200, payload: whole }), KERNEL)
    expect(batch.acks.map(({ error }) => error?.extack)).toEqual(Array(2).fill('Nexthop has invalid gateway'))
  })

  test('count on when the sequence number wraps', () => {
    const batch = exchange([request('a'), request('b')], 0xffffffff)
    batch.feed(Buffer.concat([ack(0xffffffff), ack(0)]), KERNEL)
    expect(batch.complete).toBe(true)
  })

  test('an object read by a GET comes before its ack', () => {
    const batch = exchange([{ ...dump, flags: 0 }])
    batch.feed(link(10, 7), KERNEL)
    expect(batch.complete).toBe(false)
    batch.feed(ack(10), KERNEL)
    expect(batch.acks[0]?.messages.map(({ payload }) => payload[0])).toEqual([7])
  })
})

describe('foreign messages', () => {
  test.each([
    ['our number, another port', link(10, 9, { portid: 1 }), KERNEL],
    ['our number, port 0 of a multicast event', link(10, 9, { portid: 0 }), KERNEL],
    ['our port and number, sent by another process', ack(10, Errno.EPERM), 1234],
    ['our port, the number before ours', ack(9, Errno.EPERM), KERNEL],
    ['our port, the number after ours', ack(11, Errno.EPERM), KERNEL],
  ])('%s is no answer', (_, datagram, sender) => {
    const batch = exchange([dump])
    batch.feed(datagram, sender)
    expect(batch.complete).toBe(false)
    batch.feed(Buffer.concat([link(10, 1), done(10)]), KERNEL)
    expect(batch.acks[0]?.error).toBeUndefined()
    expect(batch.acks[0]?.messages).toHaveLength(1)
  })
})

describe('dumps', () => {
  test('end with DONE, over any number of datagrams', () => {
    const listing = exchange([dump])
    for (const part of [link(10, 1), Buffer.concat([link(10, 2), link(10, 3)]), done(10)]) listing.feed(part, KERNEL)
    expect(listing.complete).toBe(true)
    expect(listing.interrupted).toBe(false)
    expect(listing.acks[0]?.messages.map(({ payload }) => payload[0])).toEqual([1, 2, 3])
  })

  test.each([
    ['on an object', [link(10, 1, { flags: NLM_F_DUMP_INTR }), done(10)]],
    ['on DONE', [link(10, 1), done(10, 0, { flags: NLM_F_DUMP_INTR })]],
  ])('an interruption marked %s is seen', (_, parts) => {
    const listing = exchange([dump])
    for (const part of parts) listing.feed(part, KERNEL)
    expect(listing.interrupted).toBe(true)
  })

  test('a notification between two parts is seen, one beside a single part does not matter', () => {
    const event = link(0, 9, { portid: 0 })
    const [torn, whole] = [exchange([dump]), exchange([dump])]
    for (const part of [link(10, 1), event, link(10, 2), done(10)]) torn.feed(part, KERNEL)
    for (const part of [event, link(10, 1), event, done(10)]) whole.feed(part, KERNEL)
    expect([torn.disturbed, whole.disturbed]).toEqual([true, false])
  })

  test('an error inside DONE is an error, not an empty list', () => {
    const listing = exchange([dump])
    const text = encodeAttribute(1, cString('Invalid values in header'))
    const payload = Buffer.concat([u32(-Errno.ENOENT), text])
    listing.feed(craft({ type: NLMSG_DONE, seq: 10, flags: 0x200, payload }), KERNEL)
    expect(listing.acks[0]?.error).toMatchObject({ code: 'ENOENT', extack: 'Invalid values in header' })
  })
})

describe('broken bytes', () => {
  const listing = Buffer.concat([link(10, 1), link(10, 2), done(10)])

  test.each([
    ['in the last message', listing.length - 1],
    ['in a header', 20 + 8],
    ['before the first header ends', 5],
  ])('a datagram cut %s is EBADMSG', (_, length) => {
    expect(() => exchange([dump]).feed(listing.subarray(0, length), KERNEL)).toThrow(
      expect.objectContaining({ code: 'EBADMSG', request: 'list links' }),
    )
  })

  test('a length of zero does not loop for ever', () => {
    expect(() => exchange([dump]).feed(Buffer.alloc(32), KERNEL)).toThrow(NetlinkError)
  })

  test('nothing but a NetlinkError comes of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, believable) => {
        const datagram = Buffer.from(bytes)
        if (believable && datagram.length >= 16) {
          writeU32(datagram, datagram.length, 0)
          writeU16(datagram, (datagram[4] ?? 0) % 5, 4)
          writeU32(datagram, 10, 8)
          writeU32(datagram, PORT, 12)
        }
        try {
          exchange([dump]).feed(datagram, KERNEL)
        } catch (error) {
          expect(error).toBeInstanceOf(NetlinkError)
        }
      }),
    )
  })
})
