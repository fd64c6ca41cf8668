/** Addresses and prefixes of an ENI: more of them, or fewer. */
import { z } from 'zod'
import { type Cidr, type Ipv4, type Ipv6, parseCidr, parseIpv4, parseIpv6 } from '../../inet/address.ts'
import type { Action } from '../actions.ts'
import { ask, badAnswer, callOf, chunksOf, listOf, parsed } from '../answer.ts'
import { hasCode, NO_ENI } from '../gone.ts'
import type { EniId } from '../ids.ts'
import type { CallOptions, Transport } from '../transport.ts'
import {
  type Amount,
  type AmountNames,
  amountQuery,
  IPS,
  IPV4_PREFIXES,
  IPV6_PREFIXES,
  IPV6S,
  isNone,
} from './amount.ts'

/**
 * Every function throws CloudError, or the signal's reason. The same token with the same request assigns once; it has
 * at most 64 ASCII characters. To unassign succeeds also when some or all are gone, or the ENI is.
 */
export interface AddressActions {
  /** Secondary addresses; a list of at most 32, or 10 while the ENI is not attached. */
  assignIps(eni: EniId, ips: Amount<Ipv4>, clientToken: string, options?: CallOptions): Promise<Ipv4[]>
  /** At most 10, like the two below. */
  assignIpv4Prefixes(eni: EniId, prefixes: Amount<Cidr>, clientToken: string, options?: CallOptions): Promise<Cidr[]>
  assignIpv6s(eni: EniId, ips: Amount<Ipv6>, clientToken: string, options?: CallOptions): Promise<Ipv6[]>
  assignIpv6Prefixes(eni: EniId, prefixes: Amount<Cidr>, clientToken: string, options?: CallOptions): Promise<Cidr[]>
  unassignIps(eni: EniId, ips: readonly Ipv4[], options?: CallOptions): Promise<void>
  unassignIpv4Prefixes(eni: EniId, prefixes: readonly Cidr[], options?: CallOptions): Promise<void>
  unassignIpv6s(eni: EniId, ips: readonly Ipv6[], options?: CallOptions): Promise<void>
  unassignIpv6Prefixes(eni: EniId, prefixes: readonly Cidr[], options?: CallOptions): Promise<void>
}

export function addressActions(transport: Transport): AddressActions {
  const assign =
    <T extends string>(kind: Assigning<T>) =>
    (eni: EniId, amount: Amount<T>, clientToken: string, options?: CallOptions) =>
      assignAmount(transport, kind, { eni, amount, clientToken, options })
  const unassign =
    <T extends string>(kind: Unassigning) =>
    (eni: EniId, items: readonly T[], options?: CallOptions) =>
      unassignAll({ transport, kind, eni, options }, items)
  return {
    assignIps: assign({ action: ASSIGN_IPV4, names: IPS, shape: ASSIGNED_IPS }),
    assignIpv4Prefixes: assign({ action: ASSIGN_IPV4, names: IPV4_PREFIXES, shape: ASSIGNED_IPV4_PREFIXES }),
    assignIpv6s: assign({ action: ASSIGN_IPV6, names: IPV6S, shape: ASSIGNED_IPV6S }),
    assignIpv6Prefixes: assign({ action: ASSIGN_IPV6, names: IPV6_PREFIXES, shape: ASSIGNED_IPV6_PREFIXES }),
    unassignIps: unassign({ action: UNASSIGN_IPV4, names: IPS, limit: 32 }),
    unassignIpv4Prefixes: unassign({ action: UNASSIGN_IPV4, names: IPV4_PREFIXES, limit: 10 }),
    unassignIpv6s: unassign({ action: UNASSIGN_IPV6, names: IPV6S, limit: 10 }),
    unassignIpv6Prefixes: unassign({ action: UNASSIGN_IPV6, names: IPV6_PREFIXES, limit: 10 }),
  }
}

const ASSIGN_IPV4 = 'AssignPrivateIpAddresses'
const ASSIGN_IPV6 = 'AssignIpv6Addresses'
const UNASSIGN_IPV4 = 'UnassignPrivateIpAddresses'
const UNASSIGN_IPV6 = 'UnassignIpv6Addresses'

/** In these answers the lists hold texts, not objects as in a description, and one of them has a name of its own. */
const ASSIGNED_IPS = z
  .object({ AssignedPrivateIpAddressesSet: z.object({ PrivateIpSet: listOf('PrivateIpAddress', parsed(parseIpv4)) }) })
  .transform((answer) => answer.AssignedPrivateIpAddressesSet.PrivateIpSet)
const ASSIGNED_IPV4_PREFIXES = z
  .object({ AssignedPrivateIpAddressesSet: z.object({ Ipv4PrefixSet: listOf('Ipv4Prefixes', parsed(parseCidr)) }) })
  .transform((answer) => answer.AssignedPrivateIpAddressesSet.Ipv4PrefixSet)
const ASSIGNED_IPV6S = z
  .object({ Ipv6Sets: listOf('Ipv6Address', parsed(parseIpv6)) })
  .transform((answer) => answer.Ipv6Sets)
const ASSIGNED_IPV6_PREFIXES = z
  .object({ Ipv6PrefixSets: listOf('Ipv6Prefix', parsed(parseCidr)) })
  .transform((answer) => answer.Ipv6PrefixSets)

interface Assigning<T> {
  readonly action: Action
  readonly names: AmountNames
  readonly shape: z.ZodType<readonly T[]>
}

interface Assignment<T extends string> {
  readonly eni: EniId
  readonly amount: Amount<T>
  readonly clientToken: string
  readonly options: CallOptions | undefined
}

async function assignAmount<T extends string>(transport: Transport, kind: Assigning<T>, assignment: Assignment<T>) {
  const { eni, amount, clientToken, options } = assignment
  if (isNone(amount)) return []
  const query = { NetworkInterfaceId: eni, ...amountQuery(amount, kind.names), ClientToken: clientToken }
  const assigned = await ask(transport, callOf('ecs', kind.action, query), kind.shape, options)
  if (assigned.length === 0) throw badAnswer(kind.action, 'it names nothing that was assigned')
  return [...assigned]
}

interface Unassigning {
  readonly action: Action
  readonly names: AmountNames
  /** Most items in one call: ECS API reference. */
  readonly limit: number
}

interface Unassignment {
  readonly transport: Transport
  readonly kind: Unassigning
  readonly eni: EniId
  readonly options: CallOptions | undefined
}

async function unassignAll(unassignment: Unassignment, items: readonly string[]): Promise<void> {
  for (const chunk of chunksOf(items, unassignment.kind.limit)) await unassignChunk(unassignment, chunk)
}

/**
 * The API refuses the whole list when one of its items is not assigned. Which one, no description can tell, because it
 * may lag behind: so then each is asked for alone.
 */
async function unassignChunk(unassignment: Unassignment, items: readonly string[]): Promise<void> {
  const { transport, kind, eni, options } = unassignment
  try {
    await transport(callOf('ecs', kind.action, { NetworkInterfaceId: eni, [kind.names.list]: items }), options)
    return
  } catch (error) {
    if (hasCode(error, NO_ENI)) return
    if (!hasCode(error, ['InvalidIp.IpUnassigned'])) throw error
    if (items.length === 1) return
  }
  for (const item of items) await unassignChunk(unassignment, [item])
}
