import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { findCniBinary, goModuleVersion } from './cni-binary.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'terway-bin-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test.each([
  ['1.1.2', false],
  ['1.2.0', true],
  ['1.10.3', true],
  ['2.0.0', true],
  ['0.9.0', false],
])("a plugin with release %s of Go's CNI library", (version, speaksNewest) => {
  const list = `\nmod\tgithub.com/containernetworking/plugins\t(devel)\t\ndep\tgithub.com/containernetworking/cni\tv${version}\th1:x=\n`
  writeFileSync(join(directory, 'portmap'), `\0ELF${list}\0`)
  expect(findCniBinary(directory, 'portmap')).toEqual({ speaksNewest })
})

test('a plugin that does not tell, or a file that is none, is taken for an old one', () => {
  writeFileSync(join(directory, 'portmap'), '#!/bin/sh\n')
  expect(findCniBinary(directory, 'portmap')).toEqual({ speaksNewest: false })
  expect(findCniBinary(directory, 'firewall')).toBeUndefined()
  expect(findCniBinary(join(directory, 'none'), 'portmap')).toBeUndefined()
})

test('the list of modules in an executable that Go has built', () => {
  const [esbuild = ''] = globSync('node_modules/@esbuild/linux-*/bin/esbuild')
  expect(goModuleVersion(readFileSync(esbuild), 'golang.org/x/sys')).toEqual([0, 0])
  expect(goModuleVersion(readFileSync(esbuild), 'golang.org/x')).toBeUndefined()
})
