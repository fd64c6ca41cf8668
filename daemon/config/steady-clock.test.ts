import { expect, test } from '@jest/globals'
import { steadyClock } from './steady-clock.ts'

function machine() {
  const state = { boot: 'b1', up: 5_000, wall: 1_000_000 }
  const facts = new Map<string, unknown>()
  const journal = {
    getFact: (name: string) => facts.get(name),
    putFact: (name: string, value: unknown) => void facts.set(name, structuredClone(value)),
  }
  const pieces = { bootId: () => state.boot, monotonic: () => state.up, wall: () => state.wall }
  return { state, start: () => steadyClock(journal, pieces) }
}

test('begins at what the machine says and goes on with its uptime', () => {
  const { state, start } = machine()
  const now = start()
  expect(now()).toBe(1_000_000)
  state.up += 30_000.9
  expect(now()).toBe(1_030_000)
})

test('does not notice that the clock is set, also not over a restart of the daemon', () => {
  const { state, start } = machine()
  const first = start()
  state.wall += 3_600_000
  expect(first()).toBe(1_000_000)
  state.up += 1_000
  expect(start()()).toBe(1_001_000)
})

test('begins anew when the machine has', () => {
  const { state, start } = machine()
  start()
  Object.assign(state, { boot: 'b2', up: 10, wall: 9_000_000 })
  expect(start()()).toBe(9_000_000)
})

test('is near the wall clock on this machine', () => {
  const now = steadyClock({ getFact: () => undefined, putFact: () => undefined })
  expect(Math.abs(now() - Date.now())).toBeLessThan(1_000)
})
