/** Addresses and prefixes that a call asks for: each kind by name or by number. */
import type { Ipv4, Ipv6 } from '../../inet/address.ts'
import type { Wanted } from '../cloud/subnet.ts'
import type { Parameters } from './parameters.ts'

export interface Most {
  /** Single addresses by name. */
  readonly ips: number
  /** Single addresses by number. */
  readonly ipCount: number
}

/** Prefixes of one call, by name or by number (documentation of every action that has them). */
export const MAX_PREFIXES = 10

/** As the API reference writes them. */
export const IPV4_PARAMETERS = [
  'PrivateIpAddress.N',
  'SecondaryPrivateIpAddressCount',
  'Ipv4Prefix.N',
  'Ipv4PrefixCount',
]
export const IPV6_PARAMETERS = ['Ipv6Address.N', 'Ipv6AddressCount', 'Ipv6Prefix.N', 'Ipv6PrefixCount']

export function wantedIpv4(parameters: Parameters, most: Most): Wanted<Ipv4> {
  parameters.atMostOne(['PrivateIpAddress', 'SecondaryPrivateIpAddressCount'])
  parameters.atMostOne(['Ipv4Prefix', 'Ipv4PrefixCount'])
  return {
    ips: parameters.ips('PrivateIpAddress', most.ips),
    ipCount: parameters.integer('SecondaryPrivateIpAddressCount', { min: 1, max: most.ipCount }) ?? 0,
    prefixes: parameters.prefixes('Ipv4Prefix', 'ipv4', MAX_PREFIXES),
    prefixCount: parameters.integer('Ipv4PrefixCount', { min: 1, max: MAX_PREFIXES }) ?? 0,
  }
}

export function wantedIpv6(parameters: Parameters, most: Most): Wanted<Ipv6> {
  parameters.atMostOne(['Ipv6Address', 'Ipv6AddressCount'])
  parameters.atMostOne(['Ipv6Prefix', 'Ipv6PrefixCount'])
  return {
    ips: parameters.ipv6s('Ipv6Address', most.ips),
    ipCount: parameters.integer('Ipv6AddressCount', { min: 1, max: most.ipCount }) ?? 0,
    prefixes: parameters.prefixes('Ipv6Prefix', 'ipv6', MAX_PREFIXES),
    prefixCount: parameters.integer('Ipv6PrefixCount', { min: 1, max: MAX_PREFIXES }) ?? 0,
  }
}
