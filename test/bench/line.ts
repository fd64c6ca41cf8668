/** One figure of the benchmark: a line of JSON, the form of which the performance budget fixes. */
import { cpus, loadavg, release } from 'node:os'
import { z } from 'zod'

/** `%` is of one core. */
const UNITS = ['ms', 'us', 'MB', 'ratio', 'calls', '%', 'count'] as const
export type Unit = (typeof UNITS)[number]

const bounds = z.object({ p50: z.number().optional(), p99: z.number().optional() })

/** What a figure must not exceed: its median, and where that says too little the worst in a hundred. */
export type Bounds = z.infer<typeof bounds>

export const BENCH_LINE = z.object({
  name: z.string(),
  /** The median. */
  value: z.number(),
  unit: z.enum(UNITS),
  n: z.int(),
  ...{ p50: z.number(), p95: z.number(), p99: z.number() },
  env: z.string(),
  /** When it was measured, ISO 8601. */
  at: z.string(),
  /** From fewer samples than a report is made of. */
  quick: z.boolean().optional(),
  /** Of a figure that has a budget. */
  target: bounds.optional(),
  met: z.boolean().optional(),
})
export type BenchLine = z.infer<typeof BENCH_LINE>

/** Taken before anything is measured: from then on the benchmark itself is the load. */
const ENVIRONMENT = environment()

/** Machine, kernel, Node and how busy it was. */
function environment(): string {
  const [cpu] = cpus()
  const load = loadavg()[0]?.toFixed(2)
  return `${cpus().length} x ${cpu?.model.trim() ?? 'cpu'}, Linux ${release()}, Node ${process.version}, load ${load}`
}

/**
 * Nothing is rounded: what is just above a target is not met.
 * @throws RangeError when there is nothing that could be said of nothing
 */
export function benchLine({ name, unit }: Pick<BenchLine, 'name' | 'unit'>, samples: readonly number[]): BenchLine {
  if (samples.length === 0) throw new RangeError(`${name} has no samples`)
  const p50 = median(samples)
  const [p95, p99] = [percentile(samples, 0.95), percentile(samples, 0.99)]
  // In the order of BENCH_LINE: a line that is read and written again is the same text.
  return { name, value: p50, unit, n: samples.length, p50, p95, p99, env: ENVIRONMENT, at: new Date().toISOString() }
}

/** Of an even number the mean of the two in the middle. NaN when there is none. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const [lower = Number.NaN, upper = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return (lower + upper) / 2
}

/** By nearest rank: the smallest sample that is not below the share (0 to 1) asked for. NaN when there is none. */
function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
