import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { frame as bytesOf, DATA, END_HEADERS, HEADERS, PADDED, PRIORITIZED } from '../../test/wire/frames.ts'
import { contentOf, encodeFrame, type Frame, FrameReader } from './frame.ts'

const anyFrame = fc.record({
  type: fc.nat(255),
  flags: fc.nat(255),
  stream: fc.nat(0x7fff_ffff),
  payload: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
})

test('a frame is laid out as the RFC says', () => {
  fc.assert(
    fc.property(anyFrame, ({ type, flags, stream, payload }) => {
      expect(encodeFrame({ type, flags, stream, payload })).toEqual(bytesOf(type, flags, stream, payload))
    }),
  )
})

test('however the bytes are cut, the same frames come out', () => {
  fc.assert(
    fc.property(fc.array(anyFrame), fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(encodeFrame))
      const reader = new FrameReader()
      const found: Frame[] = []
      for (let at = 0; at < bytes.length; ) {
        const size = cuts.next().value
        reader.push(bytes.subarray(at, at + size))
        at += size
        for (let next = reader.next(); next !== undefined; next = reader.next()) found.push(next)
      }
      expect(found).toEqual(frames)
    }),
  )
})

test('the reserved bit of a stream id is not looked at', () => {
  const reader = new FrameReader()
  reader.push(bytesOf(DATA, 0, 0x8000_0001))
  expect(reader.next()?.stream).toBe(1)
})

test('a frame longer than was agreed is refused before it has arrived', () => {
  const reader = new FrameReader()
  reader.push(Buffer.of(0, 0x40, 1, DATA, 0, 0, 0, 0, 1))
  expect(() => reader.next()).toThrow('FRAME_SIZE_ERROR: a frame of 16385 bytes, over 16384')
})

test.each([
  ['nothing', 0, 'abc'],
  ['padding', PADDED, '\x02abc\0\0'],
  ['padding of no length', PADDED, '\0abc'],
  ['a priority', PRIORITIZED, '12345abc'],
  ['padding and a priority', PADDED | PRIORITIZED, '\x0112345abc\0'],
])('the content of HEADERS is found with %s around it', (_what, flags, payload) => {
  const content = contentOf({ type: HEADERS, flags: flags | END_HEADERS, stream: 1, payload: Buffer.from(payload) })
  expect(content.toString()).toBe('abc')
})

test('the flag that means a priority means nothing on DATA', () => {
  const payload = Buffer.from('12345abc')
  expect(contentOf({ type: DATA, flags: PRIORITIZED, stream: 1, payload })).toEqual(payload)
})

test.each([
  ['PROTOCOL_ERROR', PADDED, '\x03ab'],
  ['PROTOCOL_ERROR', PADDED | PRIORITIZED, '\x0112345'],
  ['FRAME_SIZE_ERROR', PADDED, ''],
  ['FRAME_SIZE_ERROR', PRIORITIZED, '1234'],
])('%s when there is no room: flags %i, %j', (error, flags, payload) => {
  expect(() => contentOf({ type: HEADERS, flags, stream: 1, payload: Buffer.from(payload) })).toThrow(error)
})
