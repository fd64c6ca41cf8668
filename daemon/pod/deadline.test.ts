import { getEventListeners } from 'node:events'
import { expect, test } from '@jest/globals'
import { within } from './deadline.ts'

const NEVER = 1_000_000

/** Rejects with the reason that it is given up for. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

test('a task that ends leaves neither a timer nor a listener', async () => {
  const { signal } = new AbortController()
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  expect(await within(NEVER, signal, async () => timers())).toBe(before + 1)
  await expect(within(NEVER, signal, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  expect([timers(), getEventListeners(signal, 'abort')]).toEqual([before, []])
})

test('time is up', async () => {
  const { signal } = new AbortController()
  await expect(within(5, signal, untilAborted)).rejects.toMatchObject({ name: 'TimeoutError' })
})

test('who asked goes away, before or meanwhile', async () => {
  const [gone, going] = [AbortSignal.abort(new Error('gone')), new AbortController()]
  await expect(within(NEVER, gone, untilAborted)).rejects.toThrow('gone')
  const waiting = within(NEVER, going.signal, untilAborted)
  going.abort(new Error('went'))
  await expect(waiting).rejects.toThrow('went')
})
