/**
 * The rules that every packet of the VPC meets. They are made once; what changes are the elements of their sets and
 * maps, so a packet costs the same however many ENIs there are.
 *
 * A packet that the router gets is from the ENI whose link it comes by: its source must be assigned to the ENI or be
 * behind it by a route entry, and its destination must exist. Then, on the way from one link to another, it needs the
 * leave of the security groups on both sides. What is for the router itself, the gateways and the cloud's services,
 * needs no leave.
 */
import type { SecurityGroupId } from '../region/ids.ts'
import { DROP_CHAINS, memberSet } from './security-groups.ts'

export const TABLE = 'inet vpc'

/** Why a packet was dropped, and the map from the name of the link to the counter. */
export const DROP_REASONS = ['source', 'unassigned', 'egress', 'ingress', 'mtu'] as const
export type DropReason = (typeof DROP_REASONS)[number]

export function dropMap(reason: DropReason): string {
  return `dropped_${reason}`
}

/** Names of the sets and maps that are keyed by the name of a link. */
export const SETS = {
  sources: { ipv4: 'sources4', ipv6: 'sources6' },
  sourcePrefixes: { ipv4: 'source_prefixes4', ipv6: 'source_prefixes6' },
  marks: 'route_tables',
  egress: 'egress',
  ingress: 'ingress',
} as const

/** The script that makes the table. */
export function filterRules(groups: Iterable<SecurityGroupId>): string {
  return `\ntable ${TABLE} {${SETS_AND_MAPS}${memberSets(groups)}${ARRIVAL}${PASSAGE}${ANSWER}}\n`
}

const SETS_AND_MAPS = `
  set ${SETS.sources.ipv4} { type ifname . ipv4_addr; }
  set ${SETS.sources.ipv6} { type ifname . ipv6_addr; }
  set ${SETS.sourcePrefixes.ipv4} { type ifname . ipv4_addr; flags interval; }
  set ${SETS.sourcePrefixes.ipv6} { type ifname . ipv6_addr; flags interval; }
  map ${SETS.marks} { type ifname : mark; }
  map ${SETS.egress} { type ifname : verdict; }
  map ${SETS.ingress} { type ifname : verdict; }
${DROP_REASONS.map((reason) => `  map ${dropMap(reason)} { type ifname : counter; }\n`).join('')}`

function memberSets(groups: Iterable<SecurityGroupId>): string {
  return [...groups].map((group) => `  set ${memberSet(group)} { type ifname; }\n`).join('')
}

/** From an ENI: whether the source is its own, and the destination somebody's. */
const ARRIVAL = `
  chain arrival {
    type filter hook prerouting priority raw; policy accept;
    iifname "lo" accept
    # To all nodes instead of the one: that is how the neighbour discovery of the fabric hears who is looked for.
    icmpv6 type nd-neighbor-solicit ip6 daddr ff02::1:ff00:0/104 ip6 daddr set ff02::1
    # What a link says to its neighbours; no router forwards it.
    ip6 saddr { ::, fe80::/10 } accept
    meta mark set iifname map @${SETS.marks}
    iifname . ip saddr @${SETS.sources.ipv4} goto destination
    iifname . ip6 saddr @${SETS.sources.ipv6} goto destination
    iifname . ip saddr @${SETS.sourcePrefixes.ipv4} goto destination
    iifname . ip6 saddr @${SETS.sourcePrefixes.ipv6} goto destination
    counter name iifname map @${dropMap('source')} drop
    drop
  }
  chain destination {
    fib daddr type local accept
    ip6 daddr { fe80::/10, ff00::/8 } accept
    fib daddr . mark oif missing counter name iifname map @${dropMap('unassigned')} drop
  }
`

/** From one ENI to another: whether the security groups of both allow it. */
const PASSAGE = `
  chain passage {
    type filter hook forward priority filter; policy drop;
    # A session is allowed as long as its first direction is: that is checked with every packet. What would let the
    # answers through for too long, a session that has no right to them any more, is removed with the change.
    ct direction reply accept
    ct state related accept
    iifname vmap @${SETS.egress}
    oifname vmap @${SETS.ingress}
  }
  chain ${DROP_CHAINS.egress} {
    counter name iifname map @${dropMap('egress')} drop
    drop
  }
  chain ${DROP_CHAINS.ingress} {
    counter name oifname map @${dropMap('ingress')} drop
    drop
  }
`

/** To an ENI, from the router itself: what it says of a packet that was too big. */
const ANSWER = `
  chain answer {
    type filter hook output priority filter; policy accept;
    icmp type destination-unreachable icmp code frag-needed counter name oifname map @${dropMap('mtu')}
    icmpv6 type packet-too-big counter name oifname map @${dropMap('mtu')}
  }
`
