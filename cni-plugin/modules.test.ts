/** What a start of the plugin loads: every pod pays for it. */
import { join } from 'node:path'
import { beforeAll, expect, test } from '@jest/globals'
import { build, type Metafile } from 'esbuild'

const MAIN = 'cni-plugin/main.ts'

let inputs: Metafile['inputs']
beforeAll(async () => {
  const { metafile } = await build({
    absWorkingDir: join(import.meta.dirname, '..'),
    entryPoints: [MAIN],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
  })
  inputs = metafile.inputs
})

/** Node's own modules that are loaded with the file, without what it imports later on. */
function builtinsOf(entry: string): string[] {
  const found = new Set<string>()
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const { path, kind, external } of inputs[file]?.imports ?? []) {
      if (kind === 'dynamic-import') continue
      if (external === true) found.add(path)
      else visit(path)
    }
  }
  visit(entry)
  return [...found].sort()
}

test('it is made of its own files and the contracts alone', () => {
  const files = Object.keys(inputs)
  expect(files.filter((file) => !/^(cni-plugin|proto|inet)\/|^package\.json$/.test(file))).toEqual([])
  expect(files).toContain('cni-plugin/grpc/unary.ts')
})

test("of Node's modules the start takes what Node has loaded by itself, the call the sockets", () => {
  const start = ['node:fs', 'node:path/posix', 'node:util/types']
  expect(builtinsOf(MAIN)).toEqual(start)
  expect(builtinsOf('cni-plugin/call.ts')).toEqual(['node:net'])
})

test('what is seldom needed is loaded when it is', () => {
  const later = Object.entries(inputs).flatMap(([file, { imports }]) =>
    imports.filter(({ kind }) => kind === 'dynamic-import').map(({ path }) => `${file} -> ${path}`),
  )
  expect(later).toEqual(['cni-plugin/perform.ts -> cni-plugin/call.ts', 'cni-plugin/perform.ts -> cni-plugin/spool.ts'])
  expect(builtinsOf('cni-plugin/spool.ts')).toContain('node:crypto')
})
