/** Prometheus metrics of the daemon, on a port that only answers questions. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { ActionBudget } from '../../cloud/budget/budget.ts'
import { PRIORITIES } from '../../cloud/budget/priority.ts'
import { kindOf } from '../../cloud/error.ts'
import type { FinishedCall } from '../../cloud/transport.ts'
import type { ListenAddress } from '../config/flags.ts'
import { createDriftMetrics, type DriftMetrics } from './drift-metrics.ts'
import { createPoolMetrics, type PoolMetrics, type PoolSources } from './pool-metrics.ts'
import { createProcessMetrics } from './process-metrics.ts'

export interface MetricsSources extends PoolSources {
  /** The request budget as it stands, asked at every collection. */
  readonly budget?: () => readonly ActionBudget[]
}

export interface Metrics extends PoolMetrics, DriftMetrics {
  readonly registry: Registry
  observeCni(call: FinishedCniCall): void
  observeCloud(call: FinishedCall): void
}

interface FinishedCniCall {
  readonly verb: string
  /** Of the CNI error; 0 is success. */
  readonly code: number
  readonly milliseconds: number
  /** Where they went, ms. */
  readonly phases: ReadonlyMap<string, number>
}

/** Verbs whose phases are told. */
const PHASED: readonly string[] = ['ADD', 'DEL']

/** Upper bounds in ms: from a warm ADD to the deadline of a CNI call. */
const BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 120_000]
/** Those with a bound at the 3 s of the users' alert. */
const OPERATION_BUCKETS = BUCKETS.map((bound) => (bound === 2_500 ? 3_000 : bound))
/** Upper bounds in s; the users' alert is at 0.1. */
const SECONDS = BUCKETS.map((bound) => bound / 1_000)
/** Upper bounds in s of a part of a call: the shortest are some of 10 µs. */
const PHASE_SECONDS = [0.000_05, 0.000_1, 0.000_25, 0.000_5, ...SECONDS]

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry()
  const registers = [registry]
  createProcessMetrics(registry)
  return {
    registry,
    ...createPoolMetrics(registry, sources),
    ...createDriftMetrics(registry),
    observeCni: createCniMetrics(registers),
    observeCloud: createCloudMetrics(registry, sources.budget),
  }
}

/** The last two under the names of the users' dashboards. */
function createCniMetrics(registers: Registry[]): Metrics['observeCni'] {
  const [call, operation] = [
    { name: 'terway_cni_call_latency_ms', buckets: BUCKETS },
    { name: 'terway_cni_operation_latency', buckets: OPERATION_BUCKETS },
  ].map(({ name, buckets }) => {
    const help = 'CNI calls by verb and CNI error code (0: success), ms'
    return new Histogram({ name, help, buckets, labelNames: ['verb', 'code'], registers })
  })
  const network = new Histogram({
    ...{ name: 'terway_pod_network_latency_seconds', help: 'ADDs that gave a pod its network' },
    ...{ buckets: SECONDS, registers },
  })
  const phase = new Histogram({
    ...{ name: 'terway_cni_phase_seconds', help: 'Parts of the ADDs and DELs that succeeded', registers },
    ...{ buckets: PHASE_SECONDS, labelNames: ['verb', 'phase'] },
  })
  return ({ verb, code, milliseconds, phases }) => {
    for (const histogram of [call, operation]) histogram?.observe({ verb, code: String(code) }, milliseconds)
    if (code !== 0) return
    if (verb === 'ADD') network.observe(milliseconds / 1_000)
    if (!PHASED.includes(verb)) return
    for (const [name, took] of phases) phase.observe({ verb, phase: name }, took / 1_000)
  }
}

/**
 * `terway_api_call_errors` / `terway_api_call_total` is the share of failures that the users' alert rules compute:
 * Prometheus divides series of equal labels, so neither has the code. It is in `terway_api_call_latency_count`. Both, and
 * `terway_api_rate_limit_hits`, speak of what was sent: a call that had no turn in time says nothing about the API.
 */
function createCloudMetrics(registry: Registry, budget: (() => readonly ActionBudget[]) | undefined) {
  const registers = [registry]
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames: ['action'], registers })
  const total = counter('terway_api_call_total', 'Attempts of cloud API calls by action')
  const errors = counter('terway_api_call_errors', 'Attempts of cloud API calls that failed, by action')
  const throttled = counter('terway_api_rate_limit_hits', 'Attempts of cloud API calls that were throttled, by action')
  const latency = new Histogram({
    ...{ name: 'terway_api_call_latency', help: 'Attempts of cloud API calls by action and code, ms', registers },
    ...{ labelNames: ['action', 'code'], buckets: BUCKETS },
  })
  const queued = new Histogram({
    ...{ name: 'terway_api_queue_wait_ms', help: 'Wait of cloud API calls for their turn in the budget', registers },
    ...{ labelNames: ['action', 'priority'], buckets: BUCKETS },
  })
  const timeouts = new Counter({
    ...{ name: 'terway_api_queue_timeouts', help: 'Cloud API calls that had no turn in the budget in time', registers },
    labelNames: ['action', 'priority'],
  })
  if (budget !== undefined) collectBudget(registry, budget)
  return (call: FinishedCall) => {
    const { action, code, priority } = call
    queued.observe({ action, priority }, call.queued)
    const sent = code !== 'BudgetTimeout'
    timeouts.inc({ action, priority }, sent ? 0 : 1)
    if (!sent) return
    latency.observe({ action, code }, call.milliseconds)
    total.inc({ action })
    // Also by 0: a series that begins with its first error has no rate at that moment.
    errors.inc({ action }, code === 'OK' ? 0 : 1)
    throttled.inc({ action }, kindOf(code) === 'throttled' ? 1 : 0)
  }
}

function collectBudget(registry: Registry, budget: () => readonly ActionBudget[]): void {
  new Gauge({
    ...{ name: 'terway_api_queue_waiting', help: 'Cloud API calls that wait for their turn in the budget now' },
    ...{ labelNames: ['action', 'priority'], registers: [registry] },
    collect() {
      for (const { action, waiting } of budget()) {
        for (const priority of PRIORITIES) this.set({ action, priority }, waiting[priority])
      }
    },
  })
  new Gauge({
    ...{ name: 'terway_api_budget_per_second', help: 'Cloud API calls per second that the budget allows now' },
    ...{ labelNames: ['action'], registers: [registry] },
    collect() {
      for (const { action, perSecond } of budget()) this.set({ action }, perSecond)
    },
  })
}

export interface MetricsServer {
  readonly listen: ListenAddress
  readonly registry: Registry
  readonly log: Logger
}

/** Resolves also when it cannot listen: pods need the daemon more than anybody needs its metrics. */
export async function serveMetrics({ listen, registry, log }: MetricsServer): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/metrics') void answer(response, { registry, log })
    else response.writeHead(404).end()
  })
  server.on('error', (err) => {
    const advice = 'end what listens there, or give terwayd another address with --metrics-listen, and start it again'
    log.error({ err, listen }, `the metrics cannot be served: ${advice}`)
  })
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve()).listen(listen.port, listen.host, resolve)
  })
  return server
}

async function answer(response: ServerResponse, { registry, log }: Omit<MetricsServer, 'listen'>): Promise<void> {
  try {
    const text = await registry.metrics()
    response.writeHead(200, { 'content-type': registry.contentType }).end(text)
  } catch (err) {
    log.error({ err }, 'the metrics cannot be collected')
    response.writeHead(500).end()
  }
}
