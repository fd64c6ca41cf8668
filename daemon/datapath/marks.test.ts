import { describe, expect, test } from '@jest/globals'
import { parseCidr } from '../../inet/address.ts'
import type { Rule } from '../../netlink/rule.ts'
import { linkMarkOf, markOf } from './marks.ts'

const rule = (table: number, value: number, part: Partial<Rule> = {}): Rule => ({
  ...{ family: 'ipv4', priority: 2048, action: 1, special: false, table, mark: { value, mask: 0x0ff0_0000 } },
  ...part,
})

describe('the mark of a link', () => {
  test('is the lowest that no other link has', () => {
    expect(markOf(7, { rules: [], remembered: [] })).toBe(0x10_0000)
    expect(markOf(7, { rules: [rule(1005, 0x10_0000)], remembered: [{ ifindex: 6, mark: 0x20_0000 }] })).toBe(0x30_0000)
    expect(markOf(7, { rules: [rule(1005, 0x20_0000)], remembered: [] })).toBe(0x10_0000)
  })

  test('stays what the rules of the node say, whatever is remembered', () => {
    const rules = [rule(1005, 0x10_0000), rule(1007, 0xf0_0000, { family: 'ipv6' })]
    expect(markOf(7, { rules, remembered: [{ ifindex: 7, mark: 0x20_0000 }] })).toBe(0xf0_0000)
  })

  test('stays what is remembered when the rules are gone', () => {
    const remembered = [
      { ifindex: 6, mark: 0x10_0000 },
      { ifindex: 7, mark: 0x50_0000 },
    ]
    expect(markOf(7, { rules: [], remembered })).toBe(0x50_0000)
  })

  test('is one of 255, and the next one finds none', () => {
    const remembered: { ifindex: number; mark: number }[] = []
    for (let ifindex = 1; ifindex <= 255; ifindex++) {
      remembered.push({ ifindex, mark: markOf(ifindex, { rules: [], remembered }) })
    }
    expect(remembered.at(-1)?.mark).toBe(0xff0_0000)
    expect(new Set(remembered.map(({ mark }) => mark)).size).toBe(255)
    expect(() => markOf(256, { rules: [], remembered })).toThrow('all 255 marks')
  })
})

test.each<[string, Rule]>([
  ['another mask', rule(1007, 0, { mark: { value: 0x10_0000, mask: 0xffff_ffff } })],
  ['a mark beyond the mask', rule(1007, 0x10_0001)],
  ['another priority', rule(1007, 0x10_0000, { priority: 512 })],
  ['a table of no link', rule(254, 0x10_0000)],
  ['a source', rule(1007, 0x10_0000, { source: parseCidr('10.0.0.7/32') })],
  ['what is not understood', rule(1007, 0x10_0000, { special: true })],
])('a rule with %s says nothing of a link', (_, one) => {
  expect(linkMarkOf(one)).toBeUndefined()
})
