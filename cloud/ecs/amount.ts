/** How many addresses or prefixes, or which: the API takes one or the other, never both. */

/** A number: the cloud picks them. A list: exactly these. */
export type Amount<T extends string> = number | readonly T[]

export interface AmountNames {
  readonly count: string
  readonly list: string
}

/** Nothing for none: the API refuses a count of zero. */
export function amountQuery(amount: Amount<string> | undefined, names: AmountNames): Readonly<Record<string, unknown>> {
  if (amount === undefined || isNone(amount)) return {}
  return typeof amount === 'number' ? { [names.count]: amount } : { [names.list]: amount }
}

export function isNone(amount: Amount<string>): boolean {
  return typeof amount === 'number' ? amount <= 0 : amount.length === 0
}

/** Parameters of CreateNetworkInterface, AssignPrivateIpAddresses and AssignIpv6Addresses. */
export const IPS: AmountNames = { count: 'SecondaryPrivateIpAddressCount', list: 'PrivateIpAddress' }
export const IPV4_PREFIXES: AmountNames = { count: 'Ipv4PrefixCount', list: 'Ipv4Prefix' }
export const IPV6S: AmountNames = { count: 'Ipv6AddressCount', list: 'Ipv6Address' }
export const IPV6_PREFIXES: AmountNames = { count: 'Ipv6PrefixCount', list: 'Ipv6Prefix' }
