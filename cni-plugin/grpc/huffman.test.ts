import { expect, test } from '@jest/globals'
import { decodeHuffman } from './huffman.ts'

/** Bits, filled up to whole bytes with ones as the end of a string is. */
function bits(...codes: readonly (readonly [code: number, length: number])[]): Buffer {
  const text = codes.map(([code, length]) => code.toString(2).padStart(length, '0')).join('')
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8, '1')
  return Buffer.from((padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/** RFC 7541, Appendix B: the first and the last code of each length; 30 bits end with the end of the string. */
// biome-ignore format: one length a line
const ENDS_OF_LENGTHS = [
  [5, 48, 0x0, 116, 0x9],
  [6, 32, 0x14, 117, 0x2d],
  [7, 58, 0x5c, 122, 0x7b],
  [8, 38, 0xf8, 90, 0xfd],
  [10, 33, 0x3f8, 63, 0x3fc],
  [11, 39, 0x7fa, 124, 0x7fc],
  [12, 35, 0xffa, 62, 0xffb],
  [13, 0, 0x1ff8, 126, 0x1ffd],
  [14, 94, 0x3ffc, 125, 0x3ffd],
  [15, 60, 0x7ffc, 123, 0x7ffe],
  [19, 92, 0x7fff0, 208, 0x7fff2],
  [20, 128, 0xfffe6, 226, 0xfffed],
  [21, 153, 0x1fffdc, 230, 0x1fffe8],
  [22, 129, 0x3fffd2, 233, 0x3fffeb],
  [23, 1, 0x7fffd8, 239, 0x7ffff4],
  [24, 9, 0xffffea, 237, 0xfffff5],
  [25, 199, 0x1ffffec, 235, 0x1ffffef],
  [26, 192, 0x3ffffe0, 255, 0x3ffffee],
  [27, 203, 0x7ffffde, 254, 0x7fffff0],
  [28, 2, 0xfffffe2, 249, 0xffffffe],
  [30, 10, 0x3ffffffc, 22, 0x3ffffffe],
] as const

test.each(ENDS_OF_LENGTHS)(
  'codes of %i bits begin and end where they should',
  (length, first, code, last, lastCode) => {
    const expected = String.fromCharCode(first, last)
    expect(decodeHuffman(bits([code, length], [lastCode, length]))).toBe(expected)
  },
)

test.each([
  ['f1e3c2e5f23a6ba0ab90f4ff', 'www.example.com'],
  ['a8eb10649cbf', 'no-cache'],
  ['25a849e95bb8e8b4bf', 'custom-value'],
  ['9d29ad171863c78f0b97c8e9ae82ae43d3', 'https://www.example.com'],
  ['', ''],
])('%s is %j (RFC 7541, Appendix C)', (hex, text) => {
  expect(decodeHuffman(Buffer.from(hex, 'hex'))).toBe(text)
})

test.each([
  ['the end of the string as a symbol', bits([0x3fffffff, 30])],
  ['a whole byte of padding', Buffer.of(0x07, 0xff)],
  ['padding of zeros', Buffer.of(0x18)],
])('%s is refused', (_what, bytes) => {
  expect(() => decodeHuffman(bytes)).toThrow('COMPRESSION_ERROR')
})
