/**
 * The pool against its rivals on all traces, or on those named: what pods wait, what lies idle, what is called.
 * `hack/node test/bench/planner/main.ts [--json] [--seed=1] [trace…]`
 */
import { parseArgs } from 'node:util'
import { AWS } from './aws.ts'
import { ORIGINALS } from './original.ts'
import type { Strategy } from './strategy.ts'
import { type Row, renderJson, renderTable } from './table.ts'
import { OURS } from './terway.ts'
import { traces } from './trace.ts'

const STRATEGIES: readonly Strategy[] = [...OURS, ...ORIGINALS, ...AWS]

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, seed: { type: 'string', default: '1' } },
  allowPositionals: true,
})
const seed = Number(values.seed)
const all = traces(seed)
const unknown = positionals.filter((name) => !all.some((trace) => trace.name === name))
if (unknown.length > 0 || !Number.isInteger(seed)) {
  console.error(`unknown: ${[...unknown, values.seed].join(', ')}; traces: ${all.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const chosen = all.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const rows: Row[] = []
for (const trace of chosen) {
  for (const strategy of STRATEGIES) {
    rows.push({ trace: trace.name, strategy: strategy.name, score: await strategy.run(trace, seed) })
  }
}
if (values.json) {
  console.log(renderJson(rows))
} else {
  console.log(renderTable(rows))
  console.log(['', ...chosen.map(({ name, description }) => `${name}: ${description}`), ''].join('\n'))
  console.log(STRATEGIES.map(({ name, remark }) => `${name}: ${remark ?? ''}`).join('\n'))
}
