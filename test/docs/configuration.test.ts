/** The table of eni_conf in docs/operations.md has every key that the daemon knows, and no other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { KNOWN_KEYS } from '../../daemon/config/eni-conf.ts'
import { NO_EFFECT, pathsOf } from '../../daemon/config/keys.ts'

const GUIDE = join(import.meta.dirname, '..', '..', 'docs', 'operations.md')

function keysInDocs(): string[] {
  const section = readFileSync(GUIDE, 'utf8').split('\n## eni_conf\n')[1]?.split('\n## ')[0] ?? ''
  const rows = [...section.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = '']) => cell)
  return rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, key = '']) => key)).sort()
}

test('every key of eni_conf is explained to the operator, once, and every explained one exists', () => {
  expect(keysInDocs()).toEqual([...pathsOf(KNOWN_KEYS), ...Object.keys(NO_EFFECT)].sort())
})
