import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { withLoopDelay } from './loop-delay.ts'

function keepBusy(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

test.each([
  ['at once', async () => keepBusy(20)],
  [
    'later',
    async () => {
      await setImmediate()
      keepBusy(20)
      await setImmediate()
    },
  ],
])('whoever keeps the loop busy %s is seen, and all pauses make up the run', async (_, run) => {
  const began = performance.now()
  const { delays } = await withLoopDelay(run)
  const took = performance.now() - began
  const sum = delays.reduce((total, one) => total + one, 0)
  expect(Math.max(...delays)).toBeGreaterThanOrEqual(20)
  expect(sum).toBeLessThanOrEqual(took)
})
