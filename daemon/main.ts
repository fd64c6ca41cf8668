/**
 * terwayd. Reads from top to bottom as the start-up order: recover, reconcile, listen, write the conflist. Until the
 * conflist is there the runtime does not know of Terway, so no pod waits for a daemon that cannot serve.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { createEcs, type Ecs } from '../cloud/ecs.ts'
import { type NodeFacts, readNodeFacts } from '../cloud/metadata.ts'
import { PlanInterpreter } from '../netlink/interpreter.ts'
import { warmThreadPool } from '../netlink/netns.ts'
import { NetlinkSocket } from '../netlink/socket.ts'
import { connectCloud, limitsOf, securityGroups } from './config/cloud.ts'
import { conflist, writeConflist } from './config/conflist.ts'
import { ConfigError, type EniConf, parseEniConf } from './config/eni-conf.ts'
import { type Flags, parseFlags } from './config/flags.ts'
import { warnUnlessTmpfs } from './config/state-directory.ts'
import { VERSION } from './config/version.ts'
import { NodeLinks } from './datapath/node-links.ts'
import { planHost } from './datapath/policy-route.ts'
import type { PodContext } from './pod/context.ts'
import { Endpoints } from './pod/endpoints.ts'
import { KeyedLock } from './pod/keyed-lock.ts'
import { LinkIndexes } from './pod/link-indexes.ts'
import { recover, Sweep } from './pod/recover.ts'
import { Removals } from './pod/remove.ts'
import { Spool } from './pod/spool.ts'
import { del } from './pod/verbs.ts'
import { Pool } from './pool/pool.ts'
import { VSwitches } from './pool/vswitches.ts'
import { cniService } from './rpc/cni-service.ts'
import { inspectService } from './rpc/inspect-service.ts'
import { serve } from './rpc/server.ts'
import { Journal } from './store/journal.ts'
import { createLogger } from './telemetry/log.ts'
import { createMetrics, serveMetrics } from './telemetry/metrics.ts'

/** Bytes; the MTU of ENIs outside jumbo-frame instance types. */
const DEFAULT_MTU = 1500
/** An ADD waits this long for an address, ms: longer calls would only hold up the runtime, which tries again. */
const ACQUIRE_TIMEOUT = 30_000
/** Pause between two looks for endpoints that nobody will end, ms. */
const SWEEP_INTERVAL = 60_000
/** Pause between two comparisons with the cloud, ms; the original's `ip_pool_sync_period`. */
const RECONCILE_INTERVAL = 120_000

async function main(): Promise<void> {
  const startedAt = Date.now()
  const flags = parseFlags(process.argv.slice(2), VERSION)
  const log = createLogger(flags.logLevel, flags.nodeName)
  const stopped = stopSignal(log)

  // The pool's threads must be born in this namespace, before the first pod's is entered.
  await warmThreadPool()
  const conf = readConf(flags, log)
  warnUnlessTmpfs(flags.stateDir, log)
  using journal = new Journal(flags.stateDir)
  const facts = await readNodeFacts(flags.metadataEndpoint)
  log.info({ ...facts, version: VERSION }, 'terwayd is starting')

  let pool: Pool | undefined
  const metrics = createMetrics(() => pool)
  const cloud = createEcs(connectCloud({ conf, facts, onCall: metrics.observeCloud }))
  const kernel = new PlanInterpreter()
  using socket = NetlinkSocket.open({})
  const links = new NodeLinks({ socket, kernel, nodeIp: facts.primaryIp, mtu: DEFAULT_MTU })
  kernel.apply(planHost())

  pool = await buildPool({ conf, facts, journal, cloud, links, log })
  const pods = podContext({ pool, journal, kernel, links, log })

  // Recover: what the last daemon left half done.
  const spool = new Spool({ directory: join(flags.stateDir, 'spool'), log, del: (call) => del(pods, call) })
  await recover(pods)
  await spool.drain()
  await pods.removals.settled()

  // Reconcile: what the cloud says, before anything is given away.
  await reconcile({ pool, links, log })
  await pool.bringUp()
  pool.start()

  // Listen.
  const nodePlans = () => [
    ['node', planHost()] as const,
    ...readyEnis(pods.pool).map((eni) => [eni.id, links.plan(eni)] as const),
  ]
  const server = await serve(flags.socket, {
    cni: cniService({ pods, log, onCall: metrics.observeCni }),
    inspect: inspectService({ nodeName: flags.nodeName, facts, version: VERSION, startedAt, pods, nodePlans }),
  })
  const timers = background({ pods, links, log, spool, stopped })
  const http = flags.metricsListen === 'off' ? undefined : await serveMetrics(flags.metricsListen, metrics.registry)

  // The conflist, last.
  const written = writeConflist(
    flags.cniConfDir,
    conflist({ socket: flags.socket, spoolDirectory: join(flags.stateDir, 'spool') }),
  )
  log.info({ socket: flags.socket, conflist: written ? 'written' : 'unchanged', ms: Date.now() - startedAt }, 'serving')

  await aborted(stopped)
  http?.close()
  for (const timer of timers) clearInterval(timer)
  await Promise.all([server.stop(), pool.stop()])
  await pods.removals.settled()
  await kernel.close()
  log.info('stopped; pods keep their network')
}

function stopSignal(log: Logger): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping')
      controller.abort()
    })
  }
  return controller.signal
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

interface PoolParts {
  readonly conf: EniConf
  readonly facts: NodeFacts
  readonly journal: Journal
  readonly cloud: Ecs
  readonly links: NodeLinks
  readonly log: Logger
}

async function buildPool({ conf, facts, journal, cloud, links, log }: PoolParts): Promise<Pool> {
  const now = Date.now
  const allowed = conf.vSwitches.get(facts.zoneId) ?? [facts.vSwitchId]
  return new Pool({
    ...{ journal, cloud, links, log, now, instanceId: facts.instanceId },
    state: journal.loadPool(),
    vSwitches: new VSwitches({ cloud, allowed, now }),
    limits: await limitsOf({ conf, facts, journal, cloud, log }),
    securityGroupIds: await securityGroups({ conf, facts, cloud }),
    tags: conf.eniTags,
    coolDown: conf.coolDown,
  })
}

interface PodParts {
  readonly pool: Pool
  readonly journal: Journal
  readonly kernel: PlanInterpreter
  readonly links: NodeLinks
  readonly log: Logger
}

function podContext({ pool, journal, kernel, links, log }: PodParts): PodContext {
  const endpoints = new Endpoints(journal, journal.loadEndpoints())
  const shared = { endpoints, pool, kernel, log, now: Date.now }
  return {
    ...shared,
    removals: new Removals(shared),
    locks: new KeyedLock(),
    indexes: new LinkIndexes(links.indexes()),
    mtu: DEFAULT_MTU,
    acquireTimeout: ACQUIRE_TIMEOUT,
    linkExists: (name) => links.exists(name),
  }
}

interface ReconcileParts {
  readonly pool: Pool
  readonly links: NodeLinks
  readonly log: Logger
}

/** A node that already has pods must be able to serve DELs while the cloud is away; a fresh one has nothing to serve. */
async function reconcile({ pool, links, log }: ReconcileParts): Promise<void> {
  try {
    await pool.reconcile(links.podRoutes())
  } catch (err) {
    if (pool.state.enis.size === 0) throw err
    log.error({ err }, 'the cloud cannot be asked; serving from the journal until it can')
  }
}

function readyEnis(pool: Pool) {
  return [...pool.state.enis.keys()].flatMap((key) => pool.readyEni(key) ?? [])
}

interface BackgroundParts {
  readonly pods: PodContext
  readonly links: NodeLinks
  readonly log: Logger
  readonly spool: Spool
  readonly stopped: AbortSignal
}

function background({ pods, links, log, spool, stopped }: BackgroundParts): NodeJS.Timeout[] {
  spool.follow(stopped)
  const sweep = new Sweep(pods)
  const every = (milliseconds: number, what: string, job: () => Promise<void>) =>
    setInterval(
      () => void job().catch((err: unknown) => log.error({ err }, `${what} failed; it is tried again`)),
      milliseconds,
    )
  return [
    every(SWEEP_INTERVAL, 'the sweep for ended pods', () => sweep.run()),
    every(RECONCILE_INTERVAL, 'the comparison with the cloud', () => pods.pool.reconcile(links.podRoutes())),
  ]
}

try {
  await main()
} catch (error) {
  const { message, cause } = error instanceof Error ? error : { message: String(error), cause: undefined }
  process.stderr.write(`terwayd: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}\n`)
  process.exitCode = 1
}
process.exit()
