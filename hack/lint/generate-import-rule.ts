/**
 * Writes `hack/lint/import-rule.json`, the part of Biome's configuration that enforces who may import whom. The table
 * is the house (architecture, section 2); Biome matches an import by its text, so each folder depth has its own
 * patterns. `--check` fails when the file in the tree is not what the table gives.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const TARGET = 'hack/lint/import-rule.json'
const DEEPEST = 3

/** Top folder → the other top folders it may import. Tests, `test/` and `hack/` may import anything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  inet: [],
  proto: ['inet'],
  netlink: ['inet'],
  cloud: ['inet'],
  kube: ['inet'],
  'cni-plugin': ['proto', 'inet'],
  cli: ['proto', 'inet'],
  daemon: ['netlink', 'cloud', 'kube', 'proto', 'inet'],
  controlplane: ['netlink', 'cloud', 'kube', 'proto', 'inet'],
  // Never daemon or cloud: the simulator must not share the client's bugs.
  simulator: ['netlink', 'inet'],
}
const FOLDERS = [...Object.keys(MAY_IMPORT), 'conf', 'hack', 'test']

type Paths = Readonly<Record<string, string>>
const KOFFI: Paths = { koffi: 'only netlink/ffi.ts talks to libc: setns and raw sockets have one owner' }
const SPAWN: Paths = { 'node:child_process': 'only simulator/fabric/command.ts, hack/ and test/ start processes' }

function override(includes: string, folder: string, depth: number, paths: Paths): object {
  const allowed = MAY_IMPORT[folder] ?? []
  const forbidden = FOLDERS.filter((other) => other !== folder && !allowed.includes(other))
  const group = forbidden.map((other) => `${'../'.repeat(depth)}${other}/**`)
  const message = `${folder}/ may import ${[...allowed, 'itself'].join(', ')}: imports point down only (docs/adr/0001)`
  const options = { paths, patterns: [{ group, message }] }
  return {
    includes: [includes],
    linter: { rules: { style: { noRestrictedImports: { level: 'error', options } } } },
  }
}

const folderRules = Object.keys(MAY_IMPORT).flatMap((folder) =>
  Array.from({ length: DEEPEST }, (_, i) =>
    override(`${folder}/${'*/'.repeat(i)}*.ts`, folder, i + 1, { ...KOFFI, ...SPAWN }),
  ),
)
const exceptions = [
  override('netlink/ffi.ts', 'netlink', 1, SPAWN),
  override('simulator/fabric/command.ts', 'simulator', 2, KOFFI),
  {
    includes: ['**/*.test.ts', 'test/**', 'hack/**'],
    linter: { rules: { style: { noRestrictedImports: 'off' } } },
  },
]
const text = `${JSON.stringify({ overrides: [...folderRules, ...exceptions] }, null, 2)}\n`

if (process.argv.includes('--check')) {
  if (readFileSync(TARGET, 'utf8') !== text) {
    console.error(`${TARGET} is stale: run "make house"`)
    process.exitCode = 1
  }
} else {
  writeFileSync(TARGET, text)
}
