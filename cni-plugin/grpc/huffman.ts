/**
 * The Huffman code of header strings (RFC 7541, Appendix B). The code is canonical: the codes of one length are
 * consecutive numbers in the order of their symbols, and follow those of the lengths before. So the symbols of each
 * length are the whole table.
 */
import { ErrorCode, Http2Error } from './http2-error.ts'

/** Bits of the code -> symbols, in Latin-1. The end of the string is the last code of 30 bits, and has no symbol. */
const SYMBOLS: Readonly<Record<number, string>> = {
  5: '012aceiost',
  6: ' %-./3456789=A_bdfghlmnpru',
  7: ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz',
  8: '&*,;XZ',
  10: '!"()?',
  11: "'+|",
  12: '#>',
  13: '\x00$@[]~',
  14: '^}',
  15: '<`{',
  19: '\\\xc3\xd0',
  20: '\x80\x82\x83\xa2\xb8\xc2\xe0\xe2',
  21: '\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6',
  22: '\x81\x84\x85\x86\x88\x92\x9a\x9c\xa0\xa3\xa4\xa9\xaa\xad\xb2\xb5\xb9\xba\xbb\xbd\xbe\xc4\xc6\xe4\xe8\xe9',
  23:
    '\x01\x87\x89\x8a\x8b\x8c\x8d\x8f\x93\x95\x96\x97\x98\x9b\x9d\x9e\xa5\xa6\xa8\xae\xaf\xb4\xb6\xb7\xbc\xbf' +
    '\xc5\xe7\xef',
  24: '\x09\x8e\x90\x91\x94\x9f\xab\xce\xd7\xe1\xec\xed',
  25: '\xc7\xcf\xea\xeb',
  26: '\xc0\xc1\xc8\xc9\xca\xcd\xd2\xd5\xda\xdb\xee\xf0\xf2\xf3\xff',
  27: '\xcb\xcc\xd3\xd4\xd6\xdd\xde\xdf\xf1\xf4\xf5\xf6\xf7\xf8\xfa\xfb\xfc\xfd\xfe',
  28:
    '\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f' +
    '\x7f\xdc\xf9',
  30: '\n\r\x16',
}
const LONGEST = 30
/** More than the rest of the last byte is not padding, section 5.2. */
const PADDING_MAX = 7

/** @throws Http2Error when the bytes hold the end of the string, or do not end as they must: with its first bits. */
export function decodeHuffman(bytes: Buffer): string {
  let text = ''
  // The code so far, how many bits it has, and the first code of that length.
  let code = 0
  let bits = 0
  let first = 0
  for (const byte of bytes) {
    for (let shift = 7; shift >= 0; shift -= 1) {
      code = code * 2 + ((byte >> shift) & 1)
      bits += 1
      const symbols = SYMBOLS[bits] ?? ''
      const symbol = symbols[code - first]
      if (symbol !== undefined) {
        text += symbol
        code = bits = first = 0
      } else if (bits === LONGEST) {
        throw new Http2Error(ErrorCode.COMPRESSION_ERROR, 'the end of a string inside it')
      } else {
        first = (first + symbols.length) * 2
      }
    }
  }
  if (bits > PADDING_MAX || code !== 2 ** bits - 1) {
    throw new Http2Error(ErrorCode.COMPRESSION_ERROR, 'a string does not end at the end of a symbol')
  }
  return text
}
