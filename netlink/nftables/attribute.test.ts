import { expect, test } from '@jest/globals'
import { encode } from '../codec.ts'
import { type Attribute, equals, includes, nested, number, text, writeAttributes } from './attribute.ts'

const bytesOf = (attributes: readonly Attribute[]) => encode((out) => writeAttributes(out, attributes))
const wanted = [text(1, 'lookup'), nested(2, [number(2, 1), number(3, 0)])]

test('numbers are in the order of the network', () => {
  const bytes = bytesOf([number(1, -150)])
  expect(bytes.subarray(4)).toEqual(Buffer.of(0xff, 0xff, 0xff, 0x6a))
})

test.each([
  ['the same', wanted, true, true],
  ['in another order', [nested(2, [number(3, 0), number(2, 1)]), text(1, 'lookup')], true, true],
  ['with an option that is off', [...wanted, number(5, 0)], true, true],
  [
    'with an option that is on',
    [text(1, 'lookup'), nested(2, [number(2, 1), number(3, 0), number(5, 1)])],
    true,
    false,
  ],
  ['with another number', [text(1, 'lookup'), nested(2, [number(2, 1), number(3, 1)])], false, false],
  ['with another name', [text(1, 'lookups'), nested(2, [number(2, 1), number(3, 0)])], false, false],
  ['with less', [text(1, 'lookup'), nested(2, [number(2, 1)])], false, false],
])('%s', (_what, found, included, equal) => {
  const bytes = bytesOf(found)
  expect([includes(bytes, wanted), equals(bytes, wanted)]).toEqual([included, equal])
})
