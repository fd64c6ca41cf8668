/** The tests that documents name exist, under that name in that file. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..', '..')
/** Defects of the original that concern what there is not yet. */
const NOT_YET = ['Q2', 'Q8']

/** Cells of the table in a document, its head left out. */
function rows(document: string): string[][] {
  const [, , ...lines] = readFileSync(join(ROOT, 'docs', document), 'utf8').match(/^\|.*\|$/gm) ?? []
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

interface NamedTest {
  readonly file: string
  readonly name: string
}

/** `file` › name; `file` › name */
function testsIn(cell: string): NamedTest[] {
  return cell.split(/; (?=`)/).map((text) => {
    const [, file = '', name = ''] = /^`([^`]+\.test\.ts)` › (.+)$/.exec(text) ?? []
    return { file, name }
  })
}

/** A string of the source, as whoever wrote the test has quoted it. */
function isTest({ file, name }: NamedTest): boolean {
  const path = join(ROOT, file)
  if (name === '' || !existsSync(path)) return false
  const source = readFileSync(path, 'utf8')
  return [`'${name}'`, `"${name}"`, `\`${name}\``].some((quoted) => source.includes(quoted))
}

test.each(['cni-acceptance.md', 'quirks.md'])('every test that docs/%s names exists', (document) => {
  const table = rows(document).filter(([number = '']) => !NOT_YET.includes(number))
  const missing = table.flatMap((row) => testsIn(row.at(-1) ?? '').filter((one) => !isTest(one)))
  expect(table.length).toBeGreaterThan(10)
  expect(missing).toEqual([])
})
