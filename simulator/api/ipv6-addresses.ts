/** IPv6 addresses and prefixes of an ENI. */
import type { Cloud } from '../cloud/cloud.ts'
import { type Action, type Answer, ECS } from './action.ts'
import type { Parameters } from './parameters.ts'
import { IPV6_KINDS, IPV6_PARAMETERS, MAX_PREFIXES, wantedIpv6 } from './wanted.ts'

/** Of one call, by name or by number (AssignIpv6Addresses documentation). */
const MAX_IPS = 10

function assign(cloud: Cloud, parameters: Parameters): Answer {
  parameters.only(['NetworkInterfaceId', 'ClientToken', ...IPV6_PARAMETERS])
  const id = parameters.eniId()
  // Single addresses and prefixes cannot be had in one call.
  parameters.exactlyOne(IPV6_KINDS)
  const { ips, prefixes } = cloud.assignIpv6(id, wantedIpv6(parameters, { ips: MAX_IPS, ipCount: MAX_IPS }))
  return { NetworkInterfaceId: id, Ipv6Sets: { Ipv6Address: ips }, Ipv6PrefixSets: { Ipv6Prefix: prefixes } }
}

function unassign(cloud: Cloud, parameters: Parameters): Answer {
  parameters.only(['NetworkInterfaceId', 'Ipv6Address.N', 'Ipv6Prefix.N'])
  const id = parameters.eniId()
  parameters.exactlyOne(['Ipv6Address', 'Ipv6Prefix'])
  cloud.unassignIpv6(id, {
    ips: parameters.ipv6s('Ipv6Address', MAX_IPS),
    prefixes: parameters.prefixes('Ipv6Prefix', 'ipv6', MAX_PREFIXES),
  })
  return {}
}

const common = { version: ECS, regionId: 'required' } as const

export const IPV6_ADDRESS_ACTIONS: Readonly<Record<string, Action>> = {
  AssignIpv6Addresses: { ...common, clientToken: true, latency: 'assign', handle: assign },
  UnassignIpv6Addresses: { ...common, clientToken: false, latency: 'unassign', handle: unassign },
}
