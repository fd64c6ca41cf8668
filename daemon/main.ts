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
import { countGarbage, garbageOf, reconcile, sweepRegularly } from './composition/garbage.ts'
import { conntrackSweeper, createPool } from './composition/node-pool.ts'
import { rememberInstanceLimits, rememberNodeGroups } from './config/cloud.ts'
import { openCloudAccess } from './config/cloud-access.ts'
import { conflist, writeConflist } from './config/conflist.ts'
import { ConfigError, type EniConf, parseEniConf } from './config/eni-conf.ts'
import { type Flags, parseFlags } from './config/flags.ts'
import { FactsChangedError, rememberFacts } from './config/node-facts.ts'
import { within } from './config/persist.ts'
import { warnUnlessTmpfs } from './config/state-directory.ts'
import { steadyClock } from './config/steady-clock.ts'
import { VERSION } from './config/version.ts'
import { NodeLinks } from './datapath/node-links.ts'
import { planHost } from './datapath/policy-route.ts'
import { NO_INPUTS, type NodeInputs } from './kube/node-inputs.ts'
import type { PodContext } from './pod/context.ts'
import { Endpoints } from './pod/endpoints.ts'
import { KeyedLock } from './pod/keyed-lock.ts'
import { LinkIndexes } from './pod/link-indexes.ts'
import { recover } from './pod/recover.ts'
import { Removals } from './pod/remove.ts'
import { Spool } from './pod/spool.ts'
import { Sweep } from './pod/sweep.ts'
import { del } from './pod/verbs.ts'
import type { Pool } from './pool/pool.ts'
import { KeptReports } from './pool/report/reports.ts'
import { cniService } from './rpc/cni-service.ts'
import { repairService } from './rpc/gc-service.ts'
import { inspectService } from './rpc/inspect-service.ts'
import { serve } from './rpc/server.ts'
import { Journal } from './store/journal.ts'
import { endOnUncaught } from './telemetry/crash.ts'
import { createLogger } from './telemetry/log.ts'
import { createMetrics, serveMetrics } from './telemetry/metrics.ts'

/** Bytes; the MTU of ENIs outside jumbo-frame instance types. */
const DEFAULT_MTU = 1500
/** An ADD waits this long for an address, ms: longer calls would only hold up the runtime, which tries again. */
const ACQUIRE_TIMEOUT = 30_000
/** Links of ENIs that are in use are there already; one that is not must not keep the others' pods waiting. ms */
const BRING_UP_PATIENCE = 2_000
/** A question of the start may take this long, ms; it is asked again, and the log says so sooner than by default. */
const QUESTION_TIMEOUT = 5_000
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
  const memory = { journal, log, signal }
  const rememberedFacts = await rememberFacts(flags.metadataEndpoint, memory)
  const facts = rememberedFacts.value
  rememberedFacts.onAnswer((now) => {
    if (!isDeepStrictEqual(now, facts)) stop.abort(new FactsChangedError(`${CHANGED}: ${JSON.stringify(now)}`))
  })
  log.info({ ...facts, version: VERSION }, 'terwayd is starting')

  let pool: Pool | undefined
  const budget = new Budget({ conf: conf.rateLimit })
  const reports = new KeptReports(log)
  const sweeper = conntrackSweeper(signal)
  const metrics = createMetrics({
    ...{ node: flags.nodeName, pool: () => pool, reports, forgotten: () => sweeper.forgotten },
    budget: () => budget.snapshot(),
  })
  const access = openCloudAccess({
    ...{ conf, facts, budget, log, metadataEndpoint: flags.metadataEndpoint, env: process.env },
    onCall: metrics.observeCloud,
  })
  const kernel = new PlanInterpreter()
  using socket = NetlinkSocket.open({})
  const links = new NodeLinks({ socket, kernel, nodeIp: facts.primaryIp, mtu: DEFAULT_MTU })
  kernel.apply(planHost())

  // Asked here, waited for below, but not for long: a node that has pods goes on with what it was told last.
  const question = { ...memory, facts, cloud: access.cloud(QUESTION_TIMEOUT) }
  const instance = await rememberInstanceLimits(question)
  const groups = conf.securityGroups.length > 0 ? undefined : await rememberNodeGroups(question)
  const cloud = access.cloud()
  const inputs = NO_INPUTS
  const now = steadyClock(journal)
  const parts = { conf, facts, journal, cloud, links, log, instance, groups, inputs, conntrack: sweeper, reports, now }
  pool = createPool({ ...parts, watch: { changes: metrics.observeChanges, acquired: metrics.observeAcquire } })
  const pods = podContext({ pool, journal, kernel, links, log, inputs })
  const sweep = new Sweep(pods)
  const removed = countGarbage(metrics)
  const garbage = garbageOf(pods, { sweep, removed })

  // Recover: what the last daemon left half done.
  const spool = new Spool({ directory: join(flags.stateDir, 'spool'), log, del: (call) => del(pods, call) })
  await recover(pods)
  await spool.drain()
  await pods.removals.settled()

  // Reconcile: what the cloud says, before anything is given away.
  await Promise.all([
    instance.settle(),
    groups?.settle(),
    reconcile({ garbage, pool, log, signal, interval: conf.pool.gc.interval }),
  ])
  const up = pool.bringUp()
  if (!(await within(up, BRING_UP_PATIENCE))) log.warn('an ENI on record has no link on this node; serving without it')
  pool.start()
  const timer = await sweepRegularly({ sweep, removed }, log)

  // Listen.
  const nodePlans = () => [
    ['node', planHost()] as const,
    ...readyEnis(pods.pool).map((eni) => [eni.id, links.plan(eni)] as const),
  ]
  const server = await serve(flags.socket, {
    cni: cniService({ pods, log, onCall: metrics.observeCni }),
    inspect: inspectService({
      ...{ nodeName: flags.nodeName, facts, version: VERSION, startedAt, pods, nodePlans, reports, now },
      foreign: () => pods.pool.foreign,
    }),
    repair: repairService({ gc: garbage, log }),
  })
  spool.follow(signal)
  const listen = flags.metricsListen
  const http = listen === 'off' ? undefined : await serveMetrics({ listen, registry: metrics.registry, log })

  // The conflist, last.
  const written = writeConflist(
    flags.cniConfDir,
    conflist({ socket: flags.socket, spoolDirectory: join(flags.stateDir, 'spool') }),
  )
  log.info({ socket: flags.socket, conflist: written ? 'written' : 'unchanged', ms: Date.now() - startedAt }, 'serving')

  await aborted(signal)
  http?.close()
  clearInterval(timer)
  await Promise.all([server.stop(), pool.stop()])
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

interface PodParts {
  readonly pool: Pool
  readonly journal: Journal
  readonly kernel: PlanInterpreter
  readonly links: NodeLinks
  readonly log: Logger
  readonly inputs: NodeInputs
}

function podContext({ pool, journal, kernel, links, log, inputs }: PodParts): PodContext {
  const endpoints = new Endpoints(journal, journal.loadEndpoints())
  const keepsAddress: PodContext['keepsAddress'] = (pod) => inputs.keepsAddress(pod)
  const shared = { endpoints, pool, kernel, log, now: Date.now, keepsAddress }
  return {
    ...shared,
    removals: new Removals(shared),
    locks: new KeyedLock(),
    indexes: new LinkIndexes(links.indexes()),
    mtu: DEFAULT_MTU,
    acquireTimeout: ACQUIRE_TIMEOUT,
    links,
  }
}

function readyEnis(pool: Pool) {
  return [...pool.state.enis.keys()].flatMap((key) => pool.readyEni(key) ?? [])
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
