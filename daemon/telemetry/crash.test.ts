import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

/** Runs a process that handles its faults as the daemon does, and hands back its status and the lines of its log. */
function run(fault: string) {
  const module = (name: string) => JSON.stringify(join(import.meta.dirname, name))
  const script = `
    import { endOnUncaught } from ${module('crash.ts')}
    import { createLogger } from ${module('log.ts')}
    endOnUncaught(createLogger('info', 'node-a'))
    setInterval(() => {}, 1000)
    ${fault}`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  return { status, lines: stderr.trim().split('\n') }
}

test.each([
  ['an exception in a callback', "setTimeout(() => { throw new Error('broken') })", 'uncaughtException'],
  ['a rejection that nobody handles', "void Promise.reject(new Error('broken'))", 'unhandledRejection'],
])('%s is one line of the log with its stack, and the end', (_, fault, event) => {
  const { status, lines } = run(fault)
  expect(status).toBe(1)
  expect(lines).toHaveLength(1)
  const line = JSON.parse(lines[0] ?? '')
  expect(line).toMatchObject({ level: 60, node: 'node-a', event, err: { message: 'broken' } })
  expect(line.err.stack).toMatch(/^Error: broken\n\s+at /)
})
