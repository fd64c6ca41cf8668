import { expect, test } from '@jest/globals'
import { PLUGIN_PHASES, pluginPhases } from './plugin-trace.ts'

const trace = { phases: { start: 15, read: 1, connect: 2, call: 4, print: 0.5 }, startedAt: 1_003 }
const run = { began: 1_000, took: 28, status: 0, stdout: '{}' }

test('the phases make up the whole time, with what is before and after what the process sees of itself', () => {
  const phases = pluginPhases({ ...run, stderr: `a warning\n${JSON.stringify(trace)}\n` })
  expect(phases).toEqual({ exec: 3, ...trace.phases, exit: 2.5 })
  expect(Object.keys(phases ?? {}).toSorted()).toEqual([...PLUGIN_PHASES].toSorted())
})

test('a plugin that tells nothing has no phases, and one that tells something else is a fault', () => {
  expect(pluginPhases({ ...run, stderr: '' })).toBeUndefined()
  expect(() => pluginPhases({ ...run, stderr: '{"phases":{"start":"long"},"startedAt":1}' })).toThrow(/start/)
})
