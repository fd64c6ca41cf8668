import { expect, test } from '@jest/globals'
import { Groups } from './groups.ts'

test('members are found by what they have in common, in the order in which they came', () => {
  const groups = new Groups<string, number>()
  for (const member of [2, 1, 2]) groups.add('even', member)
  groups.add('odd', 3)
  expect([groups.of('even'), groups.of('odd'), groups.of('none')]).toEqual([[2, 1], [3], []])
  groups.delete('even', 2)
  groups.delete('even', 7)
  groups.delete('none', 1)
  expect([groups.of('even'), groups.of('odd')]).toEqual([[1], [3]])
  groups.delete('even', 1)
  expect(groups.of('even')).toEqual([])
})

test('one that moves is in its new group only, one that stays keeps its place', () => {
  const groups = new Groups<string, number>()
  groups.move(1, undefined, 'a')
  groups.move(2, undefined, 'a')
  groups.move(1, 'a', 'a')
  expect(groups.of('a')).toEqual([1, 2])
  groups.move(1, 'a', 'b')
  expect([groups.of('a'), groups.of('b')]).toEqual([[2], [1]])
  groups.move(1, 'b', undefined)
  expect([groups.of('a'), groups.of('b')]).toEqual([[2], []])
})
