import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { encodeSpooledDel, spoolFileName } from '../../proto/spool.ts'
import { Spool } from './spool.ts'

const log = pino({ level: 'silent' })
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-spool-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function leave(containerId: string): void {
  const del = { containerId, netns: '', ifname: 'eth0', args: '', config: Buffer.from('{}'), spooledAt: 1 }
  writeFileSync(join(directory, spoolFileName(del)), encodeSpooledDel(del))
}

test('every DEL is carried out once and its file removed', async () => {
  leave('c1')
  leave('c2')
  const done: string[] = []
  const spool = new Spool({ directory, log, del: async ({ detachment }) => void done.push(detachment.containerId) })
  await spool.drain()
  await spool.drain()
  expect(done.sort()).toEqual(['c1', 'c2'])
  expect(readdirSync(directory)).toEqual([])
})

test('a DEL that fails stays for the next time and holds up no other', async () => {
  leave('bad')
  leave('good')
  const done: string[] = []
  let failing = true
  const del = async ({ detachment }: { detachment: { containerId: string } }) => {
    if (failing && detachment.containerId === 'bad') throw new Error('disk full')
    done.push(detachment.containerId)
  }
  const spool = new Spool({ directory, log, del })
  await spool.drain()
  expect(done).toEqual(['good'])
  failing = false
  await spool.drain()
  expect(done).toEqual(['good', 'bad'])
  expect(readdirSync(directory)).toEqual([])
})

test('a file that cannot be understood, or names no container, is dropped', async () => {
  writeFileSync(join(directory, `${'0'.repeat(64)}.json`), '{"version":1')
  leave('../../etc/passwd')
  const spool = new Spool({ directory, log, del: async () => Promise.reject(new Error('must not be called')) })
  await spool.drain()
  expect(readdirSync(directory)).toEqual([])
})

test('an unfinished file is left to its writer until that must be dead', async () => {
  const path = join(directory, `.${'0'.repeat(64)}.json.77.tmp`)
  writeFileSync(path, '{')
  const spool = new Spool({ directory, log, del: async () => undefined })
  await spool.drain()
  expect(existsSync(path)).toBe(true)
  utimesSync(path, 0, 0)
  await spool.drain()
  expect(existsSync(path)).toBe(false)
})

test('a spool that somebody removed is made again', async () => {
  const done: string[] = []
  const spool = new Spool({ directory, log, del: async ({ detachment }) => void done.push(detachment.containerId) })
  rmSync(directory, { recursive: true })
  await spool.drain()
  leave('c1')
  await spool.drain()
  expect(done).toEqual(['c1'])
})

test('what arrives while the daemon runs is carried out too', async () => {
  const arrived = Promise.withResolvers<string>()
  const spool = new Spool({ directory, log, del: async ({ detachment }) => arrived.resolve(detachment.containerId) })
  const stop = new AbortController()
  spool.follow(stop.signal)
  leave('late')
  expect(await arrived.promise).toBe('late')
  stop.abort()
})
