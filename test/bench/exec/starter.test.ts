import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import type { Exec } from './protocol.ts'
import { Starter, spanOf } from './starter.ts'

function shell(script: string, { stdin = '', env = {} }: { stdin?: string; env?: Record<string, string> } = {}): Exec {
  return { argv: ['/bin/sh', '-c', script], env: { PATH: '/usr/bin:/bin', ...env }, stdin }
}

test('a process gets its input and its environment and nothing else, and what it says comes back', async () => {
  await using starter = new Starter()
  const run = await starter.one(
    shell('cat; echo " $GREETING $HOME" >&2', { stdin: 'héllo\n', env: { GREETING: 'hi' } }),
  )
  expect(run).toMatchObject({ status: 0, stdout: 'héllo\n', stderr: ' hi \n' })
  expect(run.began).toBeGreaterThan(0)
})

test('many are there at the same time, and each answer is with its question', async () => {
  await using starter = new Starter()
  const directory = mkdtempSync(join(tmpdir(), 'terway-starter-'))
  try {
    // Each waits for the last one, and gives up after ten seconds: one after the other they would wait in vain.
    const wait = 'for i in $(seq 1000); do [ -e "$MARK" ] && break; sleep 0.01; done; cat "$MARK"; printf $NUMBER'
    const env = (number: number) => ({ env: { MARK: join(directory, 'mark'), NUMBER: String(number) } })
    const last = shell('printf "here " > "$MARK"; printf $NUMBER', env(2))
    const runs = await starter.atOnce([shell(wait, env(0)), shell(wait, env(1)), last])
    expect(runs.map(({ stdout }) => stdout)).toEqual(['here 0', 'here 1', '2'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('one that fails is an error with its last words', async () => {
  await using starter = new Starter()
  await expect(starter.one(shell('echo out of cheese >&2; exit 3'))).rejects.toThrow(/ended with 3: out of cheese/)
  expect(await starter.one(shell('true'))).toMatchObject({ status: 0 })
})

test('processes span the time from the first start to the last end', () => {
  const run = { status: 0, stdout: '', stderr: '' }
  const runs = [
    { ...run, began: 100, took: 5 },
    { ...run, began: 102, took: 20 },
    { ...run, began: 104, took: 8 },
  ]
  expect(spanOf(runs)).toBe(22)
})
