/** Secondary addresses of an ENI. */
import type { Cloud } from '../cloud/cloud.ts'
import { ApiError } from '../cloud/error.ts'
import { type Action, type Answer, ECS } from './action.ts'
import type { Parameters } from './parameters.ts'

/** More than any instance type allows; the type's own limit is checked by the cloud. */
const MAX_IPS = 100

const NOT_YET = ['Ipv4Prefix', 'Ipv4PrefixCount']

function assign(cloud: Cloud, parameters: Parameters): Answer {
  parameters.refuse(NOT_YET)
  const id = parameters.eniId()
  const how = parameters.exactlyOne(['PrivateIpAddress', 'SecondaryPrivateIpAddressCount'])
  const request =
    how === 'PrivateIpAddress'
      ? { ips: parameters.ips('PrivateIpAddress', MAX_IPS) }
      : { count: parameters.integer('SecondaryPrivateIpAddressCount', { min: 1, max: MAX_IPS }) ?? 0 }
  const ips = cloud.assignIps(id, request)
  return {
    AssignedPrivateIpAddressesSet: {
      NetworkInterfaceId: id,
      PrivateIpSet: { PrivateIpAddress: ips },
      Ipv4PrefixSet: { Ipv4Prefixes: [] },
    },
  }
}

function unassign(cloud: Cloud, parameters: Parameters): Answer {
  parameters.refuse(NOT_YET)
  const id = parameters.eniId()
  const ips = parameters.ips('PrivateIpAddress', MAX_IPS)
  if (ips.length === 0) throw new ApiError('MissingParameter', 'The parameter "PrivateIpAddress.1" is mandatory.')
  const repeated = ips.find((ip, index) => ips.indexOf(ip) !== index)
  if (repeated !== undefined) throw new ApiError('InvalidIp.IpRepeated', `The IP ${repeated} is there twice.`)
  cloud.unassignIps(id, ips)
  return {}
}

const common = { version: ECS, regionId: 'required' } as const

export const PRIVATE_IP_ADDRESS_ACTIONS: Readonly<Record<string, Action>> = {
  AssignPrivateIpAddresses: { ...common, clientToken: true, latency: 'assign', handle: assign },
  UnassignPrivateIpAddresses: { ...common, clientToken: false, latency: 'unassign', handle: unassign },
}
