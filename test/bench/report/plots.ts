/** The two pictures of the report. */
import { AT_ONCE, PRESENT } from '../cni-crowd.ts'
import type { BenchLine } from '../line.ts'
import { type PlotPoint, plotSvg } from './plot.ts'

/** The lines of a run. */
export type ByName = ReadonlyMap<string, BenchLine>

export function addByPods(lines: ByName): string {
  return plotSvg({
    title: 'A warm ADD against the pods that are on the node',
    x: { label: 'pods on the node', scale: 'linear' },
    y: { label: 'ms' },
    series: [
      { name: 'exec to JSON printed', points: points(lines, 'cni.add.pods', PRESENT) },
      { name: 'inside the daemon', points: points(lines, 'cni.add.daemon.pods', PRESENT) },
    ],
  })
}

export function addByConcurrency(lines: ByName): string {
  return plotSvg({
    title: 'Each of many warm ADDs that come at once',
    x: { label: 'processes at once', scale: 'log' },
    y: { label: 'ms' },
    series: [
      { name: 'ADD, exec to JSON printed', points: points(lines, 'cni.add.concurrency', AT_ONCE) },
      { name: 'Node doing nothing', points: points(lines, 'exec.node.concurrency', AT_ONCE) },
    ],
  })
}

/** A quick run leaves some out. @throws RangeError when the first, which every run has, is missing. */
function points(lines: ByName, name: string, levels: readonly number[]): PlotPoint[] {
  return levels.flatMap((x) => {
    const line = lines.get(`${name}.${x}`)
    if (line !== undefined) return [{ x, p50: line.p50, p95: line.p95 }]
    if (x !== levels[0]) return []
    throw new RangeError(`the run has no ${name}.${x}: report on a run of all benches, as root`)
  })
}
