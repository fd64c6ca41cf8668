/** The table of errors in docs/operations.md is the catalogue: what the programs can say is in it, and nothing else. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..', '..')

function reasonsInCode(): string[] {
  const files = globSync(['proto/*.ts', 'cni-plugin/*.ts', 'daemon/**/*.ts'], { cwd: ROOT })
  const sources = files
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
  const given = sources.flatMap((text) => [...text.matchAll(/\breason: (?:\w+ \? )?'([a-z-]+)'(?: : '([a-z-]+)')?/g)])
  const pool = readFileSync(join(ROOT, 'daemon/pool/error.ts'), 'utf8').matchAll(/^ {2}\| '([a-z-]+)'/gm)
  // What is no CniError leaves the daemon under this reason: daemon/cni/error.ts.
  return [...new Set(['internal', ...given.flatMap(([, a, b]) => [a, b]), ...[...pool].map(([, a]) => a)])]
    .filter((r) => r !== undefined)
    .sort()
}

function reasonsInDocs(): string[] {
  const table = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8').split('## Errors of a CNI call')[1] ?? ''
  const cells = [...table.matchAll(/^\| \d+(?:, \d+)* \| ([^|]+) \|/gm)].map(([, cell = '']) => cell)
  return [
    ...new Set(cells.flatMap((cell) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, reason = '']) => reason))),
  ].sort()
}

test('every reason that a CNI call can fail with is explained to the operator, and every explained one exists', () => {
  expect(reasonsInDocs()).toEqual(reasonsInCode())
})
