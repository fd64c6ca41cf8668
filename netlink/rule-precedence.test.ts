import { expect, test } from '@jest/globals'
import { parseCidr } from '../inet/address.ts'
import { parseLinkName } from '../inet/link-name.ts'
import type { Rule, RuleAddition } from './rule.ts'
import { isDeletable, rulesBefore } from './rule-precedence.ts'

const spec: RuleAddition = { family: 'ipv4', priority: 2048, source: parseCidr('10.0.1.7/32'), table: 1070 }
const own: Rule = { ...spec, action: 1, special: false }
const other: Rule = { ...own, table: 999 }

test.each<[string, Rule[], Rule[]]>([
  ['before ours', [other, own], [other]],
  ['behind ours', [own, other], []],
  ['where ours is missing', [other], [other]],
  ['of another priority', [{ ...other, priority: 2047 }, own], []],
  ['of a further selector', [{ ...other, inputDevice: parseLinkName('eth0') }, own], []],
  ['of another mask', [{ ...other, mark: { value: 1, mask: 1 } }, own], []],
  ['inverted', [{ ...other, special: true }, own], []],
  ['that drops', [{ ...other, action: 6 }, own], []],
])('a rule to another table %s', (_, rules, before) => {
  expect(rulesBefore(spec, rules)).toEqual(before)
})

test('a rule for all packets is nobody’s own', () => {
  const { source: _, ...all } = spec
  const { source: __, ...othersAll } = other
  expect(rulesBefore(all, [othersAll])).toEqual([])
})

test('a rule is not deleted when the kernel would take one with more selectors for it', () => {
  const narrow: Rule = { ...other, inputDevice: parseLinkName('eth0') }
  expect(isDeletable(other, [other, narrow])).toBe(true)
  expect(isDeletable(other, [narrow, other])).toBe(false)
  expect(isDeletable(narrow, [other, narrow])).toBe(true)
  expect(isDeletable(other, [{ ...narrow, table: 5 }, other])).toBe(true)
})
