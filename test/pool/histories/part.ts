/** A quarter of the histories that every run of the tests plays, so that all cores have something to do. */
import { expect, test } from '@jest/globals'
import { playApart } from './apart.ts'
import { lacking } from './counted.ts'
import { tableOf } from './tally.ts'

const PARTS = 4
/** The same each time; TERWAY_POOL_FIRST begins elsewhere, TERWAY_POOL_HISTORIES plays more. */
const { TERWAY_POOL_FIRST: first = '0', TERWAY_POOL_HISTORIES: histories = '10000' } = process.env
/** For making a failure smaller, ms. */
const PATIENCE = 30_000
/** Of one history on a busy machine, ms. */
const LONGEST = 400

export function testPart(part: number): void {
  const count = Math.ceil(Number(histories) / PARTS)
  const from = Number(first) + part * count

  test(
    `whatever happens in ${count} histories from seed ${from} on, no invariant breaks and the pool comes to rest`,
    async () => {
      const began = performance.now()
      const { tally, failure } = await playApart({ from, count, patience: PATIENCE })
      const perSecond = (1_000 * count) / (performance.now() - began)
      process.stdout.write(`histories from seed ${from} on, ${perSecond.toFixed(0)} a second:\n${tableOf(tally)}\n`)
      if (failure !== undefined) throw new Error(failure)
      expect(tally.get('histories')).toBe(count)
      expect(lacking(tally)).toEqual([])
    },
    PATIENCE + count * LONGEST,
  )
}
