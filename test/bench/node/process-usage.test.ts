import { expect, test } from '@jest/globals'
import { cpuTime, residentMemory } from './process-usage.ts'

test('memory that is written to is resident', () => {
  const before = residentMemory(process.pid)
  const kept = Buffer.alloc(64_000_000, 1)
  expect(residentMemory(process.pid) - before).toBeGreaterThan(50)
  expect(kept[kept.length - 1]).toBe(1)
})

test('time on a CPU grows while something is computed, and of a process that is not there nothing is told', () => {
  const before = cpuTime(process.pid)
  let state = 1
  for (let i = 0; i < 5_000_000; i++) state = (Math.imul(state, 1_664_525) + 1) | 0
  expect(state).not.toBe(0)
  expect(cpuTime(process.pid)).toBeGreaterThan(before)
  expect(() => residentMemory(2 ** 22 + 1)).toThrow(/ENOENT/)
})
