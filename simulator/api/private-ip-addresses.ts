/** Secondary IPv4 addresses and prefixes of an ENI. */
import type { Cloud } from '../cloud/cloud.ts'
import { type Action, type Answer, ECS } from './action.ts'
import { invalid, type Parameters } from './parameters.ts'
import { IPV4_KINDS, IPV4_PARAMETERS, MAX_PREFIXES, wantedIpv4 } from './wanted.ts'

/** More than any ENI may have; the limit of its own is checked by the cloud. */
const MANY = 100
/** By name, while the ENI is Available (AssignPrivateIpAddresses documentation; its editions say 10, 32 and 50). */
const MAX_NAMED_WHEN_AVAILABLE = 32
/** UnassignPrivateIpAddresses documentation. */
const MAX_UNASSIGNED = 32

function assign(cloud: Cloud, parameters: Parameters): Answer {
  parameters.only(['NetworkInterfaceId', 'ClientToken', ...IPV4_PARAMETERS])
  const id = parameters.eniId()
  // Single addresses and prefixes cannot be had in one call.
  parameters.exactlyOne(IPV4_KINDS)
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
}

function unassign(cloud: Cloud, parameters: Parameters): Answer {
  parameters.only(['NetworkInterfaceId', 'PrivateIpAddress.N', 'Ipv4Prefix.N'])
  const id = parameters.eniId()
  parameters.exactlyOne(['PrivateIpAddress', 'Ipv4Prefix'])
  cloud.unassignIpv4(id, {
    ips: parameters.ips('PrivateIpAddress', MAX_UNASSIGNED),
    prefixes: parameters.prefixes('Ipv4Prefix', 'ipv4', MAX_PREFIXES),
  })
  return {}
}

const common = { version: ECS, regionId: 'required' } as const

export const PRIVATE_IP_ADDRESS_ACTIONS: Readonly<Record<string, Action>> = {
  AssignPrivateIpAddresses: { ...common, clientToken: true, latency: 'assign', handle: assign },
  UnassignPrivateIpAddresses: { ...common, clientToken: false, latency: 'unassign', handle: unassign },
}
