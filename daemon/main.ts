/**
 * terwayd. Reads from top to bottom as the start-up order: recover, reconcile, listen, write the conflist. Until the
 * conflist is there the runtime does not know of Terway, so no pod waits for a daemon that cannot serve.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { Budget } from '../cloud/budget/budget.ts'
import { PlanInterpreter } from '../netlink/interpreter.ts'
import { warmThreadPool } from '../netlink/netns.ts'
import { NetlinkSocket } from '../netlink/socket.ts'
import type { Addressing } from './composition/addressing.ts'
import { installConflist } from './composition/cni-conf.ts'
import { countGarbage, garbageOf, sweepRegularly } from './composition/garbage.ts'
import { readHostFacts } from './composition/host-facts.ts'
import { openDrift, watchPods } from './composition/node-drift.ts'
import { conntrackSweeper } from './composition/node-pool.ts'
import { NodeStatus } from './composition/node-status.ts'
import { podContext } from './composition/pod-context.ts'
import { poolAddressing } from './composition/pool-addressing.ts'
import { routeAddressing } from './composition/route-addressing.ts'
import { openCloudAccess } from './config/cloud-access.ts'
import { ConfigError, type EniConf, parseEniConf } from './config/eni-conf.ts'
import { type Flags, parseFlags } from './config/flags.ts'
import { FactsChangedError, rememberFacts } from './config/node-facts.ts'
import { warnUnlessTmpfs } from './config/state-directory.ts'
import { steadyClock } from './config/steady-clock.ts'
import { VERSION } from './config/version.ts'
import { NodeLinks } from './datapath/node-links.ts'
import { planHost } from './datapath/plan-host.ts'
import { NO_INPUTS } from './kube/node-inputs.ts'
import { NODE } from './pod/context.ts'
import { Endpoints } from './pod/endpoints.ts'
import { recover } from './pod/recover.ts'
import { Spool } from './pod/spool.ts'
import { Sweep } from './pod/sweep.ts'
import { del } from './pod/verbs.ts'
import { KeptReports } from './pool/report/reports.ts'
import { cniService } from './rpc/cni-service.ts'
import { repairService } from './rpc/gc-service.ts'
import { inspectService } from './rpc/inspect-service.ts'
import { serve } from './rpc/server.ts'
import { Journal } from './store/journal.ts'
import { endOnUncaught } from './telemetry/crash.ts'
import { createLogger } from './telemetry/log.ts'
import { createMetrics, serveMetrics } from './telemetry/metrics.ts'
import { LoopDelay } from './telemetry/process-metrics.ts'

const CHANGED = 'the metadata service tells other facts than those remembered, and the next start goes by them'

async function main(): Promise<void> {
  const startedAt = Date.now()
  const flags = parseFlags(process.argv.slice(2), VERSION)
  const log = createLogger(flags.logLevel, flags.nodeName)
  endOnUncaught(log)
  const stop = stopBySignal(log)
  const { signal } = stop

  // The pool's threads must be born in this namespace, before the first pod's is entered.
  await warmThreadPool()
  const conf = readConf(flags, log)
  warnUnlessTmpfs(flags.stateDir, log)
  using journal = new Journal(flags.stateDir)
  const rememberedFacts = await rememberFacts(flags.metadataEndpoint, { journal, log, signal })
  const facts = rememberedFacts.value
  rememberedFacts.onAnswer((now) => {
    if (!isDeepStrictEqual(now, facts)) stop.abort(new FactsChangedError(`${CHANGED}: ${JSON.stringify(now)}`))
  })
  log.info({ ...facts, version: VERSION }, 'terwayd is starting')

  let addressing: Addressing | undefined
  const budget = new Budget({ conf: conf.rateLimit })
  const reports = new KeptReports(log)
  const sweeper = conntrackSweeper(signal)
  const metrics = createMetrics({
    ...{ node: flags.nodeName, pool: () => addressing?.pool, reports, forgotten: () => sweeper.forgotten },
    budget: () => budget.snapshot(),
  })
  using _delay = new LoopDelay(metrics.registry)
  const access = openCloudAccess({
    ...{ conf, facts, budget, log, metadataEndpoint: flags.metadataEndpoint, env: process.env },
    onCall: metrics.observeCloud,
  })

  // The node, and what pods it has.
  const kernel = new PlanInterpreter()
  using socket = NetlinkSocket.open({})
  const inputs = NO_INPUTS
  const host = readHostFacts({ socket, conf, facts, inputs, log })
  using drift = openDrift({
    ...{ kernel, log, onRepair: metrics.observeRepair, onCompared: metrics.observeComparison },
    missed: (eni) => addressing?.enis.missed(eni),
  })
  kernel.apply(planHost(host))
  drift.watch(NODE, planHost(host))
  const endpoints = new Endpoints(journal, journal.loadEndpoints())
  const links = new NodeLinks({
    ...{ socket, kernel, host, mtu: conf.datapath.mtu, keeper: drift },
    attachments: () => endpoints.all().flatMap(({ attachment }) => attachment ?? []),
  })

  // Where addresses come from.
  const now = steadyClock(journal)
  const watch = { changes: metrics.observeChanges, acquired: metrics.observeAcquire }
  const parts = { conf, facts, journal, access, links, host, inputs, reports, watch, now, log, signal }
  const all = { ...parts, conntrack: sweeper, nodeName: flags.nodeName }
  addressing = conf.route === undefined ? await poolAddressing(all) : routeAddressing(all)
  const pods = podContext({ addressing, conf, endpoints, host, kernel, links, inputs, log })
  const sweep = new Sweep(pods)
  const removed = countGarbage(metrics)
  const garbage = garbageOf(pods, addressing.compared, { sweep, removed })

  // Recover: what the last daemon left half done.
  const spool = new Spool({ directory: join(flags.stateDir, 'spool'), log, del: (call) => del(pods, call) })
  await recover(pods)
  await spool.drain()
  await pods.removals.settled()
  watchPods(endpoints, drift)

  // Reconcile: what the cloud says, before anything is given away. Then pods follow what is other than before.
  await addressing.open(garbage)
  const timer = await sweepRegularly({ sweep, removed }, log)

  // Listen.
  const status = new NodeStatus({ conf, journal, kernel, now })
  const server = await serve(flags.socket, {
    cni: cniService({ pods, log, status: (netConf) => status.look(netConf), onCall: metrics.observeCni }),
    inspect: inspectService({
      ...{ nodeName: flags.nodeName, facts, version: VERSION, startedAt, pods, reports, now },
      ...{ pool: addressing.pool, problems: addressing.problems },
      mode: conf.route === undefined ? conf.pool.kind : 'route',
    }),
    repair: repairService({ gc: garbage, log }),
  })
  spool.follow(signal)
  const listen = flags.metricsListen
  const http = listen === 'off' ? undefined : await serveMetrics({ listen, registry: metrics.registry, log })

  // The conflist, last.
  const conflist = installConflist(flags, log)
  log.info({ socket: flags.socket, conflist, ms: Date.now() - startedAt }, 'serving')

  await aborted(signal)
  http?.close()
  clearInterval(timer)
  await Promise.all([server.stop(), addressing.close()])
  await sweep.settled()
  access.close()
  await pods.removals.settled()
  await kernel.close()
  log.info('stopped; pods keep their network')
  signal.throwIfAborted()
}

/** SIGTERM or SIGINT: the reason for an orderly end, and no fault. */
class Stopped extends Error {
  override readonly name = 'Stopped'
}

function stopBySignal(log: Logger): AbortController {
  const controller = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping')
      controller.abort(new Stopped(signal))
    })
  }
  return controller
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function readConf(flags: Flags, log: Logger): EniConf {
  const { conf, warnings } = parseEniConf(readConfText(flags.config))
  for (const warning of warnings) log.warn(warning)
  return conf
}

function readConfText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError(`cannot read the configuration ${path}: mount eni_conf there or point --config at it`, {
      cause,
    })
  }
}

try {
  await main()
} catch (error) {
  if (!(error instanceof Stopped)) {
    const { message, cause } = error instanceof Error ? error : { message: String(error), cause: undefined }
    process.stderr.write(`terwayd: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}\n`)
    process.exitCode = 1
  }
}
process.exit()
