import { expect, test } from '@jest/globals'
import { poolOf } from '../../test/pool/state-builder.ts'
import { firstFillOf } from './first-fill.ts'

/** A journal with so many ENIs on record. */
function journalOf(enis: number) {
  const facts = new Map<string, unknown>()
  let count = enis
  return {
    getFact: (name: string) => facts.get(name),
    putFact: (name: string, value: unknown) => void facts.set(name, value),
    loadPool: () => poolOf(Object.fromEntries(Array.from({ length: count }, (_, i) => [`eni-${i}`, {}]))),
    grow: () => {
      count += 1
    },
  }
}

test('a new node is filled once, also over starts with its first ENIs on record', () => {
  const journal = journalOf(0)
  expect(firstFillOf(journal).isDone()).toBe(false)
  journal.grow()
  const second = firstFillOf(journal)
  expect(second.isDone()).toBe(false)
  second.done()
  expect([second.isDone(), firstFillOf(journal).isDone()]).toEqual([true, true])
})

test('a node that an earlier version has served with is not new, also when its ENIs have gone back', () => {
  const journal = journalOf(2)
  expect(firstFillOf(journal).isDone()).toBe(true)
  expect(firstFillOf({ ...journal, loadPool: () => poolOf({}) }).isDone()).toBe(true)
})
