/** The node's pool, put together from the configuration, what the cloud says of the instance, and the kernel. */
import type { Logger } from 'pino'
import type { Cloud } from '../../cloud/cloud.ts'
import type { InstanceLimits } from '../../cloud/instance/limits.ts'
import type { NodeFacts } from '../../cloud/metadata.ts'
import { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import { forgetConntrack } from '../../netlink/conntrack.ts'
import { homeNetns } from '../../netlink/netns.ts'
import { type NodeGroups, vSwitchesFor } from '../config/cloud.ts'
import type { EniConf } from '../config/eni-conf.ts'
import { LiveLimits } from '../config/live-limits.ts'
import type { Remembered } from '../config/remembered.ts'
import type { NodeLinks } from '../datapath/node-links.ts'
import type { NodeInputs } from '../kube/node-inputs.ts'
import { REAL_POOL_CLOCK } from '../pool/clock.ts'
import { ConntrackSweeper } from '../pool/conntrack.ts'
import type { Conntrack } from '../pool/cool-down.ts'
import { Pool, type PoolWatch } from '../pool/pool.ts'
import type { PoolReports } from '../pool/report/reports.ts'
import type { Journal } from '../store/journal.ts'
import { firstFillOf } from './first-fill.ts'

export interface PoolParts {
  readonly conf: EniConf
  readonly facts: NodeFacts
  readonly journal: Journal
  readonly cloud: Cloud
  readonly links: NodeLinks
  readonly log: Logger
  readonly instance: Remembered<InstanceLimits>
  /** Undefined when the configuration names groups. */
  readonly groups: Remembered<NodeGroups> | undefined
  readonly inputs: NodeInputs
  readonly conntrack: Conntrack
  readonly reports: PoolReports
  /** ms since the epoch, of the steady clock */
  readonly now: () => number
  readonly watch: PoolWatch
}

/** Limits and security groups are looked up at each use, since the cloud may answer after the pool is made. */
export function createPool(parts: PoolParts): Pool {
  const { conf, facts, journal, cloud, links, log, instance, groups, inputs, conntrack, reports, watch, now } = parts
  const allowed = vSwitchesFor(facts, conf)
  const type = () => instance.value.type
  const limits = new LiveLimits({ conf, type, inputs, log, reports, now }, () => pool.reconsider())
  const { clusterId, tagFilter, blockedTags, attachTries, gc } = conf.pool
  const pool = new Pool({
    ...{ journal, cloud, links, log, conntrack, reports, watch, instanceId: facts.instanceId },
    clock: { ...REAL_POOL_CLOCK, now },
    state: journal.loadPool(),
    vSwitches: new VSwitches({
      ...{ cloud, allowed, policy: conf.vSwitchPolicy, vpcId: facts.vpcId, zone: facts.zoneId, now },
      report: (problem) => log.warn(problem),
    }),
    get limits() {
      return limits.current
    },
    get securityGroupIds() {
      return groups?.value.ids ?? conf.securityGroups
    },
    ...{ tags: conf.eniTags, coolDown: conf.coolDown, attachAttempts: attachTries },
    depletedAt: conf.pool.depletedAt,
    firstFill: firstFillOf(journal),
    claims: { clusterId, tagFilter, blockedTags, orphanTtl: gc.orphanTtl },
  })
  return pool
}

/** What the node's kernel remembers of an address is forgotten on a thread, since there may be much of it. */
export function conntrackSweeper(signal: AbortSignal): ConntrackSweeper {
  return new ConntrackSweeper({
    clock: REAL_POOL_CLOCK,
    forget: async (ips) => {
      using home = homeNetns()
      return await forgetConntrack(home, ips, { signal })
    },
  })
}
