/**
 * What the cloud client adds to the daemon's start: a fresh process loads what the daemon has loaded without it, then
 * everything that the daemon takes from cloud/. One measurement to a process: modules stay loaded. `cloud.import` is
 * the client in one file, as it ships; `cloud.import.source` the same from its sources.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { bundle } from '../../hack/bundle.ts'
import { type BenchLine, benchLine } from './line.ts'

const ROOT = join(import.meta.dirname, '../..')
const ONCE = join(import.meta.dirname, 'cloud-import-once.ts')
const CLIENT = join(import.meta.dirname, 'cloud-client.ts')
const SAMPLE = z.object({ milliseconds: z.number(), bytes: z.number() })
type Sample = z.infer<typeof SAMPLE>

/** @param n processes of each kind; a process takes about half a second. */
export async function benchCloudImport(n: number): Promise<readonly BenchLine[]> {
  // Inside the tree, so that the packages that are left out are found.
  const scratch = mkdtempSync(join(import.meta.dirname, '.bundle-'))
  try {
    const file = join(scratch, 'client.mjs')
    writeFileSync(file, await bundle({ entry: CLIENT, format: 'esm', external: ['zod'] }))
    // Side by side: a machine that becomes busy slows both.
    const pairs = Array.from({ length: n }, () => [sample(file), sample(CLIENT)] as const)
    return [
      ...lines(
        'cloud.import',
        pairs.map(([shipped]) => shipped),
      ),
      ...lines(
        'cloud.import.source',
        pairs.map(([, source]) => source),
      ),
    ]
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** The compile cache would make every sample but the first one look better than a node's first start. */
function sample(module: string): Sample {
  const env = { ...process.env, NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: '1' }
  return SAMPLE.parse(JSON.parse(execFileSync(join(ROOT, 'hack/node'), [ONCE, module], { encoding: 'utf8', env })))
}

function lines(name: string, samples: readonly Sample[]): readonly BenchLine[] {
  return [
    benchLine(
      { name, unit: 'ms' },
      samples.map(({ milliseconds }) => milliseconds),
    ),
    benchLine(
      { name: `${name}.rss`, unit: 'MB' },
      samples.map(({ bytes }) => bytes / 1e6),
    ),
  ]
}
