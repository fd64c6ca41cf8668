/** A region for one case: the node, and ENIs of others beside it that must stay as they are. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { RegionUnderTest } from '../cloud/region-under-test.ts'
import { DUAL_STACK } from '../simulator/dual-stack.ts'
import { testRegion } from '../simulator/region.ts'
import type { Flaw } from './flaws.ts'
import type { Order } from './order.ts'
import type { Scenario } from './scenarios.ts'
import type { Death } from './steps.ts'
import type { Ground } from './verdict.ts'
import { observe, observeCloud, type World } from './world.ts'

/** Seconds of the region in a real one. */
const SPEED = 10
/** ms of the region: how long addresses cool down */
export const COOL_DOWN = 5_000
/** ms of the region: short, since nothing here is about waiting. */
const LATENCIES = {
  ...{ create: 100, attach: 500, detach: 500, delete: 200, assign: 100, unassign: 100, member: 300 },
  ...{ metadata: 0, link: 0 },
}

/** What is tried, and what is wrong with the daemon meanwhile. */
export interface Subject {
  readonly scenario: Scenario
  readonly flaw?: Flaw
}

export class FaultRegion {
  /** What survives the daemon: its journal, and what the kernel holds. */
  readonly directory = mkdtempSync(join(tmpdir(), 'terway-fault-'))
  readonly #under: RegionUnderTest
  readonly #startedAt = Date.now()
  #before: Pick<Ground, 'strangers' | 'callsBefore'> = { strangers: [], callsBefore: 0 }

  private constructor(under: RegionUnderTest) {
    this.#under = under
  }

  static async start(): Promise<FaultRegion> {
    const region = testRegion({ ...DUAL_STACK, latencies: LATENCIES })
    const fault = new FaultRegion(await RegionUnderTest.start(region, SPEED))
    await fault.#settleStrangers()
    return fault
  }

  order(task: Order['task'], { scenario, flaw }: Subject, death?: Death): Order {
    const { region, url } = this.#under
    const [node, home] = this.#place
    return {
      ...{ task, scenario: scenario.name, directory: this.directory, coolDown: COOL_DOWN },
      ...(death === undefined ? {} : { death }),
      ...(flaw === undefined ? {} : { flaw }),
      region: {
        ...{ api: new URL(url).host, id: region.id, speed: SPEED, startedAt: this.#startedAt },
        ...{ instanceId: node.instanceId, vpcId: region.vpc.id, zone: home.zone, vSwitchId: home.id },
        securityGroupIds: [...node.securityGroupIds],
      },
    }
  }

  ground({ forgets }: Scenario): Ground {
    return { forgets: forgets === true, ...this.#before }
  }

  world(): Promise<World> {
    return observe(this.#under.url, this.directory)
  }

  /** The API answers nobody for so many ms of the region, from now on. */
  async goAway(milliseconds: number): Promise<void> {
    const effect = { error: 'ServiceUnavailable', status: 503 }
    await this.#under.fault({ select: { for: milliseconds }, effect })
  }

  /** @param milliseconds of the region */
  async pass(milliseconds: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, milliseconds / SPEED))
  }

  async stop(): Promise<void> {
    await this.#under.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }

  get #place() {
    const [node] = this.#under.region.nodes
    const home = node === undefined ? undefined : this.#under.region.vSwitches.get(node.vSwitchId)
    if (node === undefined || home === undefined) throw new Error('the region has no node')
    return [node, home] as const
  }

  /** One attached to the node that nobody has tagged, and one of Terway's that another node is about to attach. */
  async #settleStrangers(): Promise<void> {
    const { cloud } = this.#under.client()
    const [node] = this.#place
    const request = {
      vSwitchId: parseCloudId<VSwitchId>(node.vSwitchId),
      securityGroupIds: node.securityGroupIds.map((id) => parseCloudId<SecurityGroupId>(id)),
    }
    const instance = parseCloudId<InstanceId>(node.instanceId)
    const others = { creator: 'terway', 'terway.node': 'i-sim-small', 'terway.intent': 'theirs' }
    const [foreign] = await Promise.all([
      cloud.createEni({ ...request, clientToken: 'foreign' }),
      cloud.createEni({ ...request, clientToken: 'theirs', tags: others }),
    ])
    await cloud.attachEni(foreign.id, instance)
    while ((await cloud.describeEni(foreign.id))?.status !== 'InUse') await this.pass(LATENCIES.attach / 5)
    const { cloud: strangers, calls } = await observeCloud(this.#under.url)
    this.#before = { strangers, callsBefore: calls.length }
  }
}
