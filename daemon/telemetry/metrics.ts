/** Prometheus metrics of the daemon, on a port that only answers questions. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { Gauge, Histogram, Registry } from 'prom-client'
import type { ListenAddress } from '../config/flags.ts'
import type { Pool } from '../pool/pool.ts'

export interface Metrics {
  readonly registry: Registry
  observeCni(call: { verb: string; code: number; milliseconds: number }): void
  observeCloud(call: { action: string; code: string; milliseconds: number }): void
}

/** Upper bounds in ms: from a warm ADD to the deadline of a CNI call. */
const BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 120_000]

export function createMetrics(pool: () => Pool | undefined): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const cni = new Histogram({
    ...{ name: 'terway_cni_call_latency_ms', help: 'CNI calls by verb and CNI error code (0: success)', registers },
    ...{ labelNames: ['verb', 'code'], buckets: BUCKETS },
  })
  const cloud = new Histogram({
    ...{ name: 'terway_api_latency_ms', help: 'Attempts of cloud API calls by action and code', registers },
    ...{ labelNames: ['action', 'code'], buckets: BUCKETS },
  })
  new Gauge({
    ...{ name: 'terway_ip_pool_addresses', help: 'Addresses of this node by phase', labelNames: ['phase'], registers },
    collect() {
      this.reset()
      for (const { phase } of pool()?.state.addresses.values() ?? []) this.inc({ phase })
    },
  })
  return {
    registry,
    observeCni: ({ verb, code, milliseconds }) => cni.observe({ verb, code: String(code) }, milliseconds),
    observeCloud: ({ action, code, milliseconds }) => cloud.observe({ action, code }, milliseconds),
  }
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
