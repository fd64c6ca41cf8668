/**
 * A node with ENIs and pods, and the router of their VPC, as network namespaces. All ENIs are in one vSwitch, that of the
 * node's own eth0 too, as it is on most nodes.
 */
import type { EniId } from '../../cloud/ids.ts'
import type { Addresses, EniFacts, HostFacts } from '../../daemon/datapath/attachment.ts'
import { type Family, parseIpv4, parseIpv6, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { MessageType, readU32 } from '../../netlink/codec.ts'
import type { Netns } from '../../netlink/netns.ts'
import { NetlinkSocket } from '../../netlink/socket.ts'
import { writeSysctls } from '../../netlink/sysctl.ts'
import { ip, ipBatch, run, TestNamespaces } from '../kernel/namespaces.ts'
import { ENI, HOST } from './attachments.ts'

/** Far behind the router. */
export const OUTSIDE = ['203.0.113.7', '2001:db8::7'] as const
/** Of services of the node: they are addresses of its own. */
export const SERVICES = ['172.16.0.1', 'fd00:5::1'] as const
/** As a caching name server of the node has one, outside of the services' prefixes. */
export const NODE_LOCAL = ['169.254.20.10', 'fd00:20::10'] as const

export const NODE_IPS = ['10.0.1.10', 'fd00:1::10'] as const
export const NODE: HostFacts = {
  ...HOST,
  addresses: { ipv4: parseIpv4(NODE_IPS[0]), ipv6: parseIpv6(NODE_IPS[1]) },
}

/** Indexes of ENIs, eth0's first, and of the router's ends of them. */
const INDEX_BASE = 10
const ROUTER_INDEX_BASE = 110

/** The kernel looks at carriers once a second when many of them change (LW_URGENT of net/core/link_watch.c). */
const CARRIER = { attempts: 1000, ms: 10 } as const
const clock = new Int32Array(new SharedArrayBuffer(4))

export const listOf = ({ ipv4, ipv6 }: Addresses): string[] => [ipv4, ipv6].filter((address) => address !== undefined)

export class NodeNetwork implements Disposable {
  readonly #namespaces: TestNamespaces
  readonly #pods: Netns[] = []
  readonly node: Netns
  readonly router: Netns

  constructor(prefix: string) {
    this.#namespaces = new TestNamespaces(prefix)
    this.node = this.#namespaces.create('node')
    this.router = this.#namespaces.create('router')
    const all = (family: Family, name: string, value: string) =>
      ['all', 'default'].map((link) => ({ key: ['net', family, 'conf', link, name], value }))
    const noDetection = all('ipv6', 'accept_dad', '0')
    // Distributions ask for strict reverse path filters; pods must live with that.
    writeSysctls(this.node, [...noDetection, ...all('ipv4', 'rp_filter', '1')])
    const forwards = [...all('ipv4', 'forwarding', '1'), ...all('ipv6', 'forwarding', '1')]
    writeSysctls(this.router, [...noDetection, ...forwards])
    ipBatch(this.router, ['link set lo up', ...OUTSIDE.map((address) => `address add ${address} dev lo`)])
    const own = [...SERVICES, ...NODE_LOCAL].map((address) => `address add ${address} dev lo`)
    ipBatch(this.node, ['link set lo up', ...own])
    this.#addPrimaryEni()
  }

  /** `lo` is up in it, as runtimes leave it. */
  pod(label: string): Netns {
    const netns = this.#namespaces.create(label)
    ip(netns, 'link', 'set', 'lo', 'up')
    this.#pods.push(netns)
    return netns
  }

  /** A further ENI: a link of the node, down, with index 11, 12 or 13 and the router's gateway on the other end. */
  addEni(number: 1 | 2 | 3): EniFacts {
    const link = parseLinkName(`eth${number}`)
    const mac = parseMac(`00:16:3e:00:00:0${number}`)
    ipBatch(this.node, [this.#cable(link, mac, number)])
    ipBatch(this.router, gatewayOn(`r${number}`))
    return { ...ENI, id: `eni-${number}` as EniId, mac, link, ifindex: INDEX_BASE + number, mark: number << 20 }
  }

  /** The router sends to these addresses by its end of the ENI, or by another link of its own. */
  assign(addresses: Addresses, eni: EniFacts, by = eni.link.replace('eth', 'r')): void {
    const to = (address: string) => [
      `route add ${address} dev ${by}`,
      `neigh add ${address} lladdr ${eni.mac} dev ${by} nud permanent`,
    ]
    ipBatch(this.router, listOf(addresses).flatMap(to))
  }

  /** The router's end of a member of the trunk, with its gateways. */
  addMember(trunk: EniFacts, vlanId: number): string {
    const end = trunk.link.replace('eth', 'r')
    const name = `${end}.${vlanId}`
    ipBatch(this.router, [`link add link ${end} name ${name} type vlan id ${vlanId}`, ...gatewayOn(name)])
    return name
  }

  /** A veth drops what is sent before the kernel has noticed its carrier, which it does a little after both ends are up. */
  settle(): void {
    const netnses = [this.node, ...this.#pods]
    for (let attempt = 1; netnses.some(hasWaitingLink); attempt++) {
      if (attempt === CARRIER.attempts)
        throw new Error(`links without carrier: ${netnses.map((n) => ip(n, '-o', 'link'))}`)
      Atomics.wait(clock, 0, 0, CARRIER.ms)
    }
  }

  [Symbol.dispose](): void {
    this.#namespaces[Symbol.dispose]()
  }

  #addPrimaryEni(): void {
    ipBatch(this.node, [
      this.#cable('eth0', '00:16:3e:00:00:0a', 0),
      ...[`address add ${NODE_IPS[0]}/24 dev eth0`, `address add ${NODE_IPS[1]}/64 dev eth0`, 'link set eth0 up'],
      ...listOf(ENI.gateways).map((gateway) => `route add default via ${gateway} dev eth0`),
    ])
    ipBatch(this.router, [...gatewayOn('r0'), ...NODE_IPS.map((address) => `route add ${address} dev r0`)])
  }

  /** Makes a link of the node whose other end is the router's. */
  #cable(link: string, mac: string, number: number): string {
    const peer = `peer name r${number} index ${ROUTER_INDEX_BASE + number} netns ${this.router.path}`
    return `link add ${link} index ${INDEX_BASE + number} address ${mac} type veth ${peer}`
  }
}

const gatewayOn = (end: string): string[] => [
  `link set ${end} up`,
  ...listOf(ENI.gateways).map((gateway) => `address add ${gateway} dev ${end}`),
]

/** Of struct ifinfomsg (linux/rtnetlink.h), and its flags (linux/if.h). */
const IFINFOMSG = { length: 16, flags: 8 }
const IFF_UP = 0x1
const IFF_RUNNING = 0x40

/** iproute2 calls it NO-CARRIER. */
function hasWaitingLink(netns: Netns): boolean {
  using socket = NetlinkSocket.open({ netns })
  const payload = Buffer.alloc(IFINFOMSG.length)
  return socket.dump({ type: MessageType.GETLINK, flags: 0, payload, text: 'list links' }).some((link) => {
    const flags = readU32(link.payload, IFINFOMSG.flags)
    return (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) === 0
  })
}

/** Packets lost of three; all of them, when there is no way at all. */
export function lost(netns: Netns, address: string, ...options: string[]): number {
  try {
    const text = run(netns, 'ping', '-c3', '-i0.05', '-W1', '-n', ...options, address)
    return 3 - Number(/(\d) received/.exec(text)?.[1])
  } catch {
    // ping ends with a status of its own when nobody answers.
    return 3
  }
}
