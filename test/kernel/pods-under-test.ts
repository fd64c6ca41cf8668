/**
 * A node's pods with the real journal and the real kernel, in namespaces of its own; the pool has its addresses from the
 * start and no cloud.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Cloud } from '../../cloud/cloud.ts'
import { type EniId, type InstanceId, parseCloudId, type VpcId, type VSwitchId, type ZoneId } from '../../cloud/ids.ts'
import { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import { parseAdd, parseCheck, parseDel } from '../../daemon/cni/invocation.ts'
import { openDrift, watchPods } from '../../daemon/composition/node-drift.ts'
import type { HostFacts } from '../../daemon/datapath/attachment.ts'
import { NodeLinks } from '../../daemon/datapath/node-links.ts'
import { planHost } from '../../daemon/datapath/plan-host.ts'
import type { Drift } from '../../daemon/drift/drift.ts'
import type { RepairReport } from '../../daemon/drift/report.ts'
import { add } from '../../daemon/pod/add.ts'
import { NODE, type PodContext } from '../../daemon/pod/context.ts'
import { Endpoints } from '../../daemon/pod/endpoints.ts'
import { KeyedLock } from '../../daemon/pod/keyed-lock.ts'
import { LinkIndexes } from '../../daemon/pod/link-indexes.ts'
import { poolEnis, poolLeases } from '../../daemon/pod/pool-leases.ts'
import { recover } from '../../daemon/pod/recover.ts'
import { Removals } from '../../daemon/pod/remove.ts'
import { Stopwatch } from '../../daemon/pod/stopwatch.ts'
import { check, del } from '../../daemon/pod/verbs.ts'
import { REAL_POOL_CLOCK } from '../../daemon/pool/clock.ts'
import type { Change, EniKey, KnownEni } from '../../daemon/pool/model.ts'
import { Pool } from '../../daemon/pool/pool.ts'
import { type PoolKind, poolLimits } from '../../daemon/pool/settings.ts'
import { Journal } from '../../daemon/store/journal.ts'
import { addressAt, type Cidr, type Ipv4, type Ipv6, parseCidr, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { Netns } from '../../netlink/netns.ts'
import { NetlinkSocket } from '../../netlink/socket.ts'
import type { Invocation__Output } from '../../proto/generated/terway/cni/v1/Invocation.ts'
import { ip, ipJson, run, TestNamespaces } from './namespaces.ts'

export const CIDR = parseCidr('10.9.0.0/24')
export const CIDR6 = parseCidr('fd09::/64')
export const ENI_MAC = parseMac('00:16:3e:09:00:01')
export const ENI_KEY = 'k' as EniKey
const ADDRESSES = 20
const log = pino({ level: 'silent' })

const HOST: HostFacts = {
  addresses: { ipv4: addressAt(CIDR, 200n) as Ipv4, ipv6: addressAt(CIDR6, 200n) as Ipv6 },
  ...{ primaryLink: parseLinkName('eth0'), families: ['ipv4'], serviceCidrs: [], policyRoute: 'map', podCidrs: [] },
}

/** The pool never needs the cloud here: watermarks are zero and every address is there. */
const NO_CLOUD = new Proxy({} as Cloud, {
  get: (_, action) => () => Promise.reject(new Error(`${String(action)} must not be called`)),
})

export interface Call {
  readonly containerId: string
  readonly netns: string
  readonly ifname: string
  readonly pod: string
  readonly conf: object
}

export function raw({
  containerId = 'c1',
  netns = '',
  ifname = 'eth0',
  pod = 'web',
  conf = {},
}: Partial<Call>): Invocation__Output {
  const args = `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod}`
  const config = Buffer.from(JSON.stringify({ cniVersion: '1.1.0', name: 'terway', type: 'terway', ...conf }))
  return { containerId, netns, ifname, args, config }
}

export interface AddAnswer {
  readonly interfaces: readonly { readonly name: string; readonly sandbox?: string }[]
  readonly ips: readonly { readonly address: string }[]
  readonly routes: readonly unknown[]
}

const alive = new AbortController().signal

/** Other than a /24 with a few addresses, all of them free. */
export interface NodeSize {
  readonly cidr?: Cidr
  readonly addresses?: number
  /** Where the journal is. */
  readonly under?: string
  /** Puts back what others change, and tells of each repair here. */
  readonly onRepair?: (report: RepairReport) => void
}

/** What a start puts together. */
interface Running {
  readonly context: PodContext
  readonly pool: Pool
  readonly journal: Journal
  readonly kernel: PlanInterpreter
  readonly socket: NetlinkSocket
  readonly drift: Drift | undefined
}

export class PodsUnderTest {
  readonly namespaces: TestNamespaces
  readonly netns: Netns
  readonly directory: string
  readonly #kind: PoolKind
  readonly #cidr: Cidr
  readonly #addresses: number
  readonly #onRepair: NodeSize['onRepair']
  #host = HOST
  #running: Running | undefined

  /** @param prefix of the names of its namespaces */
  constructor(prefix: string, kind: PoolKind = 'shared', size: NodeSize = {}) {
    const { cidr = CIDR, addresses = ADDRESSES, under, onRepair } = size
    this.#onRepair = onRepair
    this.#kind = kind
    this.#cidr = cidr
    this.#addresses = addresses
    this.namespaces = new TestNamespaces(prefix)
    this.netns = this.namespaces.create('node')
    this.#boot()
    ip(this.netns, 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'vpc')
    ip(this.netns, 'link', 'set', 'eth1', 'address', ENI_MAC)
    this.directory = mkdtempSync(join(under ?? tmpdir(), 'terway-node-'))
    this.#fillJournal()
  }

  get context(): PodContext {
    return this.#parts.context
  }

  get pool(): Pool {
    return this.#parts.pool
  }

  /**
   * A daemon's inside on what the journal has.
   * @param host other facts than before
   * @param meanwhile what others do to the node between the look at its pods and the watch over them
   */
  async start(host: Partial<HostFacts> = {}, meanwhile: () => void = () => undefined): Promise<void> {
    this.#host = { ...this.#host, ...host }
    const journal = new Journal(this.directory)
    const kernel = new PlanInterpreter({ hostNetns: this.netns })
    const socket = NetlinkSocket.open({ netns: this.netns })
    const endpoints = new Endpoints(journal, journal.loadEndpoints())
    const attachments = () => endpoints.all().flatMap(({ attachment }) => attachment ?? [])
    const drift = this.#openDrift(kernel)
    kernel.apply(planHost(this.#host))
    drift?.watch(NODE, planHost(this.#host))
    const keeper = drift === undefined ? {} : { keeper: drift }
    const links = new NodeLinks({
      ...{ socket, kernel, netns: this.netns, host: this.#host, mtu: 1500, attachments, ...keeper },
    })
    const pool = this.#pool(journal, links)
    const context = this.#context({ endpoints, kernel, pool, links })
    this.#running = { context, pool, journal, kernel, socket, drift }
    await recover(context)
    meanwhile()
    if (drift !== undefined) watchPods(endpoints, drift)
    await pool.bringUp()
    pool.start()
  }

  async stop(): Promise<void> {
    const { pool, context, kernel, socket, journal, drift } = this.#parts
    drift?.[Symbol.dispose]()
    await pool.stop()
    await context.removals.settled()
    await kernel.close()
    socket.close()
    journal.close()
  }

  async restart(host: Partial<HostFacts> = {}): Promise<void> {
    await this.stop()
    await this.start(host)
  }

  async end(): Promise<void> {
    await this.stop()
    this.namespaces[Symbol.dispose]()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async add(call: Partial<Call>, signal = alive): Promise<AddAnswer> {
    const answer = await add(this.context, parseAdd(raw(call)), { signal, watch: new Stopwatch() })
    return JSON.parse(Buffer.from(answer).toString()) as AddAnswer
  }

  async del(call: Partial<Call>): Promise<void> {
    await del(this.context, parseDel(raw(call)))
  }

  async check(call: Partial<Call>): Promise<void> {
    await check(this.context, parseCheck(raw(call)))
  }

  /** Names of the pods' links. */
  podLinks(): string[] {
    const names = ipJson(this.netns, 'link').map(({ ifname }) => String(ifname))
    return names.filter((name) => name.startsWith('cali'))
  }

  /** Of both families, as iproute2 prints them. */
  rules(): string[] {
    const text = ip(this.netns, '-4', 'rule') + ip(this.netns, '-6', 'rule')
    return text.split('\n').filter((line) => /^(512|2048):/.test(line))
  }

  /** What pods could have left, in the words of iproute2 and nft. */
  traces(): readonly string[] {
    const routes = ['-4', '-6'].flatMap((family) =>
      ['main', '1000'].map((table) => quiet(() => ip(this.netns, family, 'route', 'show', 'table', table))),
    )
    const marks = run(this.netns, 'nft', 'list', 'ruleset')
    return [
      ...this.rules(),
      ip(this.netns, '-br', 'link'),
      ip(this.netns, 'neigh', 'show', 'nud', 'permanent'),
      ...routes,
      marks,
    ]
  }

  get #parts(): Running {
    if (this.#running === undefined) throw new Error('the node has not been started')
    return this.#running
  }

  #openDrift(kernel: PlanInterpreter): Drift | undefined {
    const onRepair = this.#onRepair
    if (onRepair === undefined) return undefined
    const missed = (eni: EniId) => this.context.enis.missed(eni)
    return openDrift({ netns: this.netns, kernel, log, onRepair, onCompared: () => undefined, missed })
  }

  #pool(journal: Journal, links: NodeLinks): Pool {
    const maxEnis = this.#kind === 'shared' ? 1 : 2
    return new Pool({
      ...{ state: journal.loadPool(), journal, cloud: NO_CLOUD, links, log, clock: REAL_POOL_CLOCK },
      limits: poolLimits({
        ...{ kind: this.#kind, families: this.#host.families, maxEnis, addressesPerEni: this.#addresses },
        ...{ minFree: 0, maxFree: this.#addresses },
      }),
      ...{ conntrack: { forget: async () => undefined }, tags: {}, coolDown: 0, linkTimeout: 200 },
      ...{ instanceId: parseCloudId<InstanceId>('i-here'), securityGroupIds: [] },
      vSwitches: new VSwitches({
        ...{ cloud: NO_CLOUD, allowed: [], now: Date.now },
        ...{ vpcId: parseCloudId<VpcId>('vpc-1'), zone: parseCloudId<ZoneId>('cn-sim-h') },
      }),
    })
  }

  #context({ endpoints, kernel, pool, links }: ContextParts): PodContext {
    const host = this.#host
    const leases = poolLeases(pool, links)
    const plans: PodContext['enis']['plans'] = () => {
      const eni = this.#kind === 'shared' ? pool.readyEni(ENI_KEY) : undefined
      return [[NODE, planHost(host)], ...(eni === undefined ? [] : [[eni.id, links.plan(eni)] as const])]
    }
    const shared = { endpoints, leases, kernel, links, log, now: Date.now, keepsAddress: () => false }
    return {
      ...{ ...shared, removals: new Removals(shared), locks: new KeyedLock(), mtu: 1500 },
      ...{ enis: { ...poolEnis(pool, links), plans }, host, acquireTimeout: 2_000 },
      indexes: new LinkIndexes(links.indexes()),
    }
  }

  /** As an instance comes up: with a primary link that has its default route. */
  #boot(): void {
    ip(this.netns, 'link', 'set', 'lo', 'up')
    ip(this.netns, 'link', 'add', HOST.primaryLink, 'type', 'veth', 'peer', 'name', 'out')
    for (const link of [HOST.primaryLink, 'out']) ip(this.netns, 'link', 'set', link, 'up')
    ip(this.netns, 'address', 'add', `${HOST.addresses.ipv4}/32`, 'dev', HOST.primaryLink)
    ip(this.netns, 'route', 'add', 'default', 'via', '10.9.0.253', 'dev', HOST.primaryLink, 'onlink')
  }

  #fillJournal(): void {
    const eni: KnownEni = {
      ...{ phase: 'in-use', role: this.#kind, key: ENI_KEY, vSwitchId: parseCloudId<VSwitchId>('vsw-h') },
      ...{ cidr: this.#cidr, cidr6: CIDR6, mac: ENI_MAC, since: 0 },
      ...{ id: parseCloudId<EniId>('eni-1'), primaryIp: addressAt(this.#cidr, 1n) as Ipv4 },
    }
    const count = this.#kind === 'shared' ? this.#addresses : 1
    const records = Array.from({ length: count }, (_, i) =>
      [this.#cidr, CIDR6].map((cidr): Change => {
        const primary = i === 0 && cidr === this.#cidr
        const address = { ip: addressAt(cidr, BigInt(i + 1)), eni: ENI_KEY, primary, since: 0, phase: 'warm' } as const
        return { kind: 'put-address', address }
      }),
    )
    using journal = new Journal(this.directory)
    journal.commitPool([{ kind: 'put-eni', eni }, ...records.flat()])
  }
}

/** A table that never had a route is an error for iproute2. */
function quiet(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

interface ContextParts {
  readonly endpoints: Endpoints
  readonly kernel: PlanInterpreter
  readonly pool: Pool
  readonly links: NodeLinks
}
