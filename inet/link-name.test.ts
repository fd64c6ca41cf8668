import { expect, test } from '@jest/globals'
import { LinkNameError, parseLinkName } from './link-name.ts'

test.each(['eth0', 'calic95a4947e07', 'a.b', 'veth1'])('%s is a link name', (name) => {
  expect(parseLinkName(name)).toBe(name)
})

test.each([
  '',
  '.',
  '..',
  'a/b',
  'a:b',
  'a b',
  'a\tb',
  'a\0b',
  'sixteen-letters-',
  'éééééééé',
  '../../etc/passwd',
  'x'.repeat(300),
])('%j is refused', (name) => {
  expect(() => parseLinkName(name)).toThrow(LinkNameError)
})
