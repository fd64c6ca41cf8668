/** Metrics of what somebody else has removed or changed, and of its repair. */
import { Counter, Histogram, type Registry } from 'prom-client'
import type { PlanObject } from '../../netlink/plan.ts'
import type { RepairReport } from '../drift/report.ts'

export interface DriftMetrics {
  observeRepair(report: RepairReport): void
  /** ms that a comparison of everything took. */
  observeComparison(milliseconds: number): void
}

/** Upper bounds in s: the notification is read every 20 ms, what comes in a burst is waited for, and 1 s is promised. */
const REPAIRS = [0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 15, 60]
/** Upper bounds in s: from a few pods to thousands, beside the daemon's work. */
const COMPARISONS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Record, so that the compiler misses none. */
const OBJECTS: Readonly<Record<PlanObject, true>> = {
  ...{ netns: true, link: true, sysctl: true, address: true, neighbour: true, route: true, rule: true },
  ...{ qdisc: true, filter: true, mark: true },
}

export function createDriftMetrics(registry: Registry): DriftMetrics {
  const registers = [registry]
  const repairs = new Counter({
    ...{ name: 'terway_drift_repairs_total', help: 'Objects that somebody else had removed or changed, by outcome' },
    ...{ labelNames: ['object', 'outcome'], registers },
  })
  const seconds = new Histogram({
    ...{ name: 'terway_drift_repair_seconds', help: 'From the notification of a change to its repair, s' },
    ...{ buckets: REPAIRS, registers },
  })
  const comparisons = new Histogram({
    ...{ name: 'terway_drift_verify_seconds', help: 'Comparisons of every plan with the kernel, s' },
    ...{ buckets: COMPARISONS, registers },
  })
  // A series that begins with its first count has no rate at that moment.
  for (const object of Object.keys(OBJECTS)) {
    for (const outcome of ['repaired', 'failed']) repairs.inc({ object, outcome }, 0)
  }
  return {
    observeRepair: ({ differences, outcome, milliseconds }) => {
      for (const { object } of differences) repairs.inc({ object, outcome })
      if (outcome === 'repaired') seconds.observe(milliseconds / 1_000)
    },
    observeComparison: (milliseconds) => comparisons.observe(milliseconds / 1_000),
  }
}
