import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { encodeFields, type Field, HeaderDecoder } from './hpack.ts'

const LIMIT = 65_536
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

/** Decodes the blocks one after another, as of one connection. */
function decodeAll(blocks: readonly string[]): Field[][] {
  const decoder = new HeaderDecoder()
  return blocks.map((block) => decoder.decode(bytes(block), LIMIT))
}

const REQUEST: Field[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
]
const SECURE: Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/index.html'],
  [':authority', 'www.example.com'],
]
const REQUESTS = [REQUEST, [...REQUEST, ['cache-control', 'no-cache']], [...SECURE, ['custom-key', 'custom-value']]]
const response = (status: string, second: number): Field[] => [
  [':status', status],
  ['cache-control', 'private'],
  ['date', `Mon, 21 Oct 2013 20:13:${second} GMT`],
  ['location', 'https://www.example.com'],
]
const RESPONSES = [
  response('302', 21),
  response('307', 21),
  [
    ...response('200', 22),
    ['content-encoding', 'gzip'],
    ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
  ],
]
/** The examples of responses assume a table of 256 bytes, which is what this sets. */
const TABLE_256 = '3f e1 01'

describe('RFC 7541, Appendix C', () => {
  test.each([
    ['C.2.1', '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', 'custom-key', 'custom-header'],
    ['C.2.2', '040c 2f73 616d 706c 652f 7061 7468', ':path', '/sample/path'],
    ['C.2.3', '1008 7061 7373 776f 7264 0673 6563 7265 74', 'password', 'secret'],
    ['C.2.4', '82', ':method', 'GET'],
  ])('%s', (_section, block, name, value) => {
    expect(decodeAll([block])).toEqual([[[name, value]]])
  })

  test('C.3: requests', () => {
    const blocks = [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ]
    expect(decodeAll(blocks)).toEqual(REQUESTS)
  })

  test('C.4: requests in Huffman code', () => {
    const blocks = [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ]
    expect(decodeAll(blocks)).toEqual(REQUESTS)
  })

  test('C.5: responses, for which the table is too small', () => {
    const blocks = [
      `${TABLE_256} 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
       3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f
       6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
       2076 6572 7369 6f6e 3d31`,
    ]
    expect(decodeAll(blocks.map((block) => block.replaceAll(/\s/g, '')))).toEqual(RESPONSES)
  })

  test('C.6: the same in Huffman code', () => {
    const blocks = [
      `${TABLE_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
       1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
      '4883 640e ffc1 c0bf',
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
       dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
    ]
    expect(decodeAll(blocks.map((block) => block.replaceAll(/\s/g, '')))).toEqual(RESPONSES)
  })
})

describe('the table', () => {
  test('an entry larger than it empties it', () => {
    const large = `40 7f 99 20 ${'61'.repeat(4_248)} 01 62`
    const decoder = new HeaderDecoder()
    expect(decoder.decode(bytes('40 01 61 01 62 be'), LIMIT)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
    expect(decoder.decode(bytes(large), LIMIT)[0]?.[0]).toHaveLength(4_248)
    expect(() => decoder.decode(bytes('be'), LIMIT)).toThrow('no entry 62')
  })

  test('its size may change twice before the first field', () => {
    expect(decodeAll(['40 01 61 01 62', '20 3f e1 1f 40 01 63 01 64 be'])[1]).toEqual([
      ['c', 'd'],
      ['c', 'd'],
    ])
  })

  test('what no longer fits is gone, also when it becomes larger again', () => {
    expect(() => decodeAll(['40 01 61 01 62', '20 3f e1 1f be'])).toThrow('no entry 62')
  })
})

test.each([
  ['entry 0', '80'],
  ['an entry that is not there', 'be'],
  ['a table above the limit', '3f e2 1f'],
  ['a change of the table after a field', '82 20'],
  ['a number without end', 'ff ff ff ff ff ff ff ff'],
  ['a number that hides behind zeros', `00 7f ${'80'.repeat(8)} 00 ${'61'.repeat(127)} 00`],
  ['a number cut short', 'ff'],
  ['a string cut short', '00 03 61 62'],
  ['a field without a value', '00 01 61'],
])('COMPRESSION_ERROR: %s', (_what, block) => {
  expect(() => decodeAll([block])).toThrow('COMPRESSION_ERROR')
})

test('a few bytes that stand for many are refused', () => {
  const decoder = new HeaderDecoder()
  const entry = `40 01 61 7f 81 0f ${'62'.repeat(2_048)}`
  expect(() => decoder.decode(bytes(`${entry} ${'be'.repeat(40)}`), LIMIT)).toThrow('ENHANCE_YOUR_CALM')
})

test('what is encoded is decoded', () => {
  const text = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 400 }).map((all) => String.fromCharCode(...all))
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), (fields) => {
      expect(new HeaderDecoder().decode(encodeFields(fields), LIMIT)).toEqual(fields)
    }),
  )
})
