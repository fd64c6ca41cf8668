import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { matchesGlob } from './glob.ts'

test.each([
  ['Describe*', 'DescribeInstances', true],
  ['Describe*', 'Describe', true],
  ['Describe*', 'TagResources', false],
  ['*Interface', 'CreateNetworkInterface', true],
  ['*Network*', 'CreateNetworkInterface', true],
  ['meta-data/ram/*', 'meta-data/ram/security-credentials/a', true],
  ['a*a', 'a', false],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'a-c-b', false],
  ['a*bc*c', 'abc', false],
  ['a.c', 'abc', false],
  ['*', '', true],
  ['', '', true],
  ['', 'a', false],
])('%s and %s: %s', (pattern, text, expected) => {
  expect(matchesGlob(pattern, text)).toBe(expected)
})

test('agrees with the regular expression', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
  fc.assert(
    fc.property(part, text, (pattern, subject) => {
      expect(matchesGlob(pattern, subject)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(subject))
    }),
  )
})
