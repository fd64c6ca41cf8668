import { expect, test } from '@jest/globals'
import type { Eni } from '../cloud/eni.ts'
import type { EniId } from '../region/ids.ts'
import type { WrongList } from './fault.ts'
import { shownEnis } from './wrong-list.ts'

/** `a` was renamed, `b` made and `c` deleted since 5 s ago. */
const eni = (id: string, name = '') => ({ id, name }) as Eni
const NOW = [eni('a', 'new'), eni('b')]
const THEN = [eni('a', 'old'), eni('c')]

function shown(wrong: readonly WrongList[], lag = 0): string[] {
  const asOf = (milliseconds: number) => (milliseconds >= 5000 ? THEN : NOW)
  return shownEnis(asOf, lag, wrong).map(({ id, name }) => `${id} ${name}`.trim())
}
const id = (text: string) => text as EniId

test.each<[readonly WrongList[], string[]]>([
  [[], ['a new', 'b']],
  [[{ kind: 'stale', by: 5000 }], ['a old', 'c']],
  [[{ kind: 'stale', by: 4999 }], ['a new', 'b']],
  [[{ kind: 'stale', by: 5000, eni: id('a') }], ['a old', 'b']],
  [[{ kind: 'stale', by: 5000, eni: id('b') }], ['a new']],
  [[{ kind: 'stale', by: 5000, eni: id('c') }], ['a new', 'b', 'c']],
  [[{ kind: 'missing', eni: id('b'), pick: 0 }], ['a new']],
  [[{ kind: 'missing', pick: 0 }], ['b']],
  [[{ kind: 'missing', pick: 0.99 }], ['a new']],
  [[{ kind: 'missing', eni: id('x'), pick: 0 }], ['a new', 'b']],
  [
    [
      { kind: 'stale', by: 5000 },
      { kind: 'missing', eni: id('a'), pick: 0 },
    ],
    ['c'],
  ],
])('%j', (wrong, enis) => {
  expect(shown(wrong)).toEqual(enis)
})

test('being late comes on top of being late anyhow', () => {
  expect(shown([{ kind: 'stale', by: 3000 }], 2000)).toEqual(['a old', 'c'])
})
