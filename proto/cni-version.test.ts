import { expect, test } from '@jest/globals'
import { atLeast, CNI_VERBS, CNI_VERSIONS, parseCniVersion } from './cni-version.ts'

test('every supported version is known to ADD and DEL', () => {
  for (const version of CNI_VERSIONS) {
    expect(parseCniVersion(version, 'ADD')).toBe(version)
    expect(parseCniVersion(version, 'DEL')).toBe(version)
  }
})

test.each([
  ['CHECK', '0.3.1', '0.4.0'],
  ['GC', '1.0.0', '1.1.0'],
  ['STATUS', '1.0.0', '1.1.0'],
] as const)('%s is not part of %s but of %s', (verb, before, first) => {
  expect(() => parseCniVersion(before, verb)).toThrow(
    `version-unsupported: ${verb} needs cniVersion ${first} or newer, the configuration states ${before}`,
  )
  expect(parseCniVersion(first, verb)).toBe(first)
})

test.each(['', '0.1.0', '0.2.0', '1.2.0', '1.1', 'latest'])('version %j is refused with the list', (text) => {
  for (const verb of CNI_VERBS) {
    expect(() => parseCniVersion(text, verb)).toThrow(
      expect.objectContaining({ code: 1, details: 'supported versions: 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0' }),
    )
  }
})

test('versions are ordered by age', () => {
  expect(atLeast('1.1.0', '1.0.0')).toBe(true)
  expect(atLeast('0.4.0', '0.4.0')).toBe(true)
  expect(atLeast('0.3.1', '0.4.0')).toBe(false)
})
