/** A plan for a veth pod with policy routes, both families, and namespaces to carry it out in. */
import { parseCidr, parseIp, parseMac } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { Netns } from '../../netlink/netns.ts'
import { type DeviceRef, type NetworkPlan, networkPlan } from '../../netlink/plan.ts'
import { writeSysctl } from '../../netlink/sysctl.ts'
import { ip, run, TestNamespaces } from './namespaces.ts'

export const HOST_LINK = parseLinkName('cali0123456789a')
export const INDEX = 5001
export const PEER_INDEX = 6001
export const HOST_MAC = parseMac('02:00:00:00:10:01')
export const POD_MAC = parseMac('02:00:00:00:10:02')
export const ENI = { netns: 'host', name: parseLinkName('eni1'), ifindex: 70 } as const
const TABLE = 1070

/** Besides the pod's own objects some on a link that is not the plan's. */
function podPlan(podNetns: string): NetworkPlan {
  const outside: DeviceRef = { netns: 'host', name: HOST_LINK, ifindex: INDEX }
  const inside: DeviceRef = { netns: 'pod', name: parseLinkName('eth0'), ifindex: PEER_INDEX }
  const gateways = [parseIp('169.254.1.1'), parseIp('fe80::1')] as const
  return networkPlan({
    podNetns,
    links: [
      { kind: 'existing', netns: 'pod', name: parseLinkName('lo'), ifindex: 1 },
      { kind: 'existing', ...ENI, mtu: 1400 },
      {
        ...{ kind: 'veth', netns: 'host', name: HOST_LINK, ifindex: INDEX, mac: HOST_MAC, mtu: 1400 },
        peer: { name: inside.name, ifindex: PEER_INDEX, mac: POD_MAC, mtu: 1400 },
      },
    ],
    sysctls: [
      { netns: 'host', key: ['net', 'ipv4', 'ip_forward'], value: '1' },
      { netns: 'host', key: ['net', 'ipv4', 'conf', HOST_LINK, 'rp_filter'], value: '0' },
      { netns: 'pod', key: ['net', 'ipv6', 'conf', 'eth0', 'accept_ra'], value: '0' },
    ],
    addresses: [
      { device: inside, address: parseIp('10.0.1.7'), prefixLength: 32, scope: 'global' },
      { device: inside, address: parseIp('fd00::7'), prefixLength: 128, scope: 'global' },
      { device: ENI, address: parseIp('10.0.0.5'), prefixLength: 32, scope: 'link' },
    ],
    neighbours: [
      ...gateways.map((address) => ({ device: inside, address, mac: HOST_MAC })),
      { device: outside, address: parseIp('10.0.1.7'), mac: POD_MAC },
      { device: outside, address: parseIp('fd00::7'), mac: POD_MAC },
    ],
    routes: [
      { device: inside, destination: parseCidr('169.254.1.1/32'), table: 254, scope: 'link' },
      {
        device: inside,
        destination: parseCidr('0.0.0.0/0'),
        gateway: gateways[0],
        onlink: true,
        table: 254,
        scope: 'global',
      },
      {
        device: inside,
        destination: parseCidr('::/0'),
        gateway: gateways[1],
        onlink: true,
        table: 254,
        scope: 'global',
      },
      { device: outside, destination: parseCidr('10.0.1.7/32'), table: 254, scope: 'link' },
      { device: outside, destination: parseCidr('fd00::7/128'), table: 254, scope: 'global' },
      {
        device: ENI,
        destination: parseCidr('0.0.0.0/0'),
        gateway: parseIp('10.0.0.253'),
        onlink: true,
        table: TABLE,
        scope: 'global',
      },
    ],
    rules: [
      { netns: 'host', family: 'ipv4', priority: 512, destination: parseCidr('10.0.1.7/32'), table: 254 },
      {
        netns: 'host',
        family: 'ipv4',
        priority: 2048,
        source: parseCidr('10.0.1.7/32'),
        inputDevice: HOST_LINK,
        table: TABLE,
      },
      { netns: 'host', family: 'ipv6', priority: 512, destination: parseCidr('fd00::7/128'), table: 254 },
      { netns: 'pod', family: 'ipv4', priority: 512, source: parseCidr('10.0.1.7/32'), table: 254 },
    ],
  })
}

/** A host with an ENI and addresses to ping, a pod without anything, and an interpreter for both. */
export class PodHost implements AsyncDisposable {
  readonly spaces: TestNamespaces
  readonly host: Netns
  readonly pod: Netns
  readonly kernel: PlanInterpreter
  readonly plan: NetworkPlan

  constructor(prefix: string) {
    this.spaces = new TestNamespaces(prefix)
    this.host = this.spaces.create('host')
    this.pod = this.spaces.create('pod')
    // No link-local addresses: they come, and are found to be nobody else's, at a time of their own.
    const none = { key: ['net', 'ipv6', 'conf', 'default', 'addr_gen_mode'], value: '1' }
    for (const netns of [this.host, this.pod]) writeSysctl(netns, none)
    ip(this.host, 'link', 'set', 'lo', 'up')
    ip(this.host, 'link', 'add', ENI.name, 'index', String(ENI.ifindex), 'type', 'veth', 'peer', 'name', 'vpc')
    ip(this.host, 'link', 'set', 'vpc', 'up')
    ip(this.host, 'addr', 'add', '10.99.0.1/32', 'dev', 'lo')
    ip(this.host, 'addr', 'add', 'fd99::1/128', 'dev', 'lo')
    this.kernel = new PlanInterpreter({ hostNetns: this.host })
    this.plan = podPlan(this.pod.path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kernel.close()
    this.spaces[Symbol.dispose]()
  }
}

/** @throws Error with what ping printed when there is no answer within two seconds. */
export function ping(from: Netns, to: string): string {
  return run(from, 'ping', '-c', '1', '-W', '2', to)
}
