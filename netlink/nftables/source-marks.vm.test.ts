/** Where the kernel cannot ask for a packet's connection: here its module is not to be had. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseIp } from '../../inet/address.ts'
import { until } from '../../test/cluster/process.ts'
import { run, TestNamespaces } from '../../test/kernel/namespaces.ts'
import type { Netns } from '../netns.ts'
import { type SourceMark, SourceMarks } from './source-marks.ts'

/** Where the kernel finds the program that loads modules for it. */
const MODPROBE = '/proc/sys/kernel/modprobe'
const RULE = 'ct direction reply ct status dnat return'
const A: SourceMark = { source: parseIp('10.0.0.1'), mark: 0x00100000 }
const B: SourceMark = { source: parseIp('fd00::1'), mark: 0x00200000 }

let spaces: TestNamespaces
let netns: Netns
let modprobe: string

const ruleset = () => run(netns, 'nft', 'list', 'ruleset')

beforeEach(async () => {
  spaces = new TestNamespaces('tw-vm-nft-')
  netns = spaces.create('node')
  modprobe = readFileSync(MODPROBE, 'utf8')
  // So that what else this takes is loaded.
  using marks = new SourceMarks({ netns })
  marks.add([A])
  marks.remove([A])
  await until(unloaded, { what: 'nft_ct to be of no use' })
  writeFileSync(MODPROBE, '/bin/false')
})

afterEach(() => {
  writeFileSync(MODPROBE, modprobe)
  spaces[Symbol.dispose]()
})

/** Not while a table that an earlier test has deleted is still being taken apart. */
function unloaded(): true | undefined {
  try {
    execFileSync('/kernel/busybox', ['rmmod', 'nft_ct'], { stdio: 'pipe' })
  } catch {
    // The list of modules tells whether it is gone.
  }
  return readFileSync('/proc/modules', 'utf8').includes('nft_ct ') ? undefined : true
}

test('sources are marked all the same, and nothing is amiss', () => {
  using marks = new SourceMarks({ netns })
  marks.add([A])
  expect(ruleset()).not.toContain('ct ')
  expect(ruleset()).toMatch(/policy accept;\n\s+ip saddr vmap @pods4\n\s+ip6 saddr vmap @pods6\n/)
  expect(marks.read()).toEqual({ problems: [], marks: new Map([[A.source, A.mark]]) })

  // Another process finds out for itself.
  using later = new SourceMarks({ netns })
  expect(later.read().problems).toEqual(['altered rules of chain inet terway_routing prerouting'])
  later.repair([A])
  expect(later.read().problems).toEqual([])
  later.add([B])
  run(netns, 'nft', 'flush', 'chain', 'inet', 'terway_routing', 'prerouting')
  expect(later.read().problems).toEqual(['altered rules of chain inet terway_routing prerouting'])
  later.repair([B])
  expect(later.read()).toEqual({ problems: [], marks: new Map([[B.source, B.mark]]) })
  later.remove([B])
  expect(ruleset()).toBe('')
})

test('a rule that another process could add, since the module has come, is fine', () => {
  using marks = new SourceMarks({ netns })
  marks.add([A])
  writeFileSync(MODPROBE, modprobe)
  using later = new SourceMarks({ netns })
  later.add([B])
  expect(ruleset()).toContain(RULE)
  expect(marks.read().problems).toEqual([])
  expect(later.read().problems).toEqual([])
})
