/** A VPC of two vSwitches for tests of the fabric, its ENIs, and what its guests can reach. */
import { execFile } from 'node:child_process'
import { closeSync } from 'node:fs'
import { promisify } from 'node:util'
import { parseCidr, parseIpv4, parseIpv6, parseMac } from '../../inet/address.ts'
import { listenTcpInNetns } from '../../netlink/listener.ts'
import { netnsPath } from '../../simulator/fabric/netns.ts'
import type { Plug } from '../../simulator/fabric/plug.ts'
import type { EniId, NodeName, RouteTableId, SecurityGroupId, VSwitchId, ZoneId } from '../../simulator/region/ids.ts'
import type { RouteTable, VSwitch } from '../../simulator/region/region.ts'
import { SECURITY_GROUP, type SecurityGroup } from '../../simulator/region/security-group.ts'

const exec = promisify(execFile)

export const NODE_A = 'a' as NodeName
export const NODE_B = 'b' as NodeName
export const SERVICE = parseIpv4('100.100.100.200')
export const DEFAULT_GROUP = 'sg-default' as SecurityGroupId
export const SYSTEM_TABLE: RouteTable = { id: 'vtb-system' as RouteTableId, type: 'System', vSwitches: [] }

const zone = 'cn-sim-h' as ZoneId
/** The nodes' vSwitches: `H` of node a, `I` of node b. */
export const H: VSwitch = {
  id: 'vsw-h' as VSwitchId,
  zone,
  cidr: parseCidr('10.0.1.0/24'),
  gateway: parseIpv4('10.0.1.253'),
  ipv6: undefined,
}
export const I: VSwitch = {
  id: 'vsw-i' as VSwitchId,
  zone,
  cidr: parseCidr('10.0.2.0/24'),
  gateway: parseIpv4('10.0.2.253'),
  ipv6: undefined,
}
const ipv6 = (prefix: string) => ({
  cidr: parseCidr(`${prefix}::/64`),
  gateway: parseIpv6(`${prefix}:ffff:ffff:ffff:fff7`),
})
/** The same with IPv6. */
export const H6: VSwitch = { ...H, ipv6: ipv6('fd00:0:0:1') }
export const I6: VSwitch = { ...I, ipv6: ipv6('fd00:0:0:2') }

/** As in a region file. */
export function securityGroups(...groups: readonly object[]): ReadonlyMap<SecurityGroupId, SecurityGroup> {
  return new Map([{ id: DEFAULT_GROUP }, ...groups].map((group) => SECURITY_GROUP.parse(group)).map((g) => [g.id, g]))
}

/** What all fabrics under test have in common. */
export const VPC = {
  nodes: [NODE_A, NODE_B],
  services: [SERVICE],
  vSwitches: [H, I],
  routeTables: [SYSTEM_TABLE],
  securityGroups: securityGroups(),
  mtu: 1500,
}

/** An ENI with one address and nothing else. Of two with the same number only one can be plugged. */
export function plug(number: number, node: NodeName, vSwitch: VSwitch, ip: string): Plug {
  const hex = number.toString(16).padStart(2, '0')
  return {
    eniId: `eni-sim${String(number).padStart(8, '0')}` as EniId,
    mac: parseMac(`00:16:3e:00:00:${hex}`),
    node,
    kind: 'secondary',
    ips: [parseIpv4(ip)],
    ipv6s: [],
    ipv4Prefixes: [],
    ipv6Prefixes: [],
    securityGroupIds: [DEFAULT_GROUP],
    sourceDestCheck: false,
    vSwitch,
  }
}

/** The namespace of a node, or one that was made beside it. */
export class Guest {
  /** Its name. */
  readonly netns: string

  constructor(netns: string) {
    this.netns = netns
  }

  /** What the command wrote on stdout. Rejects when it fails. */
  async run(...argv: string[]): Promise<string> {
    const { stdout } = await exec('nsenter', [`--net=${netnsPath(this.netns)}`, ...argv])
    return stdout
  }

  /** `ip`, without its name. */
  async ip(command: string): Promise<string> {
    const { stdout } = await exec('ip', ['-n', this.netns, ...command.split(' ')])
    return stdout
  }

  /** Whether an echo comes back within a second. */
  async pings(target: string, ...options: string[]): Promise<boolean> {
    try {
      await this.run('ping', '-n', '-c', '1', '-W', '1', ...options, target)
      return true
    } catch {
      return false // ping ends with 1 when there is no answer
    }
  }

  /** Whether a TCP connection is made within a second. */
  async connects(host: string, port: number): Promise<boolean> {
    try {
      await this.run('timeout', '1', 'bash', '-c', `: <> /dev/tcp/${host}/${port}`)
      return true
    } catch {
      return false // refused, or no answer
    }
  }

  /** Takes connections until it is disposed of. */
  listens(host: string, port: number): Disposable {
    const fd = listenTcpInNetns(netnsPath(this.netns), { host, port })
    return { [Symbol.dispose]: () => closeSync(fd) }
  }
}
