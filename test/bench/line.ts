/** One figure of the benchmark: a line of JSON, the form of which the performance budget fixes. */
import { cpus, loadavg, release } from 'node:os'

export interface BenchLine {
  readonly name: string
  /** The median. */
  readonly value: number
  readonly unit: 'ms' | 'us' | 'MB' | 'ratio' | 'calls'
  readonly n: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly env: string
}

/** Machine, kernel, Node and how busy it was. */
export function environment(): string {
  const [cpu] = cpus()
  const load = loadavg()[0]?.toFixed(2)
  return `${cpus().length} x ${cpu?.model.trim() ?? 'cpu'}, Linux ${release()}, Node ${process.version}, load ${load}`
}

export function benchLine(what: Pick<BenchLine, 'name' | 'unit'>, samples: readonly number[]): BenchLine {
  const sorted = samples.toSorted((a, b) => a - b)
  // Nearest rank: the smallest sample that is not below the share asked for.
  const at = (share: number) => round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN)
  const p50 = at(0.5)
  return { ...what, value: p50, n: samples.length, p50, p95: at(0.95), p99: at(0.99), env: environment() }
}

/** Three significant digits are more than the noise of a shared machine leaves. */
function round(value: number): number {
  return Number(value.toPrecision(3))
}
