import { expect, test } from '@jest/globals'
import type { Eni } from '../cloud/eni.ts'
import type { EniId } from '../region/ids.ts'
import type { StaleList } from './fault.ts'
import { shownEnis } from './wrong-list.ts'

/** `a` was renamed, `b` made and `c` deleted since 5 s ago. */
const eni = (id: string, name = '') => ({ id, name }) as Eni
const NOW = [eni('a', 'new'), eni('b')]
const THEN = [eni('a', 'old'), eni('c')]

function shown(lists: readonly StaleList[], lag = 0): string[] {
  const asOf = (milliseconds: number) => (milliseconds >= 5000 ? THEN : NOW)
  return shownEnis(asOf, lag, lists).map(({ id, name }) => `${id} ${name}`.trim())
}
const id = (text: string) => text as EniId

test.each<[readonly StaleList[], string[]]>([
  [[], ['a new', 'b']],
  [[{ by: 5000 }], ['a old', 'c']],
  [[{ by: 4999 }], ['a new', 'b']],
  [[{ by: 5000, eni: id('a') }], ['a old', 'b']],
  [[{ by: 5000, eni: id('b') }], ['a new']],
  [[{ by: 5000, eni: id('c') }], ['a new', 'b', 'c']],
  [
    [{ by: 5000 }, { by: 1000, eni: id('a') }],
    ['a new', 'c'],
  ],
])('%j', (lists, enis) => {
  expect(shown(lists)).toEqual(enis)
})

test('being late comes on top of being late anyhow', () => {
  expect(shown([{ by: 3000 }], 2000)).toEqual(['a old', 'c'])
})
