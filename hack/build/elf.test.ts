import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { buildIdOf, ElfError, fitsPages, machineOf, notesOf, strip } from './elf.ts'
import { hostPlatform } from './platform.ts'

/** The Node that runs this test: the very file that is packed. */
const NODE = readFileSync(process.execPath)
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tw-elf-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

test('a stripped executable is smaller, is the same program, and runs', () => {
  const stripped = strip(NODE)
  const file = join(directory, 'node')
  writeFileSync(file, stripped, { mode: 0o755 })
  expect(execFileSync(file, ['--version'], { encoding: 'utf8' })).toBe(`${process.version}\n`)
  expect(NODE.length - stripped.length).toBeGreaterThan(10_000_000)
  expect(buildIdOf(stripped)).toBe(buildIdOf(NODE))
  expect(strip(stripped).equals(stripped)).toBe(true)
})

test('what is told of an executable', () => {
  const { machine, pageSize } = hostPlatform()
  expect(machineOf(NODE)).toBe(machine)
  expect(fitsPages(NODE, pageSize)).toBe(true)
  expect(fitsPages(NODE, 2 ** 40)).toBe(false)
  expect(notesOf(NODE).map(({ name }) => name)).toContain('GNU')
})

test('what is no executable of 64 bits is refused', () => {
  for (const bytes of [Buffer.from('#!/bin/sh\n'), Buffer.alloc(64), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1])]) {
    expect(() => machineOf(bytes)).toThrow(ElfError)
    expect(() => strip(bytes)).toThrow(ElfError)
  }
})
