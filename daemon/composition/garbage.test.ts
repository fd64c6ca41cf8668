import { afterEach, expect, jest, test } from '@jest/globals'
import { pino } from 'pino'
import type { GcFinding } from '../pod/gc.ts'
import type { Sweep } from '../pod/sweep.ts'
import { countGarbage, sweepRegularly } from './garbage.ts'

const finding = (kind: GcFinding['kind'], fields: GcFinding['fields']): GcFinding => ({
  ...{ kind, fields, level: 'warn', message: 'because' },
})

test.each<[GcFinding, string[]]>([
  [finding('released', { eni: 'eni-1', ip: '10.0.0.1,10.0.0.2' }), ['eni']],
  [finding('stray', { eni: 'eni-1' }), ['eni']],
  [finding('lost', { eni: 'eni-1', podsCutOff: '' }), ['eni']],
  [finding('lost', { eni: 'eni-1', ip: '10.0.0.1' }), ['address']],
  [finding('lost', { eni: 'eni-1', prefix: '10.0.0.0/28', podsCutOff: '' }), ['prefix']],
  [finding('removed', { pod: 'default/web', containerId: 'c', ip: '10.0.0.1' }), ['endpoint']],
  [finding('removed', { ip: '10.0.0.1', owner: 'c/eth0' }), ['address']],
  [finding('removed', {}), []],
  [finding('failed', { pod: 'default/web', containerId: 'c' }), []],
  [finding('suspected', { eni: 'eni-1' }), []],
  [finding('ghost', { eni: 'eni-1', ip: '10.0.0.1' }), []],
])('of %j is counted %j', (found, counted) => {
  const seen: string[] = []
  countGarbage({ observeGarbage: (what, count) => seen.push(...new Array<string>(count).fill(what)) })(found)
  expect(seen).toEqual(counted)
})

afterEach(() => {
  jest.useRealTimers()
})

test('a sweep that takes longer than the pause between two is not joined by another', async () => {
  jest.useFakeTimers()
  let sweeps = 0
  const gate = Promise.withResolvers<void>()
  const run = async () => {
    sweeps += 1
    if (sweeps === 2) await gate.promise
    return { findings: [], suspects: new Set<never>() }
  }
  const parts = { sweep: { run } as unknown as Sweep, removed: () => undefined }
  const timer = await sweepRegularly(parts, pino({ level: 'silent' }))
  await jest.advanceTimersByTimeAsync(5 * 60_000)
  expect(sweeps).toBe(2)
  gate.resolve()
  await jest.advanceTimersByTimeAsync(60_000)
  clearInterval(timer)
  expect(sweeps).toBe(3)
})

test('each sweep is told to who counts, and one that fails keeps no other from its turn', async () => {
  jest.useFakeTimers()
  let sweeps = 0
  const run = async () => {
    sweeps += 1
    if (sweeps === 2) throw new Error('the kernel is away')
    return { findings: [finding('removed', { containerId: `c${sweeps}` }) as never], suspects: new Set<never>() }
  }
  const told: unknown[] = []
  const removed = ({ fields }: GcFinding) => told.push(fields.containerId)
  const timer = await sweepRegularly({ sweep: { run } as unknown as Sweep, removed }, pino({ level: 'silent' }))
  await jest.advanceTimersByTimeAsync(2 * 60_000)
  clearInterval(timer)
  expect(told).toEqual(['c1', 'c3'])
})
