import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Cni } from '../proto/contract.ts'
import { decodeOutcome, encodeInvocation, MessageError, type Outcome } from './messages.ts'

/** What the daemon's generator makes of proto/cni.proto. */
const { requestDeserialize, responseSerialize } = Cni.service.Add

const text = fc.string({ unit: 'grapheme', maxLength: 300 })
const bytes = fc.uint8Array({ maxLength: 40_000 }).map((all) => Buffer.from(all))
const varint = (value: number): number[] => (value > 127 ? [(value % 128) + 128, ...varint(value >> 7)] : [value])
const field = (number: number, content: string | Uint8Array): Buffer => {
  const payload = Buffer.from(content)
  return Buffer.concat([Buffer.of(...varint(number * 8 + 2), ...varint(payload.length)), payload])
}
const CODE = (code: number): Buffer => Buffer.of(8, code)

test('what is asked arrives at the daemon, field by field', () => {
  const anyInvocation = fc.record({ containerId: text, netns: text, ifname: text, args: text, config: bytes })
  fc.assert(
    fc.property(anyInvocation, (invocation) => {
      expect(requestDeserialize(encodeInvocation(invocation))).toEqual(invocation)
    }),
  )
})

describe('what the daemon answers arrives', () => {
  test('a result', () => {
    fc.assert(
      fc.property(bytes, (result) => {
        expect(decodeOutcome(responseSerialize({ outcome: 'result', result }))).toEqual({ result })
      }),
    )
  })

  test('an error', () => {
    fc.assert(
      fc.property(fc.record({ code: fc.nat(0xffff_ffff), msg: text, details: text }), (error) => {
        expect(decodeOutcome(responseSerialize({ outcome: 'error', error }))).toEqual({ error })
      }),
    )
  })

  test('nothing', () => {
    expect(decodeOutcome(responseSerialize({}))).toEqual({})
  })
})

const LATER = field(99, 'from a later release')
const GROUP = Buffer.of(0x3b, 0x08, 0x01, 0x43, 0x44, 0x3c) // 7: { 1: 1, 8: {} }
const error = (code: number, msg = '', details = ''): Outcome => ({ error: { code, msg, details } })

test.each<[what: string, message: Buffer[], outcome: Outcome]>([
  ['fields that are not known', [LATER, Buffer.of(0x20, 1), field(1, 'r'), GROUP], { result: Buffer.from('r') }],
  ['fixed numbers that are not known', [Buffer.of(0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2d, 1, 2, 3, 4)], {}],
  ['a known field of another type', [Buffer.of(0x08, 7)], {}],
  ['two results', [field(1, 'a'), field(1, 'b')], { result: Buffer.from('b') }],
  ['an error and then a result', [field(2, CODE(7)), field(1, 'r')], { result: Buffer.from('r') }],
  ['a result and then an error', [field(1, 'r'), field(2, CODE(7))], error(7)],
  ['two halves of an error', [field(2, CODE(7)), field(2, field(2, 'text'))], error(7, 'text')],
  ['an error, a result, an error', [field(2, CODE(7)), field(1, 'r'), field(2, field(2, 'm'))], error(0, 'm')],
  ['a number above 32 bits', [field(2, Buffer.of(8, 0x87, 0x80, 0x80, 0x80, 0xf0, 0x01))], error(7)],
  ['a negative number', [field(2, Buffer.of(8, ...Array(9).fill(0xff), 0x01))], error(0xffff_ffff)],
  ['a number written long', [field(2, Buffer.of(8, 0x87, 0x80, 0x00))], error(7)],
  ['a byte order mark', [field(2, field(2, '\ufefftext'))], error(0, '\ufefftext')],
])('%s', (_what, message, outcome) => {
  expect(decodeOutcome(Buffer.concat(message))).toEqual(outcome)
})

test.each([
  ['a field cut short', field(1, 'result').subarray(0, 4)],
  ['a tag without a value', Buffer.of(0x0a)],
  ['field 0', Buffer.of(0x02, 0x00)],
  ['a tag that is too long', Buffer.of(0x8a, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00)],
  ['wire type 6', Buffer.of(0x1e, 0x00)],
  ['a number without end', Buffer.of(0x18, ...Array(11).fill(0xff))],
  ['a group without an end', Buffer.of(0x3b)],
  ['the end of no group', Buffer.of(0x3c)],
  ['the end of another group', Buffer.of(0x3b, 0x44)],
  ['groups in groups in groups', Buffer.alloc(1_000_000, 0x3b)],
  ['a text that is not UTF-8', field(2, field(2, Uint8Array.of(0xff)))],
  ['an error cut short', field(2, field(2, 'text').subarray(0, 3))],
])('refused: %s', (_what, message) => {
  expect(() => decodeOutcome(message)).toThrow(MessageError)
})

test('whatever arrives, it is an outcome or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (message) => {
      try {
        expect(Object.keys(decodeOutcome(message)).length).toBeLessThan(2)
      } catch (failure) {
        expect(failure).toBeInstanceOf(MessageError)
      }
    }),
  )
})
