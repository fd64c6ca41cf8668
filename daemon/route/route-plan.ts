/** What one route table of the VPC lacks to lead this node's prefixes here, and what stands in the way. Pure. */
import type { InstanceId, RouteTableId } from '../../cloud/ids.ts'
import type { RouteEntry } from '../../cloud/vpc/route.ts'
import { type Cidr, cidrContains, splitCidr } from '../../inet/address.ts'
import type { Shortage } from '../pool/report/exhaustion.ts'

export interface RoutePlanInput {
  readonly table: RouteTableId
  /** All that the table has. */
  readonly entries: readonly RouteEntry[]
  /** Prefixes of this node's pods. */
  readonly cidrs: readonly Cidr[]
  readonly instanceId: InstanceId
  /** Custom entries that the table can have. */
  readonly limit: number
}

export interface RoutePlan {
  /** Prefixes that the table leads here. */
  readonly there: readonly Cidr[]
  /** To be created. */
  readonly create: readonly Cidr[]
  /** Being created or deleted: to be looked at again when that is over. */
  readonly changing: readonly Cidr[]
  /**
   * Made by a Terway of another instance for a prefix that is this node's now: in the way, and to be replaced, when that
   * instance does not exist any more.
   */
  readonly former: readonly RouteEntry[]
  readonly problems: readonly Shortage[]
  /** Custom entries that the table has. */
  readonly used: number
}

/** Entries that Terway makes have names that begin so. */
const OURS = 'terway-'
/** Of a name of an entry: VPC API reference, CreateRouteEntry, RouteEntryName. */
const LONGEST_NAME = 128

/** By which the entries of a node are known as Terway's, and to people as the node's. */
export function entryName(node: string): string {
  return `${OURS}${node}`.slice(0, LONGEST_NAME)
}

type Verdict =
  | { readonly kind: 'there' | 'missing' | 'changing'; readonly cidr: Cidr }
  | { readonly kind: 'former'; readonly entry: RouteEntry }
  | { readonly kind: 'refused'; readonly problem: Shortage }

export function planRoutes(input: RoutePlanInput): RoutePlan {
  const { entries, limit, table } = input
  const verdicts = input.cidrs.map((cidr) => verdictOn(cidr, input))
  const used = entries.filter(isCustom).length
  const those = (kind: 'there' | 'missing' | 'changing') =>
    verdicts.flatMap((one) => (one.kind === kind ? [one.cidr] : []))
  const missing = those('missing')
  const fits = missing.length <= Math.max(0, limit - used)
  return {
    there: those('there'),
    create: fits ? missing : [],
    changing: those('changing'),
    former: verdicts.flatMap((one) => (one.kind === 'former' ? [one.entry] : [])),
    problems: [
      ...verdicts.flatMap((one) => (one.kind === 'refused' ? [one.problem] : [])),
      ...input.cidrs.flatMap((cidr) => narrower(cidr, input)),
      ...(fits ? [] : [full(table, { used, limit })]),
    ],
    used,
  }
}

function verdictOn(cidr: Cidr, { entries, instanceId, table }: RoutePlanInput): Verdict {
  const same = entries.find((entry) => entry.cidr === cidr)
  if (same !== undefined && leadsTo(same, instanceId)) {
    return { kind: same.status === 'settled' ? 'there' : 'changing', cidr }
  }
  if (same !== undefined && isOurs(same)) return { kind: 'former', entry: same }
  if (same !== undefined) return { kind: 'refused', problem: taken(table, same) }
  const local = entries.find((entry) => entry.type === 'System' && overlap(entry.cidr, cidr) && !isDefault(entry.cidr))
  if (local !== undefined) return { kind: 'refused', problem: inTheVpc(cidr, local.cidr) }
  const around = entries.find((entry) => isOurs(entry) && isWithin(cidr, entry.cidr) && !leadsTo(entry, instanceId))
  if (around !== undefined) return { kind: 'refused', problem: overlapping(cidr, table, around) }
  return { kind: 'missing', cidr }
}

/** A wider entry is no hindrance: the longest prefix wins. A narrower one takes packets of our pods away. */
function narrower(cidr: Cidr, { entries, instanceId, table }: RoutePlanInput): Shortage[] {
  const inside = entries.filter((entry) => entry.cidr !== cidr && isWithin(entry.cidr, cidr))
  return inside
    .filter((entry) => entry.type !== 'System' && !leadsTo(entry, instanceId))
    .map((entry) => overlapping(cidr, table, entry))
}

/** For an entry that is not this node's. */
export function taken(table: RouteTableId, entry: RouteEntry): Shortage {
  return {
    ...{ resource: 'cloud', key: `taken ${entry.id}` },
    limit: `${table} leads ${entry.cidr} to ${hopsOf(entry)} (entry ${nameOf(entry)}), not to this node`,
    advice: 'give this node another pod CIDR, or delete the entry if nobody needs it: Terway takes nothing away',
  }
}

function overlapping(cidr: Cidr, table: RouteTableId, entry: RouteEntry): Shortage {
  return {
    ...{ resource: 'cloud', key: `overlap ${entry.id}` },
    limit: `the pod CIDR ${cidr} of this node overlaps ${entry.cidr}, which ${table} leads to ${hopsOf(entry)} (entry ${nameOf(entry)})`,
    advice: 'give each node a pod CIDR of its own, or delete the entry if nobody needs it',
  }
}

function inTheVpc(cidr: Cidr, local: Cidr): Shortage {
  return {
    ...{ resource: 'cloud', key: `local ${local}` },
    limit: `the pod CIDR ${cidr} of this node overlaps ${local}, which the VPC has for a vSwitch or for services of the cloud`,
    advice: 'take pod CIDRs that are in no vSwitch and not in 100.64.0.0/10',
  }
}

function full(table: RouteTableId, { used, limit }: { used: number; limit: number }): Shortage {
  return {
    ...{ resource: 'quota', key: `full ${table}` },
    limit: `${table} has ${used} custom entries of ${limit}: there is no room for those of this node`,
    advice: `${ROOM}, and set route_table_limit to what it is then`,
  }
}

/** In a mode that needs an entry for each node. */
const ROOM =
  'delete entries that nobody needs, use network_mode ENIIP, which needs none, or have the quota of entries raised'

/** Of the limit: time to do something about it, since every new node takes one. */
const NEARLY = 0.8

/** Empty while there is room for more nodes. */
export function filling(table: RouteTableId, { used, limit }: { used: number; limit: number }): Shortage[] {
  if (used < NEARLY * limit) return []
  const limitText = `${table} has ${used} custom entries of ${limit}, and each new node needs one of each family`
  return [{ resource: 'quota', key: `filling ${table}`, limit: limitText, advice: ROOM }]
}

function isCustom({ type }: RouteEntry): boolean {
  return type === 'Custom'
}

/** Led to an instance: what people have made by hand may have such a name and lead anywhere. */
function isOurs({ type, name, nextHopIds }: RouteEntry): boolean {
  return (
    type === 'Custom' && name.startsWith(OURS) && nextHopIds.length === 1 && nextHopIds[0]?.startsWith('i-') === true
  )
}

function leadsTo({ nextHopIds }: RouteEntry, instanceId: InstanceId): boolean {
  return nextHopIds.length === 1 && nextHopIds[0] === instanceId
}

function hopsOf({ nextHopIds, type }: RouteEntry): string {
  return nextHopIds.length === 0 ? `a place of its own (${type})` : nextHopIds.join(' and ')
}

function nameOf({ id, name }: RouteEntry): string {
  return name === '' ? id : `${id}, ${name}`
}

function isWithin(inner: Cidr, outer: Cidr): boolean {
  const { network, length } = splitCidr(inner)
  return length >= splitCidr(outer).length && cidrContains(outer, network)
}

function overlap(one: Cidr, other: Cidr): boolean {
  return isWithin(one, other) || isWithin(other, one)
}

function isDefault(cidr: Cidr): boolean {
  return splitCidr(cidr).length === 0
}
