/** The house's import rule, as the linter enforces it: a tree of one-line files, each with one import. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..', '..')
const RULE = 'hack/lint/import-rule.json'

const FORBIDDEN: readonly (readonly [path: string, specifier: string])[] = [
  ['inet/a.ts', '../netlink/plan.ts'],
  ['netlink/a.ts', '../cloud/ecs.ts'],
  ['netlink/b.ts', '../daemon/pool/pool.ts'],
  ['netlink/c.ts', 'koffi'],
  ['cloud/a.ts', '../netlink/plan.ts'],
  ['simulator/a.ts', '../cloud/ecs.ts'],
  ['simulator/api/a.ts', '../../daemon/main.ts'],
  ['daemon/pool/a.ts', '../../simulator/simulator.ts'],
  ['daemon/a.ts', 'koffi'],
  ['daemon/pod/a.ts', 'node:child_process'],
  ['cni-plugin/a.ts', '../daemon/main.ts'],
  ['cni-plugin/b.ts', '../netlink/plan.ts'],
  ['cli/a.ts', '../daemon/main.ts'],
]
const ALLOWED: readonly (readonly [path: string, specifier: string])[] = [
  ['daemon/pool/b.ts', '../../netlink/plan.ts'],
  ['simulator/api/b.ts', '../cloud/cloud.ts'],
  ['simulator/fabric/command.ts', 'node:child_process'],
  ['netlink/ffi.ts', 'koffi'],
  ['cli/b.ts', '../proto/contract.ts'],
  ['test/e2e/a.ts', '../../daemon/main.ts'],
]

let tree: string
let report: string
beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'terway-house-'))
  mkdirSync(join(tree, dirname(RULE)), { recursive: true })
  cpSync(join(ROOT, RULE), join(tree, RULE))
  const { $schema: _, vcs: __, ...config } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'))
  writeFileSync(join(tree, 'biome.json'), JSON.stringify(config))
  for (const [path, specifier] of [...FORBIDDEN, ...ALLOWED]) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), `import * as x from '${specifier}'\n\nconsole.log(x)\n`)
  }
  const biome = join(ROOT, 'node_modules/.bin/biome')
  const { stdout, stderr } = spawnSync(biome, ['lint', '--max-diagnostics=none'], { cwd: tree, encoding: 'utf8' })
  report = stdout + stderr
})
afterAll(() => rmSync(tree, { recursive: true, force: true }))

/** The rules that the linter reports for the file. */
const reported = (path: string): string[] =>
  report.split('\n').flatMap((line) => (line.startsWith(`${path}:`) ? [line.split(' ')[1] ?? ''] : []))

test.each(FORBIDDEN)('%s may not import %s', (path) => {
  expect(reported(path)).toContain('lint/style/noRestrictedImports')
})

test.each(ALLOWED)('%s may import %s', (path) => {
  expect(reported(path)).not.toContain('lint/style/noRestrictedImports')
})
