/**
 * A node in virtual time: the daemon's own pool, with its decisions, its effects and its comparison with the cloud, on a
 * virtual region; around it what the pool has no say in, the kernel's links and the pods that carry addresses. Whatever
 * happens, the invariants of the architecture are looked at: the first that is broken is thrown.
 */
import { type Logger, pino } from 'pino'
import { isCloudError } from '../../cloud/error.ts'
import {
  type InstanceId,
  parseCloudId,
  type SecurityGroupId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../../cloud/ids.ts'
import { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import { steadyClock } from '../../daemon/config/steady-clock.ts'
import type { EniLinks } from '../../daemon/pool/effects.ts'
import { type Owner, ownerOf, type PodKey } from '../../daemon/pool/model.ts'
import { type Lease, Pool } from '../../daemon/pool/pool.ts'
import type { PoolReports } from '../../daemon/pool/report/reports.ts'
import type { PoolLimits } from '../../daemon/pool/settings.ts'
import { type Cidr, cidrContains, familyOf, type Ip, type Mac } from '../../inet/address.ts'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'
import type { Eni } from '../../simulator/cloud/eni.ts'
import { addressesOf } from '../../simulator/cloud/eni.ts'
import type { Node } from '../../simulator/region/region.ts'
import { MemoryJournal } from './memory-journal.ts'
import type { VirtualRegion } from './virtual-region.ts'
import type { VirtualProcess, VirtualTime } from './virtual-time.ts'

export interface VirtualNodeOptions {
  readonly time: VirtualTime
  readonly region: VirtualRegion
  /** Looked up at each use. */
  readonly limits: PoolLimits
  /** ms */
  readonly coolDown?: number
  readonly random?: () => number
  /** Called before each write to the journal, and after it: a process that is killed there has written, or not. */
  readonly onWrite?: (moment: 'before' | 'after') => void
  /** What becomes of a request to the kernel to forget connections; nothing unless given. */
  readonly onForget?: () => void
  readonly tags?: Readonly<Record<string, string>>
  /** ms between two comparisons with the cloud; with it only every sixth looks everywhere, as the daemon's own do. */
  readonly interval?: number
  /** Hears what the pool logs; nobody does unless given. */
  readonly log?: Logger
  /** Hears what the pool tells of itself; nobody does unless given. */
  readonly reports?: PoolReports
  readonly depletedAt?: number
}

/** A pod that has its network. */
export interface LivePod {
  readonly name: string
  readonly owner: Owner
  readonly uid: string | undefined
  readonly ips: readonly Ip[]
}

/** What is asked for by an ADD. */
interface Wanted extends Omit<LivePod, 'ips'> {
  readonly keeps: boolean
}

/** What must always be true is not. */
export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant'
}

/** What the daemon of a dead process is caught with when it goes on to its next write. */
export class Dead extends Error {
  override readonly name = 'Dead'
}

interface Released {
  readonly at: number
  readonly pod: string
  readonly uid: string | undefined
  forgotten: boolean
}

const COOL_DOWN = 30_000
/** As the daemon's own, ms: how long it waits for the cloud before it serves from its journal, and when it asks again. */
const RECONCILE_PATIENCE = 5_000
const RECONCILE_INTERVAL = 120_000
const BRING_UP_PATIENCE = 5_000
const THOROUGH_ROUNDS = 6
/** Between two questions while the API does not answer, ms. */
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 30_000

export class VirtualNode {
  journal = new MemoryJournal()
  readonly pods = new Map<string, LivePod>()
  readonly #options: VirtualNodeOptions
  readonly #node: Node
  /** When pods let go of addresses. */
  readonly #released = new Map<Ip, Released>()
  /** ENIs, and addresses and prefixes of them and of others, that somebody else has taken away. */
  readonly #takenEnis = new Set<Eni['id']>()
  #taken: ReadonlySet<Ip | Cidr> = new Set()
  #process: VirtualProcess | undefined
  #pool: Pool | undefined
  #serving = false
  /** How often the machine was started, and when it was last, ms since the epoch on the region's clock. */
  #boot: { readonly number: number; readonly at: number }
  #links = new Map<Mac, { name: LinkName; ifindex: number }>()
  #containers = 0

  constructor(options: VirtualNodeOptions) {
    this.#options = options
    const [node] = options.region.region.nodes
    if (node === undefined) throw new Error('the region has no node')
    this.#node = node
    this.#boot = { number: 1, at: options.time.steady() }
  }

  get pool(): Pool {
    if (this.#pool === undefined) throw new Error('the daemon does not run')
    return this.#pool
  }

  get runs(): boolean {
    return this.#process?.alive === true
  }

  /** Its socket is open. */
  get serves(): boolean {
    return this.runs && this.#serving
  }

  /**
   * As the daemon starts: what the last one left half done is ended, then the cloud is asked, then it serves. Ends with
   * the daemon's life, by what it dies of; of one that is killed nothing is heard any more.
   */
  async start(): Promise<void> {
    const process = this.#options.time.process()
    this.#process = process
    this.#serving = false
    const pool = this.#createPool(process)
    this.#pool = pool
    for (const address of [...pool.state.addresses.values()]) {
      if (address.phase === 'owned' && !this.#isLive(address.owner)) pool.release(address.owner)
    }
    const hasEnis = pool.state.enis.size > 0
    const compared = this.#compare(process, pool)
    await (hasEnis ? Promise.race([compared, process.sleep(RECONCILE_PATIENCE)]) : compared)
    await Promise.race([pool.bringUp(), process.sleep(BRING_UP_PATIENCE)])
    pool.start()
    this.#serving = true
    await compared
    const { interval } = this.#options
    for (let round = 1; ; round++) {
      await process.sleep(interval ?? RECONCILE_INTERVAL)
      await this.#compare(process, pool, interval === undefined || round % THOROUGH_ROUNDS === 0)
    }
  }

  /** Asks until there is an answer. */
  async #compare(process: VirtualProcess, pool: Pool, thorough = true): Promise<void> {
    for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, 2 * pause)) {
      try {
        await pool.reconcile(this.podRoutes(), { thorough })
        return
      } catch (error) {
        if (!isCloudError(error)) throw error
      }
      await process.sleep(pause)
    }
  }

  /** Power off: the pods, the journal and what the kernel knew are gone. */
  powerOff(): void {
    this.kill()
    this.pods.clear()
    this.#released.clear()
    this.#takenEnis.clear()
    this.#taken = new Set()
    this.journal = new MemoryJournal()
    this.#boot = { number: this.#boot.number + 1, at: this.#options.time.steady() }
  }

  /** At once, wherever it is. */
  kill(): void {
    this.#process?.kill()
  }

  /** Addresses that links of pods carry, whatever the journal says. */
  podRoutes(): Map<Ip, LinkName> {
    return new Map(
      [...this.pods.values()].flatMap(({ ips, name }) =>
        ips.map((ip) => [ip, parseLinkName(`c${name}`.slice(0, 15))] as const),
      ),
    )
  }

  /** @returns undefined when the daemon died meanwhile. @throws what the pool throws, BrokenInvariant */
  async add(
    name: string,
    options: { uid?: string; keeps?: boolean; signal?: AbortSignal } = {},
  ): Promise<LivePod | undefined> {
    const { uid, keeps, signal = new AbortController().signal } = options
    const [process, pool] = [this.#process, this.pool]
    const owner = ownerOf(`${name}-${++this.#containers}`, 'eth0')
    const request = { owner, pod: `ns/${name}` as PodKey, podUid: uid, keeps: keeps === true }
    try {
      const lease = await pool.acquire(request, signal)
      if (process?.alive !== true) return undefined
      return this.#attach({ name, owner, uid, keeps: keeps === true }, lease)
    } catch (error) {
      // An ADD that fails undoes what it has done; who gives up while connections are forgotten has an address already.
      if (process?.alive === true) pool.release(owner)
      throw error
    }
  }

  /** @throws BrokenInvariant */
  #attach(wanted: Wanted, lease: Lease): LivePod {
    const { name, owner, uid } = wanted
    const ips = [lease.ipv4, lease.ipv6].filter((ip) => ip !== undefined)
    const pod = { name, owner, uid, ips }
    for (const ip of ips) this.#checkGiven(ip, wanted)
    if (ips.length !== this.#options.limits.families.length) {
      throw new BrokenInvariant(`${name} has ${ips.length} addresses of ${this.#options.limits.families.length}`)
    }
    this.pods.set(name, pod)
    return pod
  }

  /** The pod's network is taken away, then its address given back. With the daemon down the next start does that. */
  remove(name: string, keep = 0): void {
    const pod = this.pods.get(name)
    if (pod === undefined) return
    this.pods.delete(name)
    const at = this.#options.time.steady()
    for (const ip of pod.ips) {
      this.#released.set(ip, { at, pod: name, uid: pod.uid, forgotten: false })
    }
    if (!this.runs) return
    try {
      this.pool.release(pod.owner, keep)
    } catch (error) {
      // It dies of it; its successor finds the pod gone.
      if (!(error instanceof Dead)) throw error
    }
  }

  /** Somebody else takes addresses away: until it has looked the pool cannot know. */
  noteTaken(ips: readonly Ip[]): void {
    this.#taken = new Set([...this.#taken, ...ips])
  }

  /** The same for all that the ENI has, or will be given before the pool has looked. */
  noteTakenEni(id: Eni['id']): void {
    this.#takenEnis.add(id)
    this.#noteWhatIsTaken()
  }

  #noteWhatIsTaken(): void {
    if (this.#takenEnis.size === 0) return
    const enis = this.enis().filter(({ id }) => this.#takenEnis.has(id))
    const single = enis.flatMap((eni): Ip[] => [...addressesOf(eni), ...eni.ipv6s])
    const prefixes = enis.flatMap(({ ipv4Prefixes, ipv6Prefixes }) => [...ipv4Prefixes, ...ipv6Prefixes])
    this.#taken = new Set([...this.#taken, ...single, ...prefixes])
  }

  /** By now the pool knows what was taken: only what pods have had all the time is excused. */
  excuseNoMore(): void {
    this.#takenEnis.clear()
    this.#taken = new Set([...this.pods.values()].flatMap(({ ips }) => ips.filter((ip) => this.#isTaken(ip))))
  }

  #isTaken(ip: Ip): boolean {
    return [...this.#taken].some((what) => (what.includes('/') ? cidrContains(what as Cidr, ip) : what === ip))
  }

  /** ENIs of the region that are not the node's own. */
  enis(): readonly Eni[] {
    return this.#options.region.cloud.enis().filter(({ type }) => type !== 'Primary')
  }

  #isLive(owner: Owner): boolean {
    return [...this.pods.values()].some((pod) => pod.owner === owner)
  }

  /** I1: nobody else has it. I2: it is on an ENI that is attached. I3: it has cooled down and is forgotten. */
  #checkGiven(ip: Ip, { name, uid, keeps }: Wanted): void {
    const holder = [...this.pods.values()].find(({ ips }) => ips.includes(ip))
    if (holder !== undefined) throw new BrokenInvariant(`I1: ${ip} is given to ${name} and ${holder.name} has it`)
    this.#checkAssigned(ip, name)
    const before = this.#released.get(ip)
    if (before === undefined) return
    const isSamePod = before.pod === name && (keeps || (uid !== undefined && before.uid === uid))
    if (isSamePod) return
    const { coolDown = COOL_DOWN, time } = this.#options
    const passed = time.steady() - before.at
    if (passed < coolDown) throw new BrokenInvariant(`I3: ${ip} is given to ${name} ${passed} ms after ${before.pod}`)
    if (!before.forgotten) throw new BrokenInvariant(`I3: ${ip} is given to ${name}, its connections are not forgotten`)
  }

  /** I2 for all pods: what they have stays theirs, unless somebody else has taken it. @throws BrokenInvariant */
  checkPods(): void {
    this.#noteWhatIsTaken()
    for (const { ips, name } of this.pods.values()) for (const ip of ips) this.#checkAssigned(ip, name)
  }

  #checkAssigned(ip: Ip, name: string): void {
    if (this.#isTaken(ip)) return
    const eni = this.enis().find((one) => holds(one, ip))
    const attached = eni?.state.status === 'InUse' && eni.state.instanceId === this.#node.instanceId
    if (!attached) throw new BrokenInvariant(`I2: ${name} has ${ip} and its ENI is ${eni?.state.status ?? 'none'}`)
  }

  #createPool(process: VirtualProcess): Pool {
    const { time, region, coolDown = COOL_DOWN, random, tags = {}, log = LOG } = this.#options
    const options = this.#options
    const cloud = region.client(process)
    const home = region.region.vSwitches.get(this.#node.vSwitchId)
    if (home === undefined) throw new Error('the node is in no vSwitch')
    const { number, at } = this.#boot
    const boot = { bootId: () => `boot-${number}`, monotonic: () => time.steady() - at, wall: () => time.now() }
    const now = steadyClock(this.journal, boot)
    const clock = {
      now,
      sleep: (milliseconds: number, signal?: AbortSignal) => process.sleep(milliseconds, signal),
      after: (milliseconds: number, callback: () => void) => process.after(milliseconds, callback),
    }
    const allowed = [...region.region.vSwitches.values()].filter(({ zone }) => zone === home.zone)
    return new Pool({
      ...{ state: this.journal.loadPool(), cloud, clock, coolDown, tags, log },
      ...(random === undefined ? {} : { random }),
      ...(options.reports === undefined ? {} : { reports: options.reports }),
      depletedAt: options.depletedAt,
      journal: { commitPool: (changes) => this.#write(process, () => this.journal.commitPool(changes)) },
      links: this.#kernelLinks(),
      conntrack: { forget: (ips) => this.#forget(process, ips) },
      get limits() {
        return options.limits
      },
      instanceId: parseCloudId<InstanceId>(this.#node.instanceId),
      vSwitches: new VSwitches({
        ...{ cloud, now, allowed: allowed.map(({ id }) => parseCloudId<VSwitchId>(id)) },
        ...{ vpcId: parseCloudId<VpcId>(region.region.vpc.id), zone: parseCloudId<ZoneId>(home.zone) },
        ...(random === undefined ? {} : { random }),
      }),
      securityGroupIds: this.#node.securityGroupIds.map((id) => parseCloudId<SecurityGroupId>(id)),
    })
  }

  /** A dead process writes nothing, whatever it was about to do. */
  #write(process: VirtualProcess, write: () => void): void {
    this.#options.onWrite?.('before')
    if (!process.alive) throw new Dead('the process is dead')
    write()
    this.#options.onWrite?.('after')
    if (!process.alive) throw new Dead('the process is dead')
  }

  /** Takes a moment, in which the process may die. */
  async #forget(process: VirtualProcess, ips: readonly Ip[]): Promise<void> {
    await process.sleep(10)
    this.#options.onForget?.()
    for (const ip of ips) {
      const before = this.#released.get(ip)
      if (before !== undefined) before.forgotten = true
    }
  }

  /** As the guest has them: a link appears some time after the cloud says InUse, and goes with the ENI. */
  #kernelLinks(): EniLinks {
    return {
      find: (mac) => {
        const eni = this.enis().find((one) => String(one.mac) === String(mac))
        const here = eni?.state.status === 'InUse' && eni.state.instanceId === this.#node.instanceId && eni.state.linked
        if (!here || eni.type === 'Member') return undefined
        const known = this.#links.get(mac)
        const link = known ?? { name: parseLinkName(`eth${this.#links.size + 1}`), ifindex: this.#links.size + 2 }
        this.#links.set(mac, link)
        return link
      },
      program: () => undefined,
      clear: async () => undefined,
    }
  }
}

const LOG = pino({ level: process.env.TEST_LOG ?? 'silent' })

function holds(eni: Eni, ip: Ip): boolean {
  const single = [...addressesOf(eni), ...eni.ipv6s].some((one) => String(one) === String(ip))
  return (
    single ||
    [...eni.ipv4Prefixes, ...eni.ipv6Prefixes].some((cidr) => familyOf(cidr) === familyOf(ip) && cidrContains(cidr, ip))
  )
}
