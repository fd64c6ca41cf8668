/**
 * The record: figures that have been measured once and must not grow. It is written anew, on purpose, by
 * `RECORD=1 make test-guard`, and what has changed in it is then read like any other change of the source.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { compare, type Tolerance } from './compare.ts'
import type { Figures } from './figures.ts'

const FILE = join(import.meta.dirname, 'recorded.json')

const schema = z.record(z.string(), z.number())

/**
 * Compares figures with those on record, or records them.
 * @param of what they are of: the first part of their names
 * @returns one line for each that is not as recorded
 */
export function unlikeRecord(of: string, measured: Figures, tolerance: Tolerance = {}): string[] {
  const all = existsSync(FILE) ? schema.parse(JSON.parse(readFileSync(FILE, 'utf8'))) : {}
  const isOurs = (name: string) => name.startsWith(`${of}.`)
  const ours = Object.entries(measured).map(([name, figure]) => [`${of}.${name}`, figure] as const)
  if (process.env.RECORD === '1') {
    record([...Object.entries(all).filter(([name]) => !isOurs(name)), ...ours.filter(([, figure]) => figure !== 0)])
    return []
  }
  const recorded = Object.fromEntries(Object.entries(all).filter(([name]) => isOurs(name)))
  return compare({ measured: Object.fromEntries(ours), recorded, tolerance })
}

/** A line for each, by name. */
function record(figures: readonly (readonly [string, number])[]): void {
  const sorted = figures.toSorted(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`)
}
