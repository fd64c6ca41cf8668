/** IPv6 addresses and prefixes of an ENI. */
import type { Action } from './action.ts'
import { addressActions } from './address-actions.ts'
import { IPV6_PARAMETERS, MAX_PREFIXES, wantedIpv6 } from './wanted.ts'

/** Of one call, by name or by number (AssignIpv6Addresses documentation). */
const MAX_IPS = 10

const { assign, unassign } = addressActions({
  wanted: IPV6_PARAMETERS,
  named: ['Ipv6Address', 'Ipv6Prefix'],
  assign: (cloud, id, parameters) => {
    const { ips, prefixes } = cloud.assignIpv6(id, wantedIpv6(parameters, { ips: MAX_IPS, ipCount: MAX_IPS }))
    return { NetworkInterfaceId: id, Ipv6Sets: { Ipv6Address: ips }, Ipv6PrefixSets: { Ipv6Prefix: prefixes } }
  },
  unassign: (cloud, id, parameters) =>
    cloud.unassignIpv6(id, {
      ips: parameters.ipv6s('Ipv6Address', MAX_IPS),
      prefixes: parameters.prefixes('Ipv6Prefix', 'ipv6', MAX_PREFIXES),
    }),
})

export const IPV6_ADDRESS_ACTIONS: Readonly<Record<string, Action>> = {
  AssignIpv6Addresses: assign,
  UnassignIpv6Addresses: unassign,
}
