/** The scores as a table for people and as lines of JSON for programs. */
import type { Score } from './score.ts'

export interface Row {
  readonly trace: string
  readonly strategy: string
  readonly score: Score
}

interface Column {
  readonly title: string
  readonly isText?: boolean
  cell(row: Row): string
}

const seconds = (ms: number) => (ms / 1000).toFixed(2)
const COLUMNS: readonly Column[] = [
  { title: 'trace', isText: true, cell: ({ trace }) => trace },
  { title: 'strategy', isText: true, cell: ({ strategy }) => strategy },
  { title: 'pods', cell: ({ score }) => String(score.pods) },
  { title: 'unserved', cell: ({ score }) => String(score.unserved) },
  { title: 'calls/pod', cell: ({ score }) => score.callsPerPod.toFixed(3) },
  { title: 'waited %', cell: ({ score }) => (score.waited * 100).toFixed(1) },
  { title: 'mean s', cell: ({ score }) => seconds(score.wait.mean) },
  { title: 'p50 s', cell: ({ score }) => seconds(score.wait.p50) },
  { title: 'p99 s', cell: ({ score }) => seconds(score.wait.p99) },
  { title: 'max s', cell: ({ score }) => seconds(score.wait.max) },
  { title: 'idle addr-h', cell: ({ score }) => score.idleAddressHours.toFixed(1) },
  { title: 'ENI-h', cell: ({ score }) => score.eniHours.toFixed(1) },
]

/** Aligned, a blank line between traces. */
export function renderTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => COLUMNS.map((column) => column.cell(row)))
  const widths = COLUMNS.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]?.length ?? 0)),
  )
  const pad = (line: readonly string[]) =>
    line
      .map((cell, index) =>
        COLUMNS[index]?.isText === true ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd()
  const lines = cells.map((line, index) => {
    const isNew = index > 0 && rows[index]?.trace !== rows[index - 1]?.trace
    return `${isNew ? '\n' : ''}${pad(line)}`
  })
  return [pad(COLUMNS.map(({ title }) => title)), ...lines].join('\n')
}

/** One object a line; times in ms. */
export function renderJson(rows: readonly Row[]): string {
  return rows.map(({ trace, strategy, score }) => JSON.stringify({ trace, strategy, ...score })).join('\n')
}
