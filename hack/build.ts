/**
 * Builds `dist/terway`, the CNI plugin as one executable file that is started by the Node which runs this script, and
 * prints what it built.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { bundle } from './bundle.ts'

/**
 * Bundles the plugin into one file. CommonJS, because it starts faster than a module and needs no package.json where
 * it is installed; the one written beside it shields it from the project's own, which declares modules.
 */
export async function buildPlugin(target: string): Promise<void> {
  const entry = join(import.meta.dirname, '..', 'cni-plugin', 'main.ts')
  const contents = await bundle({ entry, format: 'cjs', banner: startedBy(process.execPath) })
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(join(dirname(target), 'package.json'), '{ "type": "commonjs" }\n')
  // A runtime may be executing the old file (ETXTBSY), hence a new one in its place.
  const scratch = `${target}.${process.pid}.tmp`
  writeFileSync(scratch, contents, { mode: 0o755 })
  renameSync(scratch, target)
}

/**
 * The plugin inherits the runtime's environment, and Node obeys NODE_OPTIONS before any code of ours runs: a debugger's
 * `--require` there would fail every pod of the node. So a shell drops it; to Node the second line is a text and a
 * comment.
 */
function startedBy(node: string): string {
  if (/['\n]/.test(node)) throw new Error(`the path of Node must have no quotes: ${node}`)
  return `#!/bin/sh\n':' //; unset NODE_OPTIONS; exec '${node}' "$0" "$@"`
}

function describe(file: string): string {
  const content = readFileSync(file)
  const sha256 = createHash('sha256').update(content).digest('hex')
  return `${basename(file).padEnd(12)}${String(content.length).padStart(10)}  ${sha256}`
}

if (import.meta.main) {
  const target = join(import.meta.dirname, '..', 'dist', 'terway')
  await buildPlugin(target)
  console.log(`${'file'.padEnd(12)}${'bytes'.padStart(10)}  sha256`)
  console.log(describe(target))
}
