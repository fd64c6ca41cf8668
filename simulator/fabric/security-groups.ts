/**
 * Security groups as chains of nftables.
 *
 * An ENI may be in several groups; their rules are one list then (ECS documentation, "Security group rules"). So there
 * is a pair of chains for each set of groups that ENIs are in, and an ENI takes its pair from a map: neither a packet
 * nor a change of an ENI's groups costs more with more ENIs.
 *
 * The members of a group are links, not addresses: by then a packet has only sources that its link may have, and goes
 * to the link that has its destination, prefixes and what is behind a route entry included.
 *
 * What follows for the members of a basic group is its policy for connections inside the group, which is stronger than
 * its rules (ModifySecurityGroupPolicy, InnerAccessPolicy).
 */
import { type Cidr, familyOf } from '../../inet/address.ts'
import type { SecurityGroupId } from '../region/ids.ts'
import type { SecurityGroup, SecurityGroupRule } from '../region/security-group.ts'

type Direction = SecurityGroupRule['direction']

/** Chains that count the packet and drop it. */
export const DROP_CHAINS: Readonly<Record<Direction, string>> = { ingress: 'drop_ingress', egress: 'drop_egress' }
/** What leaves one ENI has yet to enter another. */
const ACCEPT: Readonly<Record<Direction, string>> = { ingress: 'accept', egress: 'return' }
/** The other end of the connection, from the ENI's point of view. */
const PEER_ADDRESS: Readonly<Record<Direction, string>> = { ingress: 'saddr', egress: 'daddr' }
const PEER_LINK: Readonly<Record<Direction, string>> = { ingress: 'iifname', egress: 'oifname' }

/** Name of the set that holds the links of a group's members. */
export function memberSet(group: SecurityGroupId): string {
  return `members.${group}`
}

/** Declarations of the chain that says what ENIs in all of the groups may receive, or send. */
export function declareChain(name: string, direction: Direction, groups: readonly SecurityGroup[]): string {
  const basic = groups.filter(({ type }) => type === 'normal')
  const rules = groups
    .flatMap((group) => group.rules)
    .filter((rule) => rule.direction === direction)
    .toSorted((a, b) => a.priority - b.priority || strictness(b) - strictness(a))
  const lines = [
    ...basic.map(({ id }) => `${memberMatch(id, direction)} ${ACCEPT[direction]}`),
    ...rules.map(ruleLine),
    defaultVerdict(direction, basic.length > 0),
  ]
  return `\n  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }`
}

/** ECS documentation, "Basic and advanced security groups": by itself an advanced group lets nothing in or out. */
function defaultVerdict(direction: Direction, isBasic: boolean): string {
  return direction === 'egress' && isBasic ? ACCEPT.egress : `goto ${DROP_CHAINS[direction]}`
}

function strictness({ policy }: SecurityGroupRule): number {
  return policy === 'drop' ? 1 : 0
}

function ruleLine(rule: SecurityGroupRule): string {
  const { direction, policy, peer } = rule
  const match = 'group' in peer ? memberMatch(peer.group, direction) : addressMatch(peer.cidr, direction)
  const verdict = policy === 'accept' ? ACCEPT[direction] : `goto ${DROP_CHAINS[direction]}`
  return [match, ...protocolMatch(rule), verdict].join(' ')
}

function memberMatch(group: SecurityGroupId, direction: Direction): string {
  return `${PEER_LINK[direction]} @${memberSet(group)}`
}

function addressMatch(cidr: Cidr, direction: Direction): string {
  return `${familyOf(cidr) === 'ipv4' ? 'ip' : 'ip6'} ${PEER_ADDRESS[direction]} ${cidr}`
}

/** Ports are those of the end that is called, in both directions. */
function protocolMatch({ protocol, ports }: SecurityGroupRule): string[] {
  if (protocol === 'all') return []
  if (ports !== undefined) return [`${protocol} dport ${ports.from}-${ports.to}`]
  return [`meta l4proto ${protocol === 'icmpv6' ? 'ipv6-icmp' : protocol}`]
}
