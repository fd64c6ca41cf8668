/**
 * The VPC made of network namespaces: one for the VPC's router, one for each node, a veth for each ENI.
 *
 * The router has a route and a permanent neighbour for every assigned address and a black hole for all others. It
 * answers for every address that it can route, so that nodes reach their own vSwitch through it as well.
 */
import { z } from 'zod'
import type { Ipv4 } from '../../inet/address.ts'
import { createNamedNetns, deleteNamedNetns, isNetns } from '../../netlink/netns.ts'
import type { EniId, NodeName } from '../region/ids.ts'
import { run } from './command.ts'
import { FabricError } from './error.ts'
import { dropLease, existing, isAlive, readLease, takeLease } from './lease.ts'
import { ipBatch, linksIn, netnsPath, nftScript, setSysctls } from './netns.ts'
import { announceCommands, bootCommands, nextLinkName, type Plug, plugCommands, withdrawCommands } from './plug.ts'
import {
  addCounter,
  allowSources,
  readDropped,
  refuseSources,
  removeCounter,
  SOURCE_CHECK_RULES,
} from './source-check.ts'

export interface FabricOptions {
  /** First part of the names of all namespaces. */
  readonly prefix: string
  readonly nodes: readonly NodeName[]
  /** Addresses of the cloud's services, reachable from everywhere in the VPC. */
  readonly services: readonly Ipv4[]
}

/** Packets as the guest counts them, and what the VPC threw away. */
export interface LinkCounters {
  readonly rxPackets: number
  readonly rxBytes: number
  readonly txPackets: number
  readonly txBytes: number
  /** Packets from the ENI whose source address is not assigned to it. */
  readonly droppedSource: number
}

/** Keys below /proc/sys/net. `default` is what links get when they are made. */
const ROUTER_SYSCTLS = {
  'ipv4/ip_forward': '1',
  // The source check is nftables' work; the kernel's own would also drop what is allowed.
  'ipv4/conf/all/rp_filter': '0',
  'ipv4/conf/default/rp_filter': '0',
  'ipv4/conf/all/send_redirects': '0',
  'ipv4/conf/default/send_redirects': '0',
  'ipv4/conf/all/proxy_arp': '1',
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

export class Fabric {
  readonly vpcNetns: string
  readonly #options: FabricOptions
  /** What the kernel has, by ENI. */
  readonly #plugged = new Map<EniId, Plug>()

  private constructor(options: FabricOptions) {
    this.#options = options
    this.vpcNetns = `${options.prefix}-vpc`
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
   * Makes the kernel equal to the list: what is gone from it goes first, so that an address can move from one ENI to
   * another. One ENI's failure does not keep the others from following. Not to be called again before it has ended.
   * Rejects with AggregateError.
   */
  async sync(plugs: readonly Plug[]): Promise<void> {
    const wanted = new Map(plugs.map((plug) => [plug.eniId, plug]))
    const errors: unknown[] = []
    const attempt = (step: Promise<void>): Promise<void> => step.catch((error: unknown) => void errors.push(error))
    for (const old of [...this.#plugged.values()]) {
      const plug = wanted.get(old.eniId)
      if (plug === undefined || plug.node !== old.node) await attempt(this.#unplug(old))
      else await attempt(this.#withdraw(old, plug))
    }
    for (const plug of plugs) {
      const old = this.#plugged.get(plug.eniId)
      if (old === undefined) await attempt(this.#plug(plug))
      else await attempt(this.#announce(old, plug))
    }
    if (errors.length > 0) {
      const reasons = errors.map((error) => (error instanceof Error ? error.message : String(error)))
      throw new AggregateError(errors, `the fabric does not follow the cloud: ${reasons.join('; ')}`)
    }
  }

  /** Rejects with CommandError. */
  async counters(): Promise<ReadonlyMap<EniId, LinkCounters>> {
    const [text, dropped] = await Promise.all([
      run(['ip', '-n', this.vpcNetns, '-json', '-statistics', 'link', 'show', 'type', 'veth']),
      readDropped(this.vpcNetns),
    ])
    const links = new Map(LINKS.parse(JSON.parse(text)).map((link) => [link.ifname, link.stats64]))
    const counters = new Map<EniId, LinkCounters>()
    for (const eni of this.#plugged.keys()) {
      const stats = links.get(eni)
      if (stats === undefined) continue // its guest has destroyed the link
      // What the router sends, the guest receives.
      counters.set(eni, {
        rxPackets: stats.tx.packets,
        rxBytes: stats.tx.bytes,
        txPackets: stats.rx.packets,
        txBytes: stats.rx.bytes,
        droppedSource: dropped.get(eni) ?? 0,
      })
    }
    return counters
  }

  /** Removes everything that was made. */
  async stop(): Promise<void> {
    await removeNamespaces(this.vpcNetns, this.#namespaces())
    this.#plugged.clear()
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
    setSysctls(this.vpcNetns, ROUTER_SYSCTLS)
    const services = this.#options.services.map((ip) => `address add ${ip}/32 dev lo`)
    await ipBatch(this.vpcNetns, [...services, 'route add blackhole default'])
    await nftScript(this.vpcNetns, SOURCE_CHECK_RULES)
  }

  async #plug(plug: Plug): Promise<void> {
    const netns = this.netnsOf(plug.node)
    const link = nextLinkName(linksIn(netns))
    try {
      await ipBatch(this.vpcNetns, plugCommands(plug, { netns, link }))
      if (plug.kind === 'primary') await ipBatch(netns, bootCommands(plug, link))
      await nftScript(this.vpcNetns, addCounter(plug.eniId) + allowSources(plug.eniId, plug.ips))
    } catch (error) {
      await this.#removeLink(plug.eniId)
      throw error
    }
    this.#plugged.set(plug.eniId, plug)
  }

  async #unplug(plug: Plug): Promise<void> {
    await nftScript(this.vpcNetns, refuseSources(plug.eniId, plug.ips) + removeCounter(plug.eniId))
    this.#plugged.delete(plug.eniId)
    await this.#removeLink(plug.eniId)
  }

  /** The other end goes with it, wherever it was moved to. */
  async #removeLink(eni: EniId): Promise<void> {
    // A guest that destroyed the namespace its end was in has destroyed the link.
    if (linksIn(this.vpcNetns).includes(eni)) await ipBatch(this.vpcNetns, [`link del dev ${eni}`])
  }

  async #withdraw(old: Plug, plug: Plug): Promise<void> {
    const ips = old.ips.filter((ip) => !plug.ips.includes(ip))
    if (ips.length === 0) return
    await nftScript(this.vpcNetns, refuseSources(old.eniId, ips))
    this.#plugged.set(old.eniId, { ...old, ips: old.ips.filter((ip) => !ips.includes(ip)) })
    await ipBatch(this.vpcNetns, withdrawCommands(old.eniId, ips))
  }

  async #announce(old: Plug, plug: Plug): Promise<void> {
    const ips = plug.ips.filter((ip) => !old.ips.includes(ip))
    if (ips.length === 0) return
    await ipBatch(this.vpcNetns, announceCommands(plug.eniId, { mac: plug.mac, ips }))
    await nftScript(this.vpcNetns, allowSources(plug.eniId, ips))
    this.#plugged.set(plug.eniId, plug)
  }
}

/** Links first: a namespace that somebody still holds open would otherwise keep them. */
async function removeNamespaces(vpcNetns: string, namespaces: readonly string[]): Promise<void> {
  if (isNetns(netnsPath(vpcNetns))) {
    const ends = linksIn(vpcNetns).filter((name) => name.startsWith('eni-'))
    await ipBatch(
      vpcNetns,
      ends.map((end) => `link del dev ${end}`),
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
