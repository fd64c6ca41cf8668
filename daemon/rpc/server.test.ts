import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { CniHandlers } from '../../proto/generated/terway/cni/v1/Cni.ts'
import type { InspectHandlers } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { RepairHandlers } from '../../proto/generated/terway/repair/v1/Repair.ts'
import { type RunningServer, SocketError, serve } from './server.ts'

/** These tests open the socket and never call: what the services do is tested where they are. */
const SERVICES = { cni: {} as CniHandlers, inspect: {} as InspectHandlers, repair: {} as RepairHandlers }

let directory: string
let path: string
let running: RunningServer | undefined
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-socket-'))
  path = join(directory, 'run', 'eni.socket')
})
afterEach(async () => {
  await running?.stop()
  running = undefined
  rmSync(directory, { recursive: true, force: true })
})

test('the socket is for root alone, in a directory for root alone', async () => {
  running = await serve(path, SERVICES)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
})

test('a directory that is there keeps its mode', async () => {
  mkdirSync(dirname(path))
  chmodSync(dirname(path), 0o755)
  running = await serve(path, SERVICES)
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o755)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test.each([0o775, 0o757, 0o1777])('a directory of mode %o, in which others can write, is refused', async (mode) => {
  mkdirSync(dirname(path))
  chmodSync(dirname(path), mode)
  await expect(serve(path, SERVICES)).rejects.toThrow(SocketError)
  await expect(serve(path, SERVICES)).rejects.toThrow(`has mode ${mode.toString(8).padStart(4, '0')}; chown it`)
  expect(existsSync(path)).toBe(false)
})

/** Only root can give a directory away. */
const asRoot = process.getuid?.() === 0 ? test : test.skip
asRoot('a directory of another user is refused', async () => {
  mkdirSync(dirname(path), { mode: 0o700 })
  chownSync(dirname(path), 65_534, 65_534)
  await expect(serve(path, SERVICES)).rejects.toThrow(/belongs to user 65534/)
})

test('what a killed daemon left is replaced', async () => {
  running = await serve(path, SERVICES)
  await running.stop()
  // A process that dies does not unlink its socket.
  const bind = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  expect(() => execFileSync(process.execPath, ['-e', bind])).toThrow()
  expect(existsSync(path)).toBe(true)
  running = await serve(path, SERVICES)
  expect(statSync(path).isSocket()).toBe(true)
})

test('a daemon that answers is not pushed aside', async () => {
  running = await serve(path, SERVICES)
  await expect(serve(path, SERVICES)).rejects.toThrow(/another daemon answers/)
})

test('a file that is no socket is left alone', async () => {
  const file = join(directory, 'file')
  writeFileSync(file, 'precious')
  await expect(serve(file, SERVICES)).rejects.toThrow(SocketError)
  expect(existsSync(file)).toBe(true)
})
