/** Gives addresses and prefixes of an ENI back, all that are marked for it; each kind has a call of its own. */
import { type Cidr, type Family, familyOf, type Ipv4, type Ipv6 } from '../../../inet/address.ts'
import type { AssignKind, Change, EniKey, KnownEni } from '../model.ts'
import type { PoolState } from '../tables.ts'
import { type Equipped, shrinking } from './context.ts'

/** What of an ENI is to go. */
export interface Leaving {
  readonly ipv4: readonly Ipv4[]
  readonly ipv6: readonly Ipv6[]
  readonly 'ipv4-prefix': readonly Cidr[]
  readonly 'ipv6-prefix': readonly Cidr[]
}

/** An address of a prefix goes with it, and a prefix when none of its addresses is of use any more. */
export function leavingOf(state: PoolState, key: EniKey): Leaving {
  const prefixes = leavingPrefixes(state, key)
  const ofFamily = (family: Family) => prefixes.filter((cidr) => familyOf(cidr) === family)
  return {
    ipv4: leavingIps(state, key, 'ipv4') as Ipv4[],
    ipv6: leavingIps(state, key, 'ipv6') as Ipv6[],
    ...{ 'ipv4-prefix': ofFamily('ipv4'), 'ipv6-prefix': ofFamily('ipv6') },
  }
}

function leavingIps(state: PoolState, key: EniKey, family: Family) {
  if (state.tally(key, family).unassigning === 0) return []
  return [...state.addressesOf(key)].flatMap(({ ip, phase, prefix }) =>
    phase === 'unassigning' && prefix === undefined && familyOf(ip) === family ? [ip] : [],
  )
}

function leavingPrefixes(state: PoolState, key: EniKey): Cidr[] {
  const marked = state.prefixesOf(key).filter(({ phase }) => phase === 'unassigning')
  if (marked.length === 0) return []
  const used = new Set(
    [...state.addressesOf(key)].flatMap(({ phase, prefix }) => (phase === 'unassigning' ? [] : (prefix ?? []))),
  )
  return marked.flatMap(({ cidr }) => (used.has(cidr) ? [] : [cidr]))
}

export async function unassign(context: Equipped, eni: KnownEni, kind: AssignKind): Promise<void> {
  const leaving = leavingOf(context.state, eni.key)
  await call(context, eni, kind, leaving)
  context.commit(
    isPrefix(kind) ? goneWith(context.state, eni.key, leaving[kind]) : gone(context.state, eni.key, leaving[kind]),
  )
}

function isPrefix(kind: AssignKind): kind is 'ipv4-prefix' | 'ipv6-prefix' {
  return kind === 'ipv4-prefix' || kind === 'ipv6-prefix'
}

async function call(context: Equipped, { id }: KnownEni, kind: AssignKind, leaving: Leaving): Promise<void> {
  const { cloud } = context
  const options = shrinking(context)
  switch (kind) {
    case 'ipv4':
      return await cloud.unassignIps(id, leaving.ipv4, options)
    case 'ipv6':
      return await cloud.unassignIpv6s(id, leaving.ipv6, options)
    case 'ipv4-prefix':
      return await cloud.unassignIpv4Prefixes(id, leaving['ipv4-prefix'], options)
    case 'ipv6-prefix':
      return await cloud.unassignIpv6Prefixes(id, leaving['ipv6-prefix'], options)
  }
}

/** Not what has arrived on another ENI since it left this one. */
function gone(state: PoolState, key: EniKey, ips: readonly (Ipv4 | Ipv6)[]): Change[] {
  return ips.flatMap((ip): Change[] => {
    const known = state.addresses.get(ip)
    return known?.eni === key && known.phase === 'unassigning' ? [{ kind: 'drop-address', ip }] : []
  })
}

function goneWith(state: PoolState, key: EniKey, cidrs: readonly Cidr[]): Change[] {
  const left = cidrs.filter((cidr) => {
    const known = state.prefixes.get(cidr)
    return known?.eni === key && known.phase === 'unassigning'
  })
  const ips = [...state.addressesOf(key)].flatMap(({ ip, prefix }) =>
    prefix !== undefined && left.includes(prefix) ? [ip] : [],
  )
  return [...gone(state, key, ips), ...left.map((cidr): Change => ({ kind: 'drop-prefix', cidr }))]
}
