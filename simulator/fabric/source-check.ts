/**
 * The VPC's check of sources: a packet whose source address is not assigned to the ENI it comes from is dropped and
 * counted. The rules never change, only the elements of their sets do, so the check costs the same however many ENIs
 * there are.
 */
import { z } from 'zod'
import type { Ipv4 } from '../../inet/address.ts'
import type { EniId } from '../region/ids.ts'
import { nft } from './netns.ts'

const TABLE = 'ip vpc'

/** The link at the VPC's end of an ENI, and its counter, have the ENI's id for a name. */
export const SOURCE_CHECK_RULES = `
table ${TABLE} {
  set assigned { type ifname . ipv4_addr; }
  map dropped_source { type ifname : counter; }
  chain source_check {
    type filter hook prerouting priority raw; policy accept;
    iifname "lo" accept
    iifname . ip saddr @assigned accept
    counter name iifname map @dropped_source drop
    drop
  }
}
table ip6 vpc {
  chain no_ipv6 {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" drop
  }
}
`

function elements(eni: EniId, ips: readonly Ipv4[]): string {
  return `{ ${ips.map((ip) => `"${eni}" . ${ip}`).join(', ')} }`
}

export function allowSources(eni: EniId, ips: readonly Ipv4[]): string {
  return `add element ${TABLE} assigned ${elements(eni, ips)}\n`
}

export function refuseSources(eni: EniId, ips: readonly Ipv4[]): string {
  return `delete element ${TABLE} assigned ${elements(eni, ips)}\n`
}

export function addCounter(eni: EniId): string {
  return `add counter ${TABLE} ${eni}\nadd element ${TABLE} dropped_source { "${eni}" : "${eni}" }\n`
}

export function removeCounter(eni: EniId): string {
  return `delete element ${TABLE} dropped_source { "${eni}" }\ndelete counter ${TABLE} ${eni}\n`
}

/** libnftables-json(5) */
const COUNTERS = z.object({
  nftables: z.array(z.object({ counter: z.object({ name: z.string(), packets: z.int() }).optional() })),
})

/** Packets dropped by the check, by ENI. Rejects with CommandError. */
export async function readDropped(netns: string): Promise<ReadonlyMap<string, number>> {
  const { nftables } = COUNTERS.parse(
    JSON.parse(await nft(netns, ['-j', 'list', 'counters', 'table', ...TABLE.split(' ')])),
  )
  return new Map(nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])))
}
