import { expect, test } from '@jest/globals'
import { playApart } from '../histories/apart.ts'
import { MUTANTS } from './mutants.ts'

/** A bug must show in so many histories. */
const BOUND = 400
const SHARE = { from: 0, count: BOUND, patience: 0 }
const PATIENCE = 300_000

test(
  'without a bug no history fails, by the same way',
  async () => {
    const { failure, tally } = await playApart(SHARE, '')
    expect([failure, tally.get('histories')]).toEqual([undefined, BOUND])
  },
  PATIENCE,
)

test.each(MUTANTS)(
  'is caught: $name',
  async ({ name }) => {
    const { failure, tally } = await playApart(SHARE, name)
    const [why = 'survived'] = failure?.split('\n') ?? []
    process.stdout.write(`${name}: after ${tally.get('histories') ?? 0} histories, ${why}\n`)
    expect(failure).toBeDefined()
  },
  PATIENCE,
)

test(
  'a mutant that is none is refused',
  async () => {
    await expect(playApart(SHARE, 'nobody')).rejects.toThrow('there is no mutant "nobody"')
  },
  PATIENCE,
)
