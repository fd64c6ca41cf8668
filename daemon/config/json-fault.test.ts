import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { jsonFault } from './json-fault.ts'

test.each([
  ['', 'line 1, column 1'],
  ['{"a": 1,\n  "b": x}', 'line 2, column 8'],
  ['{"a": 1,}', 'line 1, column 9'],
  ['{"a" 1}', 'line 1, column 6'],
  ['[1, 2', 'line 1, column 6'],
  ['[1}', 'line 1, column 3'],
  ['{} {}', 'line 1, column 4'],
  ['{"a": "b\n"}', 'line 1, column 7'],
  ['["\\x"]', 'line 1, column 2'],
  ['01', 'line 1, column 2'],
  ['1.', 'line 1, column 2'],
])('%j: %s', (text, place) => {
  expect(jsonFault(text)).toBe(place)
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false // which is what is asked
  }
}

test('there is a fault when JSON.parse finds one, and only then', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"\\u00e9"',
    '"\\',
    '-1.5e+3',
    '0',
    '-',
    'true',
    'nul',
    ' ',
    '\n',
    '\u00a0',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 9 }), (list) => {
      const text = list.join('')
      expect(jsonFault(text) === undefined).toBe(isJson(text))
    }),
    { numRuns: 5_000 },
  )
})

test('JSON with something left out or put in between', () => {
  const edited = fc.tuple(fc.json(), fc.nat(), fc.nat(2), fc.constantFrom('', ',', '}', '"', 'x', '1'))
  fc.assert(
    fc.property(edited, ([json, at, cut, insert]) => {
      const place = at % (json.length + 1)
      const text = json.slice(0, place) + insert + json.slice(place + cut)
      expect(jsonFault(json)).toBeUndefined()
      expect(jsonFault(text) === undefined).toBe(isJson(text))
    }),
    { numRuns: 1_000 },
  )
})
