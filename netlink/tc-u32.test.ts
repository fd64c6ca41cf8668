import { expect, test } from '@jest/globals'
import { parseCidr } from '../inet/address.ts'
import { encodeU32, identityOf, keysOf, parseU32 } from './tc-u32.ts'

const match = (source: string | undefined, destination?: string) =>
  keysOf({
    ...(source === undefined ? {} : { source: parseCidr(source) }),
    ...(destination === undefined ? {} : { destination: parseCidr(destination) }),
  })

const NOTHING = '00000000/00000000 at 0'

test.each([
  [undefined, undefined, NOTHING],
  ['0.0.0.0/0', undefined, NOTHING],
  ['::/0', undefined, NOTHING],
  ['127.0.0.0/8', undefined, '7f000000/ff000000 at 12'],
  ['10.0.1.7/32', undefined, '0a000107/ffffffff at 12'],
  [undefined, '172.16.0.0/12', 'ac100000/fff00000 at 16'],
  ['10.0.1.7/32', '10.0.0.0/31', '0a000107/ffffffff at 12 0a000000/fffffffe at 16'],
  ['0.0.0.0/0', '10.0.0.0/31', '0a000000/fffffffe at 16'],
  [
    'fd00::1/128',
    undefined,
    'fd000000/ffffffff at 8 00000000/ffffffff at 12 00000000/ffffffff at 16 00000001/ffffffff at 20',
  ],
  ['fd00::/64', undefined, 'fd000000/ffffffff at 8 00000000/ffffffff at 12'],
  [undefined, 'fd00:1::/33', 'fd000001/ffffffff at 24 00000000/80000000 at 28'],
])('source %s, destination %s: %s', (source, destination, keys) => {
  expect(identityOf(match(source, destination))).toBe(keys)
})

test('a selector is read as it was written, in the byte order of packets', () => {
  const keys = match('10.0.1.7/32', '172.16.0.0/12')
  const options = encodeU32({ keys, classid: 0x1_0002, actions: Buffer.alloc(0) })
  expect(options.includes(Buffer.from('ffffffff0a000107', 'hex'))).toBe(true)
  const expected = { keys, classid: 0x1_0002, actions: Buffer.alloc(0), special: false }
  expect(parseU32(options, 0x8000_0800)).toEqual(expected)
  // Table 1 is not one that the kernel made.
  expect(parseU32(options, 0x0010_0800)).toEqual({ ...expected, special: true })
  expect(parseU32(Buffer.alloc(0), 0x8000_0000)).toBeUndefined()
})
