/** Addresses of a pool of ENIs, and what the cloud is asked for it at a start. */
import type { Logger } from 'pino'
import type { NodeFacts } from '../../cloud/metadata.ts'
import { rememberInstanceLimits, rememberNodeGroups } from '../config/cloud.ts'
import type { CloudAccess } from '../config/cloud-access.ts'
import type { EniConf } from '../config/eni-conf.ts'
import { within } from '../config/persist.ts'
import type { HostFacts } from '../datapath/attachment.ts'
import type { NodeLinks } from '../datapath/node-links.ts'
import type { NodeInputs } from '../kube/node-inputs.ts'
import { poolEnis, poolLeases } from '../pod/pool-leases.ts'
import type { Conntrack } from '../pool/cool-down.ts'
import type { Pool, PoolWatch } from '../pool/pool.ts'
import type { PoolReports } from '../pool/report/reports.ts'
import type { Journal } from '../store/journal.ts'
import { type Addressing, nodePlans } from './addressing.ts'
import { reconcile } from './garbage.ts'
import { createPool } from './node-pool.ts'

export interface AddressingParts {
  readonly conf: EniConf
  readonly facts: NodeFacts
  readonly journal: Journal
  readonly access: CloudAccess
  readonly links: NodeLinks
  readonly host: HostFacts
  readonly inputs: NodeInputs
  readonly conntrack: Conntrack
  readonly reports: PoolReports
  readonly watch: PoolWatch
  /** ms since the epoch, of the steady clock */
  readonly now: () => number
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Links of ENIs that are in use are there already; one that is not must not keep the others' pods waiting. ms */
const BRING_UP_PATIENCE = 2_000
/** A question of the start may take this long, ms; it is asked again, and the log says so sooner than by default. */
const QUESTION_TIMEOUT = 5_000

/** Asks, but does not wait for long: a node that has pods goes on with what it was told last. @throws CloudError */
export async function poolAddressing({ access, host, signal, ...parts }: AddressingParts): Promise<Addressing> {
  const { conf, facts, journal, links, log } = parts
  const question = { journal, log, signal, facts, cloud: access.cloud(QUESTION_TIMEOUT) }
  const instance = await rememberInstanceLimits(question)
  const groups = conf.securityGroups.length > 0 ? undefined : await rememberNodeGroups(question)
  const pool = createPool({ ...parts, cloud: access.cloud(), instance, groups })
  return {
    leases: poolLeases(pool, links),
    enis: {
      ...poolEnis(pool, links),
      plans: () =>
        nodePlans(
          host,
          readyEnis(pool).map((eni) => [eni.id, links.plan(eni)]),
        ),
    },
    pool,
    compared: pool,
    problems: () => pool.problems,
    async open(garbage) {
      const compared = reconcile({ garbage, pool, log, signal, interval: conf.pool.gc.interval })
      await Promise.all([instance.settle(), groups?.settle(), compared])
      const isUp = await within(pool.bringUp(), BRING_UP_PATIENCE)
      if (!isUp) log.warn('an ENI on record has no link on this node; serving without it')
      pool.start()
    },
    close: () => pool.stop(),
  }
}

/** Those that stay on the node: it has plans of their own for them. */
function readyEnis(pool: Pool) {
  const ready = [...pool.state.enis.keys()].flatMap((key) => pool.readyEni(key) ?? [])
  return ready.filter(({ role }) => role === 'shared' || role === 'trunk')
}
