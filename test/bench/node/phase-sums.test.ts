import { expect, test } from '@jest/globals'
import { Histogram, Registry } from 'prom-client'
import { phaseSums, phasesOfOneCall } from './phase-sums.ts'

/** As the daemon prints it. */
async function textAfter(observations: readonly (readonly [verb: string, phase: string, seconds: number])[]) {
  const registry = new Registry()
  const labelNames = ['verb', 'phase']
  const histogram = new Histogram({ name: 'terway_cni_phase_seconds', help: 'x', labelNames, registers: [registry] })
  for (const [verb, phase, seconds] of observations) histogram.observe({ verb, phase }, seconds)
  return await registry.metrics()
}

const FIRST = [
  ['ADD', 'parse', 0.001],
  ['ADD', 'kernel', 0.004],
  ['DEL', 'kernel', 0.5],
] as const

test('what one call added to the sums is what its phases took, whatever other verbs did', async () => {
  const before = phaseSums(await textAfter(FIRST), 'ADD')
  const then = [
    ['ADD', 'parse', 0.002],
    ['ADD', 'kernel', 0.003],
    ['DEL', 'kernel', 0.5],
  ] as const
  const phases = phasesOfOneCall(before, phaseSums(await textAfter([...FIRST, ...then]), 'ADD'))
  expect([...phases.keys()]).toEqual(['parse', 'kernel'])
  expect(phases.get('parse')).toBeCloseTo(2)
  expect(phases.get('kernel')).toBeCloseTo(3)
})

test('the first call of a daemon is one too', async () => {
  expect(phasesOfOneCall(new Map(), phaseSums(await textAfter(FIRST), 'ADD')).get('kernel')).toBeCloseTo(4)
})

test('two calls between two readings are refused, and a daemon without the histogram has no phases', async () => {
  const twice = phaseSums(await textAfter([...FIRST, ...FIRST]), 'ADD')
  expect(() => phasesOfOneCall(new Map(), twice)).toThrow(/parse was observed 2 times/)
  expect(phaseSums('process_open_fds 20\n', 'ADD').size).toBe(0)
})
