import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseLinkName } from '../../inet/link-name.ts'
import { homeNetns } from '../../netlink/netns.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { hasEnded, presenceOf } from './netns-presence.ts'

const HOME = '/proc/self/ns/net'
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-presence-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('the namespace on record, and another under its path', () => {
  using home = homeNetns()
  expect(presenceOf({ netns: HOME, netnsId: home.identity })).toBe('there')
  expect(presenceOf({ netns: HOME, netnsId: '1:1' })).toBe('gone')
})

test('nothing at the path, or what an unmounted namespace leaves behind', () => {
  const file = join(directory, 'empty')
  writeFileSync(file, '')
  expect(presenceOf({ netns: join(directory, 'nothing'), netnsId: '1:1' })).toBe('gone')
  expect(presenceOf({ netns: file, netnsId: '1:1' })).toBe('gone')
})

test('a path that cannot be followed says nothing about the pod', () => {
  const loop = join(directory, 'loop')
  symlinkSync(loop, loop)
  expect(presenceOf({ netns: loop, netnsId: '1:1' })).toBe('unknown')
})

test('a pod has ended when its link is gone as well', () => {
  const endpoint = {
    netns: join(directory, 'x'),
    netnsId: '1:1',
    hostLink: parseLinkName('cali0123456789a'),
  } as Endpoint
  expect(hasEnded(endpoint, () => true)).toBe(false)
  expect(hasEnded(endpoint, () => false)).toBe(true)
})
