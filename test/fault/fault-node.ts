/**
 * A node of the fault suite: the daemon's pool with its journal on disk and its client of the cloud over HTTP, started as
 * the daemon starts. The kernel's side is made up: links of ENIs are always there, those of pods are a file.
 */

import { pino } from 'pino'
import { Budget } from '../../cloud/budget/budget.ts'
import { type Clock, fastClock } from '../../cloud/clock.ts'
import { createCloud } from '../../cloud/cloud.ts'
import { isCloudError } from '../../cloud/error.ts'
import {
  type InstanceId,
  parseCloudId,
  type SecurityGroupId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../../cloud/ids.ts'
import { createTransport } from '../../cloud/transport.ts'
import { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import { poolClock } from '../../daemon/pool/clock.ts'
import { PoolError } from '../../daemon/pool/error.ts'
import { type Change, type Owner, ownerOf, podKeyOf, unknownOwner } from '../../daemon/pool/model.ts'
import { Pool } from '../../daemon/pool/pool.ts'
import type { PoolLimits } from '../../daemon/pool/settings.ts'
import { Journal } from '../../daemon/store/journal.ts'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'
import { MADE_UP_LINKS } from '../pool/made-up-links.ts'
import { flawedChanges, flawedTransport } from './flaws.ts'
import type { Order } from './order.ts'
import { holdersOf, PodLinks } from './pod-links.ts'
import type { Stage } from './scenarios.ts'
import type { Steps } from './steps.ts'

const KEY = { accessKeyId: 'LTAIsim', accessKeySecret: 'sim-secret' }

/** As the daemon's own, ms of the region: how long it waits for the cloud and for links before it serves. */
const RECONCILE_PATIENCE = 5_000
const BRING_UP_PATIENCE = 2_000
/** Between two questions while the API does not answer, and before an ADD that failed comes again; ms of the region. */
const PAUSE = 1_000
/** A stage takes tenths of a second, or with the pool's pause between two shrinkages twelve seconds; real ms. */
const STUCK = 40_000

export class FaultNode {
  readonly #order: Order
  readonly #steps: Steps
  readonly #clock: Clock
  readonly #links: PodLinks
  readonly #journal: Journal
  readonly #pool: Pool
  #limits: PoolLimits
  #containers: number

  private constructor(order: Order, steps: Steps, { limits }: Stage) {
    this.#order = order
    this.#steps = steps
    this.#clock = regionClock(order.region)
    this.#links = new PodLinks(order.directory)
    this.#containers = this.#links.events.length
    this.#limits = limits
    this.#journal = new Journal(order.directory)
    this.#pool = this.#createPool()
  }

  /** With the limits of the stage that it is to be in. As the daemon: recover, compare with the cloud, serve. */
  static async start(order: Order, steps: Steps, stage: Stage): Promise<FaultNode> {
    const node = new FaultNode(order, steps, stage)
    const hasEnis = node.#pool.state.enis.size > 0
    node.#releaseOwnerless()
    const compared = node.#firstComparison()
    await (hasEnis ? Promise.race([compared, node.#clock.sleep(RECONCILE_PATIENCE)]) : compared)
    await Promise.race([node.#pool.bringUp(), node.#clock.sleep(BRING_UP_PATIENCE)])
    node.#pool.start()
    return node
  }

  /** @throws Error when it does not come to an end */
  async reach(stage: Stage): Promise<void> {
    this.#limits = stage.limits
    this.#pool.reconsider()
    const { live } = this.#links
    for (const { pod, container } of live.values()) if (!stage.pods.includes(pod)) this.#remove(pod, container)
    await Promise.all(stage.pods.filter((pod) => !live.has(pod)).map((pod) => this.#add(pod)))
    if (stage.hasty !== true) await this.#settled(stage)
  }

  /** @returns what a comparison with the cloud has found, apart from ENIs of others: in words */
  async compare(): Promise<string[]> {
    const { findings } = await this.#pool.reconcile(this.#podRoutes())
    return findings
      .filter(({ kind }) => kind !== 'foreign')
      .map(({ message, fields }) => `${message} (${Object.values(fields).join(', ')})`)
  }

  async stop(): Promise<void> {
    await this.#pool.stop()
    this.#journal.close()
  }

  /** What a killed daemon had given away and no pod has got. */
  #releaseOwnerless(): void {
    const { live } = this.#links
    const owners = new Set([...live.values()].flatMap(({ pod, container }) => ownersOf(pod, container)))
    for (const address of [...this.#pool.state.addresses.values()]) {
      if (address.phase === 'owned' && !owners.has(address.owner)) this.#pool.release(address.owner)
    }
  }

  /** Asks until there is an answer. */
  async #firstComparison(): Promise<void> {
    for (;;) {
      try {
        await this.#pool.reconcile(this.#podRoutes())
        return
      } catch (error) {
        if (!isCloudError(error)) throw error
      }
      await this.#clock.sleep(PAUSE)
    }
  }

  #podRoutes() {
    return new Map([...holdersOf(this.#links.live)].map(([ip, pod]) => [ip, linkOf(pod)] as const))
  }

  /** As the runtime does it: a new sandbox each time, until it has its network. */
  async #add(pod: string): Promise<void> {
    const key = podKeyOf({ namespace: 'default', pod }, 'eth0')
    for (;;) {
      const container = `${pod}-${++this.#containers}`
      const request = { owner: ownerOf(container, 'eth0'), pod: key, podUid: `uid-${pod}` }
      try {
        const { ipv4, ipv6 } = await this.#pool.acquire(request, new AbortController().signal)
        const ips = [ipv4, ipv6].filter((ip) => ip !== undefined)
        this.#links.note({ what: 'up', at: this.#clock.now(), pod, container, ips })
        return
      } catch (error) {
        if (!(error instanceof PoolError)) throw error
      }
      await this.#clock.sleep(PAUSE)
    }
  }

  #remove(pod: string, container: string): void {
    this.#links.note({ what: 'down', at: this.#clock.now(), pod })
    for (const owner of ownersOf(pod, container)) this.#pool.release(owner)
  }

  async #settled(stage: Stage): Promise<void> {
    const deadline = performance.now() + STUCK
    for (let unsettled = this.#unsettled(stage); unsettled !== undefined; unsettled = this.#unsettled(stage)) {
      if (performance.now() > deadline) throw new Error(`still ${unsettled}; ${this.#pool.problems.join('; ')}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** In words what the pool has still to do; undefined: nothing. */
  #unsettled({ free, limits: { kind } }: Stage): string | undefined {
    const { enis, addresses, prefixes, assigns } = this.#pool.state
    const moving = [...enis.values()].find(({ phase }) => phase !== 'in-use')
    if (moving !== undefined) return `an ENI is ${moving.phase}`
    const all = [...addresses.values()]
    if ([...all, ...prefixes.values()].some(({ phase }) => phase === 'unassigning')) return 'giving back'
    if (all.some(({ phase }) => phase === 'cooling')) return 'cooling'
    if (assigns.size > 0) return 'assigning'
    const count = all.filter(
      ({ phase, ip, eni }) => phase === 'warm' && !ip.includes(':') && enis.get(eni)?.role === kind,
    ).length
    return count >= free[0] && count <= free[1] ? undefined : `${count} free of ${free[0]} to ${free[1]}`
  }

  #createPool(): Pool {
    const { region, coolDown, flaw } = this.#order
    const { speed, vSwitchId, securityGroupIds } = region
    const [clock, journal] = [this.#clock, this.#journal]
    const flawed = { commitPool: (changes: readonly Change[]) => journal.commitPool(flawedChanges(flaw, changes)) }
    const transport = createTransport({
      ...{ endpoints: { ecs: region.api, vpc: region.api }, scheme: 'http', regionId: region.id, clock },
      ...{ budget: new Budget({ conf: {}, clock }), attemptTimeout: 60_000, callTimeout: 180_000 },
      credential: async () => KEY,
    })
    const cloud = createCloud(this.#steps.transport(flawedTransport(flaw, transport)), { clock })
    const limits = () => this.#limits
    return new Pool({
      ...{ state: journal.loadPool(), journal: this.#steps.journal(flawed), cloud, links: MADE_UP_LINKS, coolDown },
      ...{ clock: poolClock(clock, speed), conntrack: { forget: async () => undefined }, tags: {} },
      log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
      get limits() {
        return limits()
      },
      instanceId: parseCloudId<InstanceId>(region.instanceId),
      vSwitches: new VSwitches({
        ...{ cloud, now: clock.now, allowed: [parseCloudId<VSwitchId>(vSwitchId)] },
        ...{ vpcId: parseCloudId<VpcId>(region.vpcId), zone: parseCloudId<ZoneId>(region.zone) },
      }),
      securityGroupIds: securityGroupIds.map((id) => parseCloudId<SecurityGroupId>(id)),
    })
  }
}

/** The same in every process, or the successor of a process that was ahead of the real time would be before it. */
function regionClock({ startedAt, speed }: Order['region']): Clock {
  return { now: () => startedAt + (Date.now() - startedAt) * speed, sleep: fastClock(speed).sleep }
}

function linkOf(pod: string): LinkName {
  return parseLinkName(`cali-${pod}`)
}

/** One that was found in the kernel is known by its link. */
function ownersOf(pod: string, container: string): readonly Owner[] {
  return [ownerOf(container, 'eth0'), unknownOwner(linkOf(pod))]
}
