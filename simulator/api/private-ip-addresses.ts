/** Secondary IPv4 addresses and prefixes of an ENI. */
import type { Action } from './action.ts'
import { addressActions } from './address-actions.ts'
import { invalid } from './parameters.ts'
import { IPV4_PARAMETERS, MAX_PREFIXES, wantedIpv4 } from './wanted.ts'

/** More than any ENI may have; the limit of its own is checked by the cloud. */
const MANY = 100
/** By name, while the ENI is Available (AssignPrivateIpAddresses documentation; its editions say 10, 32 and 50). */
const MAX_NAMED_WHEN_AVAILABLE = 32
/** UnassignPrivateIpAddresses documentation. */
const MAX_UNASSIGNED = 32

const { assign, unassign } = addressActions({
  wanted: IPV4_PARAMETERS,
  named: ['PrivateIpAddress', 'Ipv4Prefix'],
  assign: (cloud, id, parameters) => {
    const wanted = wantedIpv4(parameters, { ips: MANY, ipCount: MANY })
    if (wanted.ips.length > MAX_NAMED_WHEN_AVAILABLE && cloud.eni(id).state.status === 'Available') {
      throw invalid('PrivateIpAddress', `holds more than the ${MAX_NAMED_WHEN_AVAILABLE} items of an Available ENI`)
    }
    const { ips, prefixes } = cloud.assignIpv4(id, wanted)
    return {
      AssignedPrivateIpAddressesSet: {
        NetworkInterfaceId: id,
        PrivateIpSet: { PrivateIpAddress: ips },
        Ipv4PrefixSet: { Ipv4Prefixes: prefixes },
      },
    }
  },
  unassign: (cloud, id, parameters) =>
    cloud.unassignIpv4(id, {
      ips: parameters.ips('PrivateIpAddress', MAX_UNASSIGNED),
      prefixes: parameters.prefixes('Ipv4Prefix', 'ipv4', MAX_PREFIXES),
    }),
})

export const PRIVATE_IP_ADDRESS_ACTIONS: Readonly<Record<string, Action>> = {
  AssignPrivateIpAddresses: assign,
  UnassignPrivateIpAddresses: unassign,
}
