import type { Server } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type Logger, pino } from 'pino'
import { Gauge, Registry } from 'prom-client'
import { Budget } from '../../cloud/budget/budget.ts'
import { KeptReports } from '../pool/report/reports.ts'
import { createMetrics, type Metrics, type MetricsSources, serveMetrics } from './metrics.ts'

const HOST = '127.0.0.1'

let lines: string[]
let log: Logger
let servers: Server[]
beforeEach(() => {
  lines = []
  servers = []
  log = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line).msg) })
})
afterEach(() => {
  for (const server of servers) server.close().closeAllConnections()
})

/** Of a daemon that has no pool yet. */
function metricsOf(budget: MetricsSources['budget'] = () => []): Metrics {
  return createMetrics({
    ...{ node: 'node-a', pool: () => undefined, reports: new KeptReports(log), forgotten: () => 0, budget },
  })
}

async function get(registry: Registry, path: string): Promise<Response> {
  const server = await serveMetrics({ listen: { host: HOST, port: 0 }, registry, log })
  servers.push(server)
  return await fetch(`http://${HOST}:${(server.address() as AddressInfo).port}${path}`)
}

test('metrics are at /metrics and nothing is anywhere else', async () => {
  const { registry } = metricsOf()
  const answer = await get(registry, '/metrics')
  expect(answer.status).toBe(200)
  expect(await answer.text()).toContain('terway_cni_call_latency_ms')
  expect((await get(registry, '/')).status).toBe(404)
})

test('CNI calls are timed, under the names of the users’ dashboards too', async () => {
  const { registry, observeCni } = metricsOf()
  const phases = new Map([['kernel', 4.8]])
  observeCni({ verb: 'ADD', code: 0, milliseconds: 80, phases })
  observeCni({ verb: 'ADD', code: 11, milliseconds: 30_000, phases })
  observeCni({ verb: 'DEL', code: 0, milliseconds: 5, phases })
  observeCni({ verb: 'CHECK', code: 0, milliseconds: 5, phases })
  const text = await registry.metrics()
  expect(text).toContain('terway_cni_call_latency_ms_sum{verb="ADD",code="11"} 30000')
  // histogram_quantile(0.99, terway_cni_operation_latency_bucket) > 3000, and the same of pods' networks > 0.1
  expect(text).toContain('terway_cni_operation_latency_bucket{le="3000",verb="ADD",code="0"} 1')
  expect(text).toContain('terway_pod_network_latency_seconds_bucket{le="0.05"} 0')
  expect(text).toContain('terway_pod_network_latency_seconds_bucket{le="0.1"} 1')
  expect(text).toContain('terway_pod_network_latency_seconds_count 1')
  expect(text).toContain('terway_cni_phase_seconds_sum{verb="ADD",phase="kernel"} 0.0048')
  expect(text).toContain('terway_cni_phase_seconds_count{verb="ADD",phase="kernel"} 1')
  expect(text).toContain('terway_cni_phase_seconds_bucket{le="0.005",verb="DEL",phase="kernel"} 1')
  expect(text).not.toContain('terway_cni_phase_seconds_sum{verb="CHECK"')
})

test('cloud calls are counted by action, failures and throttled answers among them, and timed by code', async () => {
  const { registry, observeCloud } = metricsOf()
  const call = { action: 'AttachNetworkInterface', milliseconds: 40, attempt: 1, queued: 7, priority: 'pod' } as const
  observeCloud({ ...call, code: 'OK' })
  const first = await registry.metrics()
  expect(first).toContain('terway_api_call_errors{action="AttachNetworkInterface"} 0')
  expect(first).toContain('terway_api_rate_limit_hits{action="AttachNetworkInterface"} 0')
  for (const code of ['Throttling.User', 'Forbidden.RAM']) observeCloud({ ...call, code })
  const then = await registry.metrics()
  expect(then).toContain('terway_api_call_total{action="AttachNetworkInterface"} 3')
  expect(then).toContain('terway_api_call_errors{action="AttachNetworkInterface"} 2')
  expect(then).toContain('terway_api_rate_limit_hits{action="AttachNetworkInterface"} 1')
  expect(then).toContain('terway_api_call_latency_sum{action="AttachNetworkInterface",code="Forbidden.RAM"} 40')
  expect(then).toContain('terway_api_queue_wait_ms_sum{action="AttachNetworkInterface",priority="pod"} 21')
})

test('a call that had no turn in time is counted by itself: it was not sent', async () => {
  const { registry, observeCloud } = metricsOf()
  const call = { action: 'TagResources', milliseconds: 40, attempt: 1, queued: 7, priority: 'pod' } as const
  observeCloud({ ...call, code: 'OK' })
  expect(await registry.metrics()).toContain('terway_api_queue_timeouts{action="TagResources",priority="pod"} 0')
  observeCloud({ ...call, code: 'BudgetTimeout', milliseconds: 0, queued: 60_000 })
  const metrics = await registry.metrics()
  expect(metrics).toContain('terway_api_queue_timeouts{action="TagResources",priority="pod"} 1')
  expect(metrics).toContain('terway_api_queue_wait_ms_sum{action="TagResources",priority="pod"} 60007')
  expect(metrics).toContain('terway_api_call_total{action="TagResources"} 1')
  expect(metrics).toContain('terway_api_call_errors{action="TagResources"} 0')
  expect(metrics).toContain('terway_api_rate_limit_hits{action="TagResources"} 0')
  expect(metrics).not.toContain('code="BudgetTimeout"')
})

test('who waits for a turn is shown by action and priority', async () => {
  const budget = new Budget({ conf: { perAction: { TagResources: 1 } } })
  const { registry } = metricsOf(() => budget.snapshot())
  await budget.acquire('TagResources', { priority: 'pod' })
  const leaver = new AbortController()
  const waiting = budget.acquire('TagResources', { priority: 'clean-up', signal: leaver.signal })
  const metrics = await registry.metrics()
  leaver.abort('over')
  await expect(waiting).rejects.toBe('over')
  expect(metrics).toContain('terway_api_queue_waiting{action="TagResources",priority="clean-up"} 1')
  expect(metrics).toContain('terway_api_queue_waiting{action="TagResources",priority="pod"} 0')
  expect(await registry.metrics()).toContain('terway_api_queue_waiting{action="TagResources",priority="clean-up"} 0')
})

test('the rate that the budget allows is shown as it is when asked', async () => {
  const budget = new Budget({ conf: { perAction: { TagResources: 120 }, burstSize: 1 } })
  const { registry } = metricsOf(() => budget.snapshot())
  expect(await registry.metrics()).not.toContain('terway_api_budget_per_second{')
  const permit = await budget.acquire('TagResources', { priority: 'pod' })
  expect(await registry.metrics()).toContain('terway_api_budget_per_second{action="TagResources"} 2')
  permit.throttled()
  expect(await registry.metrics()).toContain('terway_api_budget_per_second{action="TagResources"} 1')
})

test('a port that is taken is told of, with what to do, and nothing ends', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, HOST, resolve))
  const { port } = other.address() as AddressInfo
  try {
    const server = await serveMetrics({ listen: { host: HOST, port }, registry: new Registry(), log })
    expect(server.listening).toBe(false)
    server.close()
    expect(lines).toEqual([expect.stringMatching(/cannot be served: .*--metrics-listen/)])
  } finally {
    other.close()
  }
})

test('a metric that cannot be collected is a failed answer and no end of the process', async () => {
  const registry = new Registry()
  const collect = () => {
    throw new Error('no pool')
  }
  new Gauge({ name: 'broken', help: 'fails', registers: [registry], collect })
  expect((await get(registry, '/metrics')).status).toBe(500)
  expect(lines).toEqual(['the metrics cannot be collected'])
})
