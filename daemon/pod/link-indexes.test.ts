import { expect, test } from '@jest/globals'
import { LinkIndexes } from './link-indexes.ts'

test.each<[readonly number[], number]>([
  [[], 1_000_000],
  [[1, 2, 7], 1_000_000],
  [[1, 1_000_009, 1_000_004], 1_000_010],
  // Of an ENI's slave: 0x7000_0000 and the ENI's index.
  [[1, 1_000_009, 0x7000_0003], 1_000_010],
])('with %j on the node the next one is %d', (taken, first) => {
  const indexes = new LinkIndexes(taken)
  expect([indexes.next(), indexes.next()]).toEqual([first, first + 1])
})
