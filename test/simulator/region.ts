/** Regions for tests: that of conf/regions/two-nodes.yaml, changed where the test needs it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { parseRegion } from '../../simulator/region/parse.ts'
import type { Region } from '../../simulator/region/region.ts'

export const REGION_FILE = join(import.meta.dirname, '../../conf/regions/two-nodes.yaml')

export const NO_LATENCY = {
  create: 0,
  attach: 0,
  detach: 0,
  delete: 0,
  assign: 0,
  unassign: 0,
  metadata: 0,
  link: 0,
}

/** `changes` replace keys at the top of the file. */
export function regionText(changes: Readonly<Record<string, unknown>> = {}): string {
  return stringify({ ...parse(readFileSync(REGION_FILE, 'utf8')), ...changes })
}

export function testRegion(changes: Readonly<Record<string, unknown>> = {}): Region {
  return parseRegion(regionText(changes), 'the test region')
}
