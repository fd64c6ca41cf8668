/** The daemon's pool without a cloud: it has what it has. */
import { pino } from 'pino'
import type { Cloud } from '../../cloud/cloud.ts'
import { type InstanceId, parseCloudId, type VpcId, type ZoneId } from '../../cloud/ids.ts'
import { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import { REAL_POOL_CLOCK } from '../../daemon/pool/clock.ts'
import { Pool } from '../../daemon/pool/pool.ts'
import type { PoolLimits } from '../../daemon/pool/settings.ts'
import type { PoolState } from '../../daemon/pool/tables.ts'
import type { Journal } from '../../daemon/store/journal.ts'
import { MADE_UP_LINKS } from '../pool/made-up-links.ts'

export interface OfflineOptions {
  readonly state: PoolState
  readonly journal: Journal
  readonly limits: PoolLimits
}

/** Every question to the cloud is a fault of the bench. */
const NO_CLOUD = new Proxy({} as Cloud, {
  get: (_, name) => () => {
    throw new Error(`${String(name)} is asked of a cloud that is not there`)
  },
})

export function offlinePool({ state, journal, limits }: OfflineOptions): Pool {
  return new Pool({
    ...{ state, journal, cloud: NO_CLOUD, limits, clock: REAL_POOL_CLOCK, log: pino({ level: 'silent' }), tags: {} },
    ...{ instanceId: parseCloudId<InstanceId>('i-bench'), securityGroupIds: [], coolDown: 0 },
    conntrack: { forget: async () => undefined },
    links: MADE_UP_LINKS,
    vSwitches: new VSwitches({
      ...{ cloud: NO_CLOUD, allowed: [], now: Date.now },
      ...{ vpcId: parseCloudId<VpcId>('vpc-bench'), zone: parseCloudId<ZoneId>('cn-sim-h') },
    }),
  })
}
