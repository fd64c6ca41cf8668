/** What of an ENI that stays can go back. Pure. Counted in pods: one address of each family. */
import { type Cidr, type Family, familyOf, type Ip } from '../../inet/address.ts'
import type { Balance } from './balance.ts'
import type { AddressRecord, EniRecord, PrefixRecord } from './model.ts'
import { PREFIX_SIZE } from './settings.ts'
import type { Supply } from './supply.ts'
import type { PoolState } from './tables.ts'

export interface Part {
  /** That can be served no more without it. */
  readonly pods: number
  readonly ips: readonly Ip[]
  readonly prefixes: readonly Cidr[]
}

export interface Most {
  /** Pods. */
  readonly left: number
  /** Prefixes of IPv4. */
  readonly prefixes: number
}

const NOTHING: Part = { pods: 0, ips: [], prefixes: [] }

/** Of the kind that the pool is given now. */
export function ofUnit(balance: Balance, supply: Supply, most: Most): Part {
  if (balance.limits.kind !== 'shared' || most.left <= 0) return NOTHING
  return balance.limits.unit === 'prefix' ? wholePrefixes(balance, supply, most) : pairs(balance, supply, most)
}

/** Of the kind that it was given while the unit was the other one. What serves no pod goes although nothing is to go. */
export function ofFormerUnit(balance: Balance, supply: Supply, most: Most): Part {
  if (balance.limits.kind !== 'shared') return NOTHING
  return balance.limits.unit === 'prefix'
    ? formerAddresses(balance, supply, most)
    : formerPrefixes(balance, supply, most)
}

export function activePrefixes(prefixes: readonly PrefixRecord[]): Cidr[] {
  return prefixes.flatMap(({ phase, cidr }) => (phase === 'active' && familyOf(cidr) === 'ipv4' ? [cidr] : []))
}

/** Of each family as many, so that what stays is still in pairs; what has been free longest goes first. */
function pairs({ limits, state }: Balance, { eni }: Supply, { left }: Most): Part {
  const spare = limits.families.map((family) => singles(state, eni, family))
  const pods = Math.min(left, ...spare.map(({ length }) => length))
  return { pods, ips: spare.flatMap((addresses) => oldest(addresses, pods)), prefixes: [] }
}

/** Prefixes all of whose addresses are free, as far as so many are to go and are not to stay in any case. */
function wholePrefixes({ state }: Balance, { eni }: Supply, { left, prefixes }: Most): Part {
  const free = freePrefixes(state, eni)
    .filter(({ cidr }) => familyOf(cidr) === 'ipv4')
    .slice(0, Math.max(0, Math.min(prefixes, Math.floor(left / PREFIX_SIZE))))
  return {
    pods: free.length * PREFIX_SIZE,
    ips: free.flatMap(({ ips }) => ips),
    prefixes: free.map(({ cidr }) => cidr),
  }
}

/**
 * Also one more than is to go: single addresses come in its place. It would stay for ever where less than a whole
 * prefix is too much.
 */
function formerPrefixes({ state }: Balance, supply: Supply, { left }: Most): Part {
  const unpaired = new Map<Family, number>()
  let part = NOTHING
  for (const { cidr, ips } of freePrefixes(state, supply.eni)) {
    const family = familyOf(cidr)
    const alone = unpaired.get(family) ?? unpairedOf(supply, family)
    const pods = Math.max(0, ips.length - alone)
    if (pods > 0 && part.pods >= left) continue
    unpaired.set(family, Math.max(0, alone - ips.length))
    part = { pods: part.pods + pods, ips: [...part.ips, ...ips], prefixes: [...part.prefixes, cidr] }
  }
  return part
}

function formerAddresses({ limits, state }: Balance, supply: Supply, { left }: Most): Part {
  const removals = limits.families.map((family) => {
    const unpaired = unpairedOf(supply, family)
    const ips = oldest(singles(state, supply.eni, family), unpaired + Math.max(0, left))
    return { ips, pods: Math.max(0, ips.length - unpaired) }
  })
  return { pods: Math.max(...removals.map(({ pods }) => pods)), ips: removals.flatMap(({ ips }) => ips), prefixes: [] }
}

/** Addresses of the family that serve no pod, since there are fewer of the other one. */
function unpairedOf({ families, ready }: Supply, family: Family): number {
  const { have = Infinity } = families.get(family) ?? {}
  return have - ready
}

function singles(state: PoolState, eni: EniRecord, family: Family): AddressRecord[] {
  return [...state.addressesOf(eni.key)].filter(
    ({ phase, ip, primary, prefix }) => phase === 'warm' && familyOf(ip) === family && !primary && prefix === undefined,
  )
}

function oldest(addresses: readonly AddressRecord[], count: number): Ip[] {
  return addresses
    .toSorted((a, b) => a.since - b.since)
    .slice(0, count)
    .map(({ ip }) => ip)
}

interface FreePrefix {
  readonly cidr: Cidr
  /** Those on record: of a /28 all. */
  readonly ips: readonly Ip[]
}

function freePrefixes(state: PoolState, eni: EniRecord): FreePrefix[] {
  const addresses = [...state.addressesOf(eni.key)]
  return state.prefixesOf(eni.key).flatMap(({ cidr, phase }): FreePrefix[] => {
    const own = addresses.filter(({ prefix }) => prefix === cidr)
    const isWhole = familyOf(cidr) === 'ipv6' || own.length === PREFIX_SIZE
    if (phase !== 'active' || !isWhole || own.some((address) => address.phase !== 'warm')) return []
    return [{ cidr, ips: own.map(({ ip }) => ip) }]
  })
}
