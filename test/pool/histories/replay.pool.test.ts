import { expect, test } from '@jest/globals'
import { inOrder, textOf } from './history.ts'
import { play } from './play.ts'
import { shrink } from './shrink.ts'
import { historyOf } from './trial.ts'

/** Names that are drawn anew each time: tokens, ids of requests. */
const NAMES = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

/** All that happened, in order. */
async function recordOf(seed: number): Promise<readonly string[]> {
  const lines: string[] = []
  await play(historyOf(seed), (line) => lines.push(line.replaceAll(NAMES, 'name')))
  return lines
}

const SEEDS = Array.from({ length: 12 }, (_, index) => 500 + index)

test.each(SEEDS)('seed %i draws the same history again, and it goes the same way to the last call', async (seed) => {
  expect(textOf(historyOf(seed))).toBe(textOf(historyOf(seed)))
  const first = await recordOf(seed)
  expect(first.length).toBeGreaterThan(50)
  expect(await recordOf(seed)).toEqual(first)
})

test('other seeds draw other histories', () => {
  expect(new Set(SEEDS.map((seed) => textOf(historyOf(seed)))).size).toBe(SEEDS.length)
})

test('a failure is made as small as it can be', async () => {
  const history = historyOf(7)
  const [first, last] = [inOrder(history.events).at(0), inOrder(history.events).at(-1)]
  if (first === undefined || last === undefined) throw new Error('the history is empty')
  /** It takes both, and only in this mode. */
  const attempt = async ({ scene, events }: typeof history) =>
    events.includes(first) && events.includes(last) && scene.mode === history.scene.mode
      ? new Error(`pod ${events.length} has 10.0.0.${events.length}`)
      : undefined
  const { history: smallest } = await shrink({ history, error: await attempt(history) }, attempt, 60_000)
  expect(inOrder(smallest.events)).toEqual([first, last])
  expect(smallest.scene).toMatchObject({ mode: history.scene.mode, more: {}, transit: 0, size: 'tiny' })
})
