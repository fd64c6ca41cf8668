import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { BENCHES } from '../benches.ts'
import { BUDGETS, judged } from '../budget.ts'
import { BENCH_LINE, type BenchLine, benchLine } from '../line.ts'
import { performanceReport } from './performance.ts'
import { REMARKS } from './remarks.ts'
import { DOCS } from './write.ts'

/** Of every bench, each with the same three samples. */
function run(...samples: readonly [number, number, number]): BenchLine[] {
  const names = BENCHES.flatMap(({ lines }) => lines).filter((name) => !name.endsWith('.*'))
  const phases = ['exec', 'start', 'read', 'connect', 'call', 'rpc', 'daemon.parse', 'daemon.kernel', 'print', 'exit']
  const all = [...names, ...phases.map((phase) => `cni.add.phase.${phase}`)]
  return all.map((name) => judged(benchLine({ name, unit: 'ms' }, samples)))
}

function documentOf(lines: readonly BenchLine[], remarks = {}): string {
  return performanceReport(lines, remarks).get('performance.md') ?? ''
}

test('every budget has its row, met or not', () => {
  const met = documentOf(run(0, 0, 0))
  expect(met.match(/\| met \|/g)).toHaveLength(BUDGETS.length)
  expect(met).toContain('Every target that was measured is met.')
  const missed = documentOf(run(1e4, 1e4, 1e4))
  expect(missed.match(/\| \*\*not met\*\* \|/g)).toHaveLength(BUDGETS.length)
})

test('a figure that misses its target has its remark, or the place where one is missing', () => {
  const lines = run(0, 0, 0).map((line) =>
    line.name.startsWith('cni.del.daemon') ? judged({ ...line, p50: 9 }) : line,
  )
  expect(documentOf(lines)).toMatch(/- `cni\.del\.daemon`: not explained yet; .*remarks\.json/)
  const remarks = {
    'cni.del.daemon': { floor: 'the kernel.', tried: 'waiting.' },
    'cni.add.runtime': { floor: 'x', tried: 'y' },
  }
  const document = documentOf(lines, remarks)
  expect(document).toContain('- `cni.del.daemon`. Floor: the kernel. Tried: waiting.')
  expect(document).not.toContain('- `cni.add.runtime`')
})

test('the phases of a call stand for it, in the order of time, and their shares make up the whole', () => {
  const [, section = ''] = documentOf(run(1, 1, 1)).split('## One ADD')
  const rows = [...section.matchAll(/^\| ((?:daemon: )?[a-z]+) \|.*\| (\d+) % \|$/gm)]
  expect(rows.map(([, phase]) => phase)).toEqual([
    ...['exec', 'start', 'read', 'connect', 'rpc', 'daemon: parse', 'daemon: kernel', 'print', 'exit'],
  ])
  expect(rows.map(([, , share]) => share)).toEqual(Array.from({ length: 9 }, () => '11'))
})

test('what was not measured is said, and without the points of the plots there is no report', () => {
  const without = (name: string) => run(1, 1, 1).filter((line) => !line.name.startsWith(name))
  expect(documentOf(without('peer.ptp'))).toContain('| `ptp` with `host-local` | – | – | – | – |')
  expect(documentOf(without('daemon.rss'))).toMatch(/\| `daemon\.rss\.250` .*\| not measured \|/)
  expect(() => documentOf(without('cni.add.pods'))).toThrow(/no cni\.add\.pods\.0: .* all benches/)
})

test('a quick run is called one', () => {
  const lines = run(1, 1, 1)
  expect(documentOf(lines)).toContain('| samples | all |')
  expect(documentOf(lines.map((line) => ({ ...line, quick: true })))).toContain('| samples | **quick**: ')
})

test('a remark is about a figure that has a budget', () => {
  const names = BUDGETS.map(({ name }) => name)
  expect(Object.keys(REMARKS).filter((name) => !names.includes(name))).toEqual([])
})

test('what is in docs/ is what the run beside it gives', () => {
  const text = readFileSync(join(DOCS, 'performance', 'run.jsonl'), 'utf8')
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => BENCH_LINE.parse(JSON.parse(line)))
  for (const [path, content] of performanceReport(lines, REMARKS)) {
    expect([path, readFileSync(join(DOCS, path), 'utf8')]).toEqual([path, content])
  }
})
