import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { DaemonLog, loggedIn, spanOfCalls } from './daemon-log.ts'

const done = (verb: string, time: number, milliseconds: number) =>
  JSON.stringify({ level: 30, time, node: 'n', verb, code: 0, milliseconds, msg: 'CNI call done' })
const removed = (containerId: string) => JSON.stringify({ level: 30, time: 1, containerId, msg: 'endpoint removed' })

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-log-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true })
})

test('a log is read from where it was, and a line that is half written is read when it is whole', () => {
  const file = join(directory, 'log')
  writeFileSync(file, `${done('ADD', 1, 1)}\n`)
  using log = new DaemonLog(file)
  expect(log.take()).toEqual({ calls: [], removed: [] })
  const line = done('ADD', 1_010, 4)
  appendFileSync(file, `${removed('c1')}\n${line.slice(0, 20)}`)
  expect(log.take()).toEqual({ calls: [], removed: ['c1'] })
  appendFileSync(file, `${line.slice(20)}\n`)
  expect(log.take().calls).toEqual([{ msg: 'CNI call done', verb: 'ADD', time: 1_010, milliseconds: 4 }])
})

test('failed calls, other messages and what is no JSON are left out', () => {
  const failed = JSON.stringify({ verb: 'ADD', time: 5, milliseconds: 3, code: 11, msg: 'CNI call failed' })
  const { calls } = loggedIn(['terwayd: out of cheese', failed, '{"msg":"serving"}', done('DEL', 9, 1)])
  expect(calls.map(({ verb }) => verb)).toEqual(['DEL'])
})

test('calls span the time from the first request, which need not be the first that was done', () => {
  const { calls } = loggedIn([done('ADD', 110, 5), done('ADD', 120, 20), done('ADD', 130, 8)])
  expect(spanOfCalls(calls)).toBe(30)
})
