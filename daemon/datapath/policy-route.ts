/**
 * The shared-ENI datapath with a veth pair and policy routes: a pod's traffic leaves by the ENI that owns its address,
 * and the node reaches the pod by a host route.
 */
import { createHash } from 'node:crypto'
import { hostCidr, type Ip, type Ipv4, type Mac, macFromBytes, parseCidr, parseIpv4 } from '../../inet/address.ts'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'
import { type DeviceRef, type NetworkPlan, RT_TABLE_MAIN } from '../../netlink/plan.ts'

/** Contracts with Cilium's chaining and with operators' tools: see architecture, section 6. */
export const TO_POD_PRIORITY = 512
export const FROM_POD_PRIORITY = 2048
const TABLE_BASE = 1000
export const LINK_LOCAL_GATEWAY = parseIpv4('169.254.1.1')
export const DEFAULT_ROUTE = parseCidr('0.0.0.0/0')
const LOOPBACK = parseLinkName('lo')
/** The kernel gives `lo` index 1 in every namespace. */
const LOOPBACK_INDEX = 1

/** Route table of a link: 1000 + its index, in the namespace where the rule is. */
export function tableOf(ifindex: number): number {
  return TABLE_BASE + ifindex
}

export interface PodAttachment {
  readonly containerId: string
  readonly ifname: LinkName
  readonly netns: string
  readonly hostLink: LinkName
  /** Chosen for the host end, unique on the node; the pod's end takes the same in its own namespace. */
  readonly ifindex: number
  readonly ip: Ipv4
  /** Bytes. */
  readonly mtu: number
  /** Index of the ENI's link on the node. */
  readonly eniIfindex: number
  /** False for a further interface of a pod: it then routes only what comes from its own address. */
  readonly defaultRoute: boolean
}

export interface PodMacs {
  readonly host: Mac
  readonly pod: Mac
}

/**
 * Fixed MAC addresses, set when the link is made, so that systemd's MACAddressPolicy has no reason to change them and a
 * permanent neighbour stays true. Locally administered unicast (IEEE 802: bit 1 of the first byte set, bit 0 clear).
 */
export function podMacs(containerId: string, ifname: LinkName): PodMacs {
  const mac = (end: string) => {
    const bytes = createHash('sha256').update(`${containerId}/${ifname}/${end}`).digest().subarray(0, 6)
    bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02
    return macFromBytes(bytes)
  }
  return { host: mac('host'), pod: mac('pod') }
}

export function planPod(pod: PodAttachment): NetworkPlan {
  const macs = podMacs(pod.containerId, pod.ifname)
  const inside: DeviceRef = { netns: 'pod', name: pod.ifname, ifindex: pod.ifindex }
  const outside: DeviceRef = { netns: 'host', name: pod.hostLink, ifindex: pod.ifindex }
  const address = hostCidr(pod.ip)
  const gateway = { device: inside, destination: DEFAULT_ROUTE, gateway: LINK_LOCAL_GATEWAY, onlink: true } as const
  const ownTable = tableOf(pod.ifindex)
  return {
    podNetns: pod.netns,
    links: [
      { kind: 'existing', netns: 'pod', name: LOOPBACK, ifindex: LOOPBACK_INDEX },
      {
        ...{ kind: 'veth', netns: 'host', name: pod.hostLink, ifindex: pod.ifindex, mac: macs.host, mtu: pod.mtu },
        peer: { name: pod.ifname, ifindex: pod.ifindex, mac: macs.pod, mtu: pod.mtu },
      },
    ],
    sysctls: [],
    addresses: [{ device: inside, address: pod.ip, prefixLength: 32, scope: 'global' }],
    neighbours: [
      { device: inside, address: LINK_LOCAL_GATEWAY, mac: macs.host },
      { device: outside, address: pod.ip, mac: macs.pod },
    ],
    routes: [
      { ...gateway, table: pod.defaultRoute ? RT_TABLE_MAIN : ownTable, scope: 'global' },
      { device: outside, destination: address, table: RT_TABLE_MAIN, scope: 'link' },
    ],
    rules: [
      ...(pod.defaultRoute
        ? []
        : [{ netns: 'pod', family: 'ipv4', priority: TO_POD_PRIORITY, source: address, table: ownTable } as const]),
      { netns: 'host', family: 'ipv4', priority: TO_POD_PRIORITY, destination: address, table: RT_TABLE_MAIN },
      { netns: 'host', family: 'ipv4', priority: FROM_POD_PRIORITY, source: address, table: tableOf(pod.eniIfindex) },
    ],
  }
}

export interface EniAttachment {
  readonly link: LinkName
  readonly ifindex: number
  /** Gateway of the ENI's vSwitch. */
  readonly gateway: Ip
  /** The node's own address: the ENI carries it too, as the source of its neighbour requests. */
  readonly nodeIp: Ipv4
  readonly mtu: number
}

/** What an ENI needs once on the node, whatever pods use it: up, and a table with its default route. */
export function planEni(eni: EniAttachment): NetworkPlan {
  const device: DeviceRef = { netns: 'host', name: eni.link, ifindex: eni.ifindex }
  return {
    links: [{ kind: 'existing', netns: 'host', name: eni.link, ifindex: eni.ifindex, mtu: eni.mtu }],
    sysctls: [],
    addresses: [{ device, address: eni.nodeIp, prefixLength: 32, scope: 'global' }],
    neighbours: [],
    routes: [
      {
        ...{ device, destination: DEFAULT_ROUTE, gateway: eni.gateway, onlink: true },
        ...{ table: tableOf(eni.ifindex), scope: 'global' },
      },
    ],
    rules: [],
  }
}

/** What the node needs once: it forwards for its pods. */
export function planHost(): NetworkPlan {
  return {
    links: [],
    sysctls: [{ netns: 'host', key: ['net', 'ipv4', 'ip_forward'], value: '1' }],
    addresses: [],
    neighbours: [],
    routes: [],
    rules: [],
  }
}
