/** The table of metrics in docs/operations.md has every metric that the daemon shows, and no other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { KeptReports } from '../../daemon/pool/report/reports.ts'
import { createMetrics } from '../../daemon/telemetry/metrics.ts'
import { LoopDelay } from '../../daemon/telemetry/process-metrics.ts'

const GUIDE = join(import.meta.dirname, '..', '..', 'docs', 'operations.md')

async function shown(): Promise<string[]> {
  const reports = new KeptReports(pino({ level: 'silent' }))
  const { registry } = createMetrics({
    ...{ node: 'node-a', pool: () => undefined, reports, forgotten: () => 0, budget: () => [] },
  })
  using _ = new LoopDelay(registry)
  return (await registry.getMetricsAsJSON()).map(({ name }) => name).sort()
}

/** `…_idle` stands for the first name of its row with another end: of `names` the one with the longest beginning. */
function spelledOut(written: readonly string[], names: readonly string[]): string[] {
  const [first = ''] = written
  return written.map((name) => {
    if (!name.startsWith('…')) return name
    const words = first.split('_')
    const beginnings = words.map((_, index) => words.slice(0, words.length - index).join('_'))
    return beginnings.map((beginning) => beginning + name.slice(1)).find((whole) => names.includes(whole)) ?? name
  })
}

function explained(names: readonly string[]): string[] {
  const section = readFileSync(GUIDE, 'utf8').split('\n## Metrics\n')[1]?.split('\n## ')[0] ?? ''
  const rows = [...section.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = '']) => cell)
  return rows
    .flatMap((cell) =>
      spelledOut(
        [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
        names,
      ),
    )
    .sort()
}

test('every metric is explained to the operator, once, and every explained one exists', async () => {
  const names = await shown()
  expect(explained(names)).toEqual(names)
})
