/**
 * The VPC made of network namespaces: one for the VPC's router, one for each node, a veth for each ENI, and on those of
 * trunk ENIs a VLAN for each member.
 *
 * The router has a route for every assigned address and prefix and a black hole for all others. It answers for every
 * address that it can route, so that nodes reach their own vSwitch through it as well.
 */
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { Ip, Ipv4 } from '../../inet/address.ts'
import { deleteConntrack, endsOf, listConntrack } from '../../netlink/conntrack.ts'
import { createNamedNetns, deleteNamedNetns, isNetns } from '../../netlink/netns.ts'
import type { EniId, NodeName, SecurityGroupId } from '../region/ids.ts'
import type { RouteTable, VSwitch } from '../region/region.ts'
import type { SecurityGroup } from '../region/security-group.ts'
import { run } from './command.ts'
import { FabricError } from './error.ts'
import { Filter } from './filter.ts'
import { dropLease, existing, isAlive, readLease, takeLease } from './lease.ts'
import { NeighbourDiscovery } from './neighbour-discovery.ts'
import { ipBatch, linksIn, netnsPath, setSysctls } from './netns.ts'
import { endedBy, Network } from './network.ts'
import { bootCommands, type FabricRoute, nextLinkName, type Plug } from './plug.ts'
import { Router } from './router.ts'

export interface FabricOptions {
  /** First part of the names of all namespaces. */
  readonly prefix: string
  readonly nodes: readonly NodeName[]
  /** Addresses of the cloud's services, reachable from everywhere in the VPC. */
  readonly services: readonly Ipv4[]
  readonly vSwitches: readonly VSwitch[]
  /** The system table first. */
  readonly routeTables: readonly RouteTable[]
  readonly securityGroups: ReadonlyMap<SecurityGroupId, SecurityGroup>
  /** Bytes, of every ENI. */
  readonly mtu: number
}

/** Packets as the guest counts them, and what the VPC threw away. */
export interface LinkCounters {
  readonly rxPackets: number
  readonly rxBytes: number
  readonly txPackets: number
  readonly txBytes: number
  /** Packets from the ENI whose source is not assigned to it, nor behind it by a route entry. */
  readonly droppedSource: number
  /** Packets from the ENI to where nobody is. */
  readonly droppedUnassigned: number
  /** Packets from the ENI that its security groups do not let out. */
  readonly droppedEgress: number
  /** Packets to the ENI that its security groups do not let in. */
  readonly droppedIngress: number
  /** Packets from the ENI that are too big for the VPC and may not be fragmented; their sender was told. */
  readonly droppedMtu: number
}

const LINKS = z.array(
  z.object({
    ifname: z.string(),
    stats64: z.object({
      rx: z.object({ packets: z.int(), bytes: z.int() }),
      tx: z.object({ packets: z.int(), bytes: z.int() }),
    }),
  }),
)

const NAMES = z.array(z.object({ ifname: z.string() }))

export class Fabric {
  readonly vpcNetns: string
  readonly #options: FabricOptions
  readonly #router: Router
  readonly #filter: Filter
  #discovery: NeighbourDiscovery | undefined
  /** What the kernel has. */
  #network: Network

  private constructor(options: FabricOptions) {
    this.#options = options
    this.vpcNetns = `${options.prefix}-vpc`
    this.#router = new Router({ ...options, netns: this.vpcNetns })
    this.#filter = new Filter({ ...options, netns: this.vpcNetns })
    this.#network = new Network({ vSwitches: options.vSwitches, plugs: new Map(), routes: [] })
  }

  /**
   * Makes the namespaces; no ENI is plugged yet. Rejects with FabricError when the prefix is in use, or with
   * CommandError; nothing is left behind then.
   */
  static async start(options: FabricOptions): Promise<Fabric> {
    if (process.getuid?.() !== 0) throw new FabricError('namespaces and links need root; without it, use --no-fabric')
    const fabric = new Fabric(options)
    const namespaces = fabric.#namespaces()
    takeLease(options.prefix, namespaces)
    try {
      const taken = namespaces.filter((name) => isNetns(netnsPath(name)))
      if (taken.length > 0) {
        throw new FabricError(
          `the namespaces ${taken.join(', ')} exist; use --prefix, or remove them by "ip netns delete"`,
        )
      }
    } catch (error) {
      dropLease(options.prefix)
      throw error
    }
    try {
      await fabric.#build(namespaces)
      return fabric
    } catch (error) {
      await fabric.stop()
      throw error
    }
  }

  netnsOf(node: NodeName): string {
    return `${this.#options.prefix}-${node}`
  }

  /**
   * Makes the kernel equal to the lists: what is gone from them goes first, so that an address can move from one ENI to
   * another. One ENI's failure does not keep the others from following. Not to be called again before it has ended.
   * Rejects with AggregateError.
   */
  async sync(plugs: readonly Plug[], routes: readonly FabricRoute[] = []): Promise<void> {
    const wanted = new Map(plugs.map((plug) => [plug.eniId, plug]))
    const errors: unknown[] = []
    const attempt = (step: Promise<void>): Promise<void> => step.catch((error: unknown) => void errors.push(error))
    for (const old of [...this.#network.plugs.values()].sort(membersFirst)) {
      const plug = wanted.get(old.eniId)
      if (plug === undefined || !this.#stays(old, wanted)) await attempt(this.#unplug(old))
      else await attempt(this.#change(withoutLost(old, plug)))
    }
    await attempt(this.#follow(this.#network.with({ routes })))
    for (const plug of [...plugs].sort((a, b) => membersFirst(b, a))) {
      const old = this.#network.plugs.get(plug.eniId)
      if (old === undefined) await attempt(this.#plug(plug))
      // Otherwise it could not be unplugged, which has been noted.
      else if (this.#stays(old, wanted)) await attempt(this.#change(plug))
    }
    if (errors.length > 0) {
      const reasons = errors.map((error) => (error instanceof Error ? error.message : String(error)))
      throw new AggregateError(errors, `the fabric does not follow the cloud: ${reasons.join('; ')}`)
    }
  }

  /** Rejects with CommandError. */
  async counters(): Promise<ReadonlyMap<EniId, LinkCounters>> {
    const [text, dropped] = await Promise.all([
      run(['ip', '-n', this.vpcNetns, '-json', '-statistics', 'link', 'show']),
      this.#filter.drops(this.#network.plugs.keys()),
    ])
    const links = new Map(LINKS.parse(JSON.parse(text)).map((link) => [link.ifname, link.stats64]))
    const counters = new Map<EniId, LinkCounters>()
    for (const eni of this.#network.plugs.keys()) {
      const stats = links.get(eni)
      const drops = dropped.get(eni)
      if (stats === undefined || drops === undefined) continue // its guest has destroyed the link
      // What the router sends, the guest receives.
      counters.set(eni, {
        rxPackets: stats.tx.packets,
        rxBytes: stats.tx.bytes,
        txPackets: stats.rx.packets,
        txBytes: stats.rx.bytes,
        droppedSource: drops.source,
        droppedUnassigned: drops.unassigned,
        droppedEgress: drops.egress,
        droppedIngress: drops.ingress,
        droppedMtu: drops.mtu,
      })
    }
    return counters
  }

  /** Removes everything that was made. */
  async stop(): Promise<void> {
    this.#discovery?.stop()
    this.#discovery = undefined
    await removeNamespaces(this.vpcNetns, this.#namespaces())
    this.#network = this.#network.with({ plugs: new Map(), routes: [] })
    dropLease(this.#options.prefix)
  }

  #namespaces(): string[] {
    return [this.vpcNetns, ...this.#options.nodes.map((node) => this.netnsOf(node))]
  }

  async #build(namespaces: readonly string[]): Promise<void> {
    for (const name of namespaces) {
      createNamedNetns(name)
      await ipBatch(name, ['link set dev lo up'])
    }
    await this.#router.start()
    await this.#filter.start()
    if (this.#options.vSwitches.some(({ ipv6 }) => ipv6 !== undefined)) {
      this.#discovery = new NeighbourDiscovery({ netns: this.vpcNetns, ownersOf: (ip) => this.#network.ownersOf(ip) })
    }
  }

  async #plug(plug: Plug): Promise<void> {
    const netns = this.netnsOf(plug.node)
    const link = nextLinkName(linksIn(netns))
    const network = this.#network.with({ plugs: new Map(this.#network.plugs).set(plug.eniId, plug) })
    try {
      await this.#router.follow(network, { plug, netns, link })
      if (plug.kind === 'primary') await boot(plug, { netns, link })
      await this.#arrive(network)
    } catch (error) {
      await this.#router.detach(plug.eniId)
      throw error
    }
  }

  async #unplug({ eniId }: Plug): Promise<void> {
    const plugs = new Map(this.#network.plugs)
    plugs.delete(eniId)
    await this.#arrive(this.#network.with({ plugs }))
    await this.#router.detach(eniId)
  }

  async #change(plug: Plug): Promise<void> {
    if (isDeepStrictEqual(plug, this.#network.plugs.get(plug.eniId))) return
    await this.#follow(this.#network.with({ plugs: new Map(this.#network.plugs).set(plug.eniId, plug) }))
  }

  async #follow(network: Network): Promise<void> {
    await this.#router.follow(network)
    await this.#arrive(network)
  }

  /** After the ways the filter, and after that the sessions, which by then cannot come back. */
  async #arrive(network: Network): Promise<void> {
    await this.#filter.follow(network)
    const isEnded = endedBy(this.#network, network)
    if (isEnded !== undefined) endSessions(netnsPath(this.vpcNetns), isEnded)
    this.#network = network
  }

  /** Whether it keeps its link: a VLAN goes with the link that carries it. */
  #stays(old: Plug, wanted: ReadonlyMap<EniId, Plug>): boolean {
    const plug = wanted.get(old.eniId)
    if (plug === undefined || !isDeepStrictEqual(placeOf(old), placeOf(plug))) return false
    if (old.kind !== 'member') return true
    const trunk = this.#network.plugs.get(old.trunk)
    return trunk !== undefined && this.#stays(trunk, wanted)
  }
}

/** The node as it is when it has been up for a while. */
async function boot(plug: Plug, { netns, link }: { readonly netns: string; readonly link: string }): Promise<void> {
  // Otherwise the link-local address could not be used for its first second, nor what is routed by the node.
  if (plug.vSwitch.ipv6 !== undefined) setSysctls(netns, { [`ipv6/conf/${link}/accept_dad`]: '0' })
  await ipBatch(netns, bootCommands(plug, link))
}

function endSessions(netns: string, isEnded: (ip: Ip) => boolean): void {
  deleteConntrack(
    netns,
    listConntrack(netns).filter((connection) => endsOf(connection).some(isEnded)),
  )
}

/** What a link is made from. */
function placeOf(plug: Plug): object {
  const { kind, node, mac, vSwitch } = plug
  return plug.kind === 'member'
    ? { node, mac, vSwitch, trunk: plug.trunk, vlan: plug.vlan }
    : { kind, node, mac, vSwitch }
}

function membersFirst(a: Plug, b: Plug): number {
  return Number(b.kind === 'member') - Number(a.kind === 'member')
}

/** The ENI before it gets what is new. */
function withoutLost(old: Plug, plug: Plug): Plug {
  return {
    ...old,
    ips: old.ips.filter((ip) => plug.ips.includes(ip)),
    ipv6s: old.ipv6s.filter((ip) => plug.ipv6s.includes(ip)),
    ipv4Prefixes: old.ipv4Prefixes.filter((cidr) => plug.ipv4Prefixes.includes(cidr)),
    ipv6Prefixes: old.ipv6Prefixes.filter((cidr) => plug.ipv6Prefixes.includes(cidr)),
  }
}

/** Links first: a namespace that somebody still holds open would otherwise keep them. */
async function removeNamespaces(vpcNetns: string, namespaces: readonly string[]): Promise<void> {
  if (isNetns(netnsPath(vpcNetns))) {
    // The VLANs on a link go with it.
    const text = await run(['ip', '-n', vpcNetns, '-json', 'link', 'show', 'type', 'veth'])
    const ends = NAMES.parse(JSON.parse(text)).filter(({ ifname }) => ifname.startsWith('eni-'))
    await ipBatch(
      vpcNetns,
      ends.map(({ ifname }) => `link del dev ${ifname}`),
    )
  }
  for (const name of namespaces) deleteNamedNetns(name)
}

/**
 * Removes what a simulator that died has left, and says what that was. Rejects with FabricError while the simulator
 * is alive.
 */
export async function cleanFabric(prefix: string): Promise<readonly string[]> {
  const lease = readLease(prefix)
  if (lease === undefined) return []
  if (isAlive(lease)) {
    throw new FabricError(`the simulator of the prefix ${prefix} is running (pid ${lease.pid}): stop it by SIGTERM`)
  }
  const left = existing(lease)
  await removeNamespaces(`${prefix}-vpc`, lease.namespaces)
  dropLease(prefix)
  return left
}
