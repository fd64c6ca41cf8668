import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { Turns } from './turns.ts'

test('one goes on in each turn of the event loop, in the order of arrival', async () => {
  const turns = new Turns()
  const order: number[] = []
  for (const i of [1, 2, 3]) void turns.next().then(() => order.push(i))
  const seen: number[] = []
  while (order.length < 3) {
    seen.push(order.length)
    await setImmediate()
  }
  expect(order).toEqual([1, 2, 3])
  // Never two of them between two looks.
  expect(new Set(seen)).toEqual(new Set([0, 1, 2]))
})
