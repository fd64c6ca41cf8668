import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { conflist, writeConflist } from './conflist.ts'

const DEFAULTS = { socket: '/var/run/eni/eni.socket', spoolDirectory: '/var/run/terway/spool' }

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-conflist-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('the form that containerd 1.6, 1.7 and 2.x all take', () => {
  expect(JSON.parse(conflist(DEFAULTS))).toEqual({
    cniVersion: '1.0.0',
    cniVersions: ['0.4.0', '1.0.0', '1.1.0'],
    name: 'terway',
    plugins: [{ type: 'terway' }],
  })
})

test('paths that are not the defaults of the plugin are told to it', () => {
  const [plugin] = JSON.parse(conflist({ socket: '/a/s', spoolDirectory: '/a/spool' })).plugins
  expect(plugin).toEqual({ type: 'terway', daemon_socket: '/a/s', spool_dir: '/a/spool' })
})

test('it is written once, and again only when its content changes', () => {
  const path = join(directory, '10-terway.conflist')
  expect(writeConflist(directory, conflist(DEFAULTS))).toBe(true)
  const { ino } = statSync(path)
  expect(writeConflist(directory, conflist(DEFAULTS))).toBe(false)
  expect(statSync(path).ino).toBe(ino)
  expect(writeConflist(directory, conflist({ ...DEFAULTS, socket: '/a/s' }))).toBe(true)
  expect(readFileSync(path, 'utf8')).toContain('/a/s')
  expect(readdirSync(directory)).toEqual(['10-terway.conflist'])
})
