/** Prometheus metrics of the daemon, on a port that only answers questions. */
import { createServer, type Server } from 'node:http'
import { Gauge, Histogram, Registry } from 'prom-client'
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

/** @throws Error when `listen` is not `host:port` or the port is taken. */
export async function serveMetrics(listen: string, registry: Registry): Promise<Server> {
  const match = /^(.*):(\d{1,5})$/.exec(listen)
  if (match === null) throw new Error(`--metrics-listen must be host:port or off, not ${JSON.stringify(listen)}`)
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    void registry.metrics().then((text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(Number(match[2]), match[1], resolve)
  })
  return server
}
