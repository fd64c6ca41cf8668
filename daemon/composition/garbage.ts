/** The comparison of the node with the cloud: by time, on demand, and what it counts. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { REAL_CLOCK } from '../../cloud/clock.ts'
import { persist, within } from '../config/persist.ts'
import type { PodContext } from '../pod/context.ts'
import { Garbage, type GarbageOptions, type GcFinding } from '../pod/gc.ts'
import type { Sweep } from '../pod/sweep.ts'
import type { Pool } from '../pool/pool.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Garbage as GarbageKind } from '../telemetry/pool-metrics.ts'

/** The pauses between two comparisons are up to this share longer, so that the nodes of a cluster do not ask together. */
const ROUND_JITTER = 0.2
/** A start with pods to serve waits this long for the first one, ms: it is three calls, of tenths of a second each. */
const RECONCILE_PATIENCE = 5_000
/** Pause between two looks for endpoints that nobody will end, ms. */
const SWEEP_INTERVAL = 60_000

export interface GarbageParts {
  readonly sweep: Sweep
  readonly removed: (finding: GcFinding) => void
}

/** @param compared with the cloud */
export function garbageOf(
  { links, endpoints }: PodContext,
  compared: GarbageOptions['pool'],
  { sweep, removed }: GarbageParts,
): Garbage {
  const podRoutes = () => links.podRoutes()
  const pods = () => endpoints.all().length
  return new Garbage({ pool: compared, sweep, podRoutes, pods, clock: REAL_CLOCK, removed })
}

export function countGarbage({ observeGarbage }: Pick<Metrics, 'observeGarbage'>): (finding: GcFinding) => void {
  return (finding) => {
    const what = whatIsGone(finding)
    if (what !== undefined) observeGarbage(what, 1)
  }
}

/** Undefined when nothing is gone, or nothing that is counted: rules are no resource. */
function whatIsGone({ kind, fields }: GcFinding): GarbageKind | undefined {
  const { containerId, prefix, ip } = fields
  switch (kind) {
    case 'released':
    case 'stray':
      return 'eni'
    case 'lost':
      if (prefix !== undefined) return 'prefix'
      return ip === undefined ? 'eni' : 'address'
    case 'removed':
      if (containerId !== undefined) return 'endpoint'
      return ip === undefined ? undefined : 'address'
    default:
      return undefined
  }
}

/**
 * Now, since ENIs may have other links than before, and from time to time, one that takes long is not joined by another.
 * Never rejects.
 * @returns after the first sweep
 */
export async function sweepRegularly({ sweep, removed }: GarbageParts, log: Logger): Promise<NodeJS.Timeout> {
  const look = async () => {
    try {
      for (const finding of (await sweep.run()).findings) removed(finding)
    } catch (err) {
      log.error({ err }, 'the sweep for ended pods failed; it is tried again')
    }
  }
  await look()
  let isRunning = false
  const lookAgain = async () => {
    if (isRunning) return
    isRunning = true
    await look()
    isRunning = false
  }
  return setInterval(() => void lookAgain(), SWEEP_INTERVAL)
}

export interface ReconcileParts {
  readonly garbage: Garbage
  readonly pool: Pool
  readonly log: Logger
  readonly signal: AbortSignal
  /** ms; undefined: not again, unless somebody asks for it. */
  readonly interval: number | undefined
}

/**
 * Compares with the cloud, now and from time to time, never twice at once. A node that has ENIs on record must serve
 * while the cloud is away, so it does not wait for long; a fresh one has nothing to serve.
 * @throws CloudError on a fresh node, when asking again cannot help
 */
export async function reconcile({ garbage, pool, log, signal, interval }: ReconcileParts): Promise<void> {
  const what = 'the comparison with the cloud'
  const ask = () => garbage.round()
  const hasEnis = pool.state.enis.size > 0
  const first = persist({ what, ask, forgiving: hasEnis, log, signal })
  const again = async () => {
    while (interval !== undefined) {
      await sleep(interval * (1 + ROUND_JITTER * Math.random()), undefined, { signal })
      await persist({ what, ask, forgiving: true, log, signal })
    }
  }
  // Ends with the daemon; why the first one failed is told below.
  first.then(again).catch(() => undefined)
  if (!hasEnis) return await first
  if (await within(first, RECONCILE_PATIENCE)) return
  log.warn(`${what}: no answer within ${RECONCILE_PATIENCE} ms; serving from the journal until there is one`)
  first.then(() => log.info('the journal has been compared with the cloud')).catch(() => undefined)
}
