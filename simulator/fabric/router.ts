/** The VPC's router: one namespace with an end of every ENI's link. */
import type { Ipv4 } from '../../inet/address.ts'
import type { EniId } from '../region/ids.ts'
import type { RouteTable, VSwitch } from '../region/region.ts'
import { CommandError } from './command.ts'
import { FabricError } from './error.ts'
import { ipBatch, linksIn, setSysctls } from './netns.ts'
import type { Network } from './network.ts'
import { gatewayCommands, linkCommand, type Plug } from './plug.ts'
import {
  localCommands,
  type TableNumbers,
  tableCommands,
  tableNumbers,
  type Ways,
  wayCommands,
  waysTo,
} from './routes.ts'

export interface RouterOptions {
  readonly netns: string
  /** Addresses of the cloud's services, reachable from everywhere in the VPC. */
  readonly services: readonly Ipv4[]
  readonly vSwitches: readonly VSwitch[]
  /** The system table first. */
  readonly routeTables: readonly RouteTable[]
  /** Bytes. */
  readonly mtu: number
}

/** An ENI without a link, and the name of the one it gets and where. */
export interface Birth {
  readonly plug: Plug
  readonly netns: string
  readonly link: string
}

/** Keys below /proc/sys/net. `default` is what links get when they are made. */
const SYSCTLS = {
  'ipv4/ip_forward': '1',
  // The source check is nftables' work; the kernel's own would also drop what is allowed.
  'ipv4/conf/all/rp_filter': '0',
  'ipv4/conf/default/rp_filter': '0',
  'ipv4/conf/all/send_redirects': '0',
  'ipv4/conf/default/send_redirects': '0',
  'ipv4/conf/all/proxy_arp': '1',
  // Answers of the router itself take the way back in the route table that the question came by.
  'ipv4/fwmark_reflect': '1',
  'ipv4/tcp_fwmark_accept': '1',
}
const IPV6_SYSCTLS = {
  'ipv6/conf/all/forwarding': '1',
  'ipv6/conf/default/forwarding': '1',
  'ipv6/conf/default/accept_ra': '0',
  // The same gateway is on every link of its vSwitch: nothing to detect.
  'ipv6/conf/default/accept_dad': '0',
  'ipv6/fwmark_reflect': '1',
}
const NO_IPV6_SYSCTLS = { 'ipv6/conf/default/disable_ipv6': '1' }

export class Router {
  readonly #options: RouterOptions
  readonly #tables: TableNumbers
  /** What the kernel has. */
  #ways: Ways = new Map()

  constructor(options: RouterOptions) {
    this.#options = options
    this.#tables = tableNumbers(options.routeTables)
  }

  /** In a namespace that is new. Rejects with CommandError. */
  async start(): Promise<void> {
    const { netns, services, vSwitches, routeTables } = this.#options
    const ipv6 = vSwitches.some((vSwitch) => vSwitch.ipv6 !== undefined)
    setSysctls(netns, { ...SYSCTLS, ...(ipv6 ? IPV6_SYSCTLS : NO_IPV6_SYSCTLS) })
    const tables = tableCommands(routeTables)
    await ipBatch(netns, [
      ...services.map((ip) => `address add ${ip}/32 dev lo`),
      ...localCommands(vSwitches),
      ...tables.routes,
      ...tables.rules,
    ])
    if (ipv6) await ipBatch(netns, [...tables.routes, ...tables.rules], ['-6'])
  }

  /** The other end goes with it, wherever it was moved to, and so do all routes. */
  async detach(eni: EniId): Promise<void> {
    this.#ways = new Map([...this.#ways].filter(([, way]) => way.eni !== eni))
    // A guest that destroyed the namespace its end was in has destroyed the link.
    if (linksIn(this.#options.netns).includes(eni)) await ipBatch(this.#options.netns, [`link del dev ${eni}`])
  }

  /**
   * Packets take the ways to the ENIs, and no others; the one that is `born` gets its link first, down on the node.
   * Rejects with CommandError, or with FabricError when the kernel cannot carry a member.
   */
  async follow({ plugs, routes }: Network, born?: Birth): Promise<void> {
    const { netns, mtu } = this.#options
    // The routes over a link that its guest has destroyed have gone with it.
    const links = new Set(linksIn(netns))
    const kept = new Map([...this.#ways].filter(([, { eni }]) => links.has(eni)))
    const linked = [...plugs.values()].filter(({ eniId }) => links.has(eniId) || eniId === born?.plug.eniId)
    const ways = waysTo(linked, { routes, tables: this.#tables, mtu })
    const link = born === undefined ? [] : [linkCommand(born.plug, { ...born, mtu }), ...gatewayCommands(born.plug)]
    await ipBatch(netns, [...link, ...wayCommands(kept, ways)]).catch((error: unknown) => {
      throw born?.plug.kind === 'member' && isWithoutVlans(error) ? noVlans(born.plug.eniId, error) : error
    })
    this.#ways = ways
  }
}

/** What `ip` says of a type of link that the kernel does not have. */
function isWithoutVlans(error: unknown): boolean {
  return error instanceof CommandError && error.stderr.includes('Unknown device type')
}

function noVlans(eni: EniId, cause: unknown): FabricError {
  const remedy = 'load the module ("modprobe 8021q"), or run where the kernel has it ("make test-vm" shows how)'
  return new FabricError(`this kernel has no 802.1Q, which the member ENI ${eni} needs: ${remedy}`, { cause })
}
