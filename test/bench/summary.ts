/** All figures of a run as one aligned table. */
import type { BenchLine, Bounds, Unit } from './line.ts'

const HEAD = ['figure', 'p50', 'p95', 'p99', '', 'n', 'target', '']
/** Columns of numbers. */
const RIGHT = new Set([1, 2, 3, 5])
const SYMBOLS: Readonly<Record<Unit, string>> = {
  ...{ ms: 'ms', us: 'µs', MB: 'MB', '%': '%', ratio: '×', calls: 'calls', count: '' },
}

export function summary(lines: readonly BenchLine[]): string {
  const rows = [HEAD, ...lines.map(rowOf)]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const cell = (text: string, column: number) => {
    const width = widths[column] ?? 0
    return RIGHT.has(column) ? text.padStart(width) : text.padEnd(width)
  }
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n')
}

function rowOf({ name, p50, p95, p99, unit, n, target, met }: BenchLine): string[] {
  const verdict = met === undefined ? '' : met ? 'met' : 'NOT MET'
  const values = [p50, p95, p99].map(readable)
  return [name, ...values, symbolOf(unit), String(n), target === undefined ? '' : boundsText(target), verdict]
}

/** `≤ 45, p99 ≤ 70` */
export function boundsText({ p50, p99 }: Bounds): string {
  const median = p50 === undefined ? [] : [`≤ ${readable(p50)}`]
  return [...median, ...(p99 === undefined ? [] : [`p99 ≤ ${readable(p99)}`])].join(', ')
}

export function readable(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}

/** Empty for a plain number. */
export function symbolOf(unit: Unit): string {
  return SYMBOLS[unit]
}

/** With its unit: `45 ms`. */
export function withUnit(value: number, unit: Unit): string {
  return `${readable(value)} ${symbolOf(unit)}`.trimEnd()
}
