/** Puts the report where it belongs. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { BenchLine } from '../line.ts'
import { performanceReport } from './performance.ts'
import { REMARKS } from './remarks.ts'

export const DOCS = join(import.meta.dirname, '..', '..', '..', 'docs')

/** @returns the files. @throws RangeError when the run is not of all benches: then nothing is written. */
export function writeReport(lines: readonly BenchLine[]): string[] {
  return [...performanceReport(lines, REMARKS)].map(([path, content]) => {
    const file = join(DOCS, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    return file
  })
}
