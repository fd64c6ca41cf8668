/** The daemon's pool on a region under test: its journal, its decisions and its effects are real, the links made up. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { fastClock } from '../../cloud/clock.ts'
import type { CloudEni } from '../../cloud/ecs/eni.ts'
import {
  type InstanceId,
  parseCloudId,
  type SecurityGroupId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../../cloud/ids.ts'
import { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import { poolClock } from '../../daemon/pool/clock.ts'
import { type Owner, ownerOf } from '../../daemon/pool/model.ts'
import { type Lease, Pool } from '../../daemon/pool/pool.ts'
import type { PoolLimits } from '../../daemon/pool/settings.ts'
import { Journal } from '../../daemon/store/journal.ts'
import { MADE_UP_LINKS } from '../pool/made-up-links.ts'
import type { Client, RegionUnderTest } from './region-under-test.ts'

export class PoolUnderTest {
  readonly pool: Pool
  readonly client: Client
  readonly #journal: Journal
  readonly #directory: string

  private constructor(parts: { pool: Pool; client: Client; journal: Journal; directory: string }) {
    this.pool = parts.pool
    this.client = parts.client
    this.#journal = parts.journal
    this.#directory = parts.directory
  }

  /** On the first node of the region. */
  static async start(under: RegionUnderTest, client: Client, limits: PoolLimits): Promise<PoolUnderTest> {
    const { cloud } = client
    const [node] = under.region.nodes
    const home = node === undefined ? undefined : under.region.vSwitches.get(node.vSwitchId)
    if (node === undefined || home === undefined) throw new Error('the region has no node')
    const directory = mkdtempSync(join(tmpdir(), 'terway-cloud-'))
    const journal = new Journal(directory)
    const clock = poolClock(fastClock(under.speed), under.speed)
    const { now } = clock
    const pool = new Pool({
      ...{
        state: journal.loadPool(),
        journal,
        cloud,
        links: MADE_UP_LINKS,
        clock,
        conntrack: { forget: async () => undefined },
        log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
        limits,
      },
      instanceId: parseCloudId<InstanceId>(node.instanceId),
      vSwitches: new VSwitches({
        ...{ cloud, now, allowed: [parseCloudId<VSwitchId>(home.id)] },
        ...{ vpcId: parseCloudId<VpcId>(under.region.vpc.id), zone: parseCloudId<ZoneId>(home.zone) },
      }),
      securityGroupIds: node.securityGroupIds.map((id) => parseCloudId<SecurityGroupId>(id)),
      tags: {},
      coolDown: 0,
    })
    await pool.reconcile(new Map())
    await pool.bringUp()
    pool.start()
    return new PoolUnderTest({ pool, client, journal, directory })
  }

  acquire(name: string): Promise<Lease> {
    return this.pool.acquire({ owner: PoolUnderTest.owner(name) }, new AbortController().signal)
  }

  static owner(name: string): Owner {
    return ownerOf(name, 'eth0')
  }

  /** True when nothing is under way and enough is warm. */
  isSettled(warm: number): boolean {
    const { enis, assigns, addresses } = this.pool.state
    const free = [...addresses.values()].filter((address) => address.phase === 'warm').length
    return [...enis.values()].every((eni) => eni.phase === 'in-use') && assigns.size === 0 && free >= warm
  }

  /** What the pool believes to have, by ENI. */
  known(): Map<string, string[]> {
    const { enis, addresses } = this.pool.state
    const all = [...addresses.values()]
    return new Map(
      [...enis.values()].flatMap((eni) =>
        eni.phase === 'creating'
          ? []
          : [[eni.id, all.flatMap((address) => (address.eni === eni.key ? [String(address.ip)] : [])).sort()]],
      ),
    )
  }

  async stop(): Promise<void> {
    await this.pool.stop()
    this.#journal.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** The same of the cloud. */
export function assigned(enis: readonly CloudEni[]): Map<string, string[]> {
  return new Map(enis.map((eni) => [String(eni.id), eni.ips.map(String).sort()]))
}
