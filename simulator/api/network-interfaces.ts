/** The life of an ENI: create, attach, detach, delete. */
import type { Cloud } from '../cloud/cloud.ts'
import type { SecurityGroupId, VSwitchId } from '../region/ids.ts'
import { type Action, type Answer, ECS } from './action.ts'
import { createdEniJson } from './eni-json.ts'
import type { Parameters } from './parameters.ts'

/** CreateNetworkInterface documentation. */
const MAX_SECURITY_GROUPS = 5
const MAX_NAMED_IPS = 10
const MAX_SECONDARY_IPS = 49

const NOT_YET = ['Ipv6Address', 'Ipv6AddressCount', 'Ipv4Prefix', 'Ipv4PrefixCount', 'Ipv6Prefix', 'Ipv6PrefixCount']

function create(cloud: Cloud, parameters: Parameters): Answer {
  parameters.refuse(NOT_YET)
  const type = parameters.optional('InstanceType') ?? 'Secondary'
  if (type !== 'Secondary') parameters.refuse(['InstanceType'])
  const vSwitchId = parameters.required('VSwitchId') as VSwitchId
  const groups =
    parameters.exactlyOne(['SecurityGroupId', 'SecurityGroupIds']) === 'SecurityGroupId'
      ? [parameters.required('SecurityGroupId')]
      : parameters.list('SecurityGroupIds', MAX_SECURITY_GROUPS)
  const primaryIp = parameters.ip('PrimaryIpAddress')
  const named = parameters.atMostOne(['PrivateIpAddress', 'SecondaryPrivateIpAddressCount']) === 'PrivateIpAddress'
  const eni = cloud.createEni({
    vSwitchId,
    securityGroupIds: groups as readonly string[] as readonly SecurityGroupId[],
    ...(primaryIp === undefined ? {} : { primaryIp }),
    secondary: named
      ? { ips: parameters.ips('PrivateIpAddress', MAX_NAMED_IPS) }
      : { count: parameters.integer('SecondaryPrivateIpAddressCount', { min: 1, max: MAX_SECONDARY_IPS }) ?? 0 },
    name: parameters.text('NetworkInterfaceName', { min: 2, max: 128 }),
    description: parameters.text('Description', { min: 2, max: 256 }),
    tags: parameters.tags(),
    deleteOnRelease: parameters.boolean('DeleteOnRelease') ?? true,
  })
  return createdEniJson(eni, cloud.region)
}

function attach(cloud: Cloud, parameters: Parameters): Answer {
  parameters.refuse(['TrunkNetworkInstanceId'])
  cloud.attachEni(parameters.eniId(), parameters.instanceId())
  return {}
}

function detach(cloud: Cloud, parameters: Parameters): Answer {
  parameters.refuse(['TrunkNetworkInstanceId'])
  cloud.detachEni(parameters.eniId(), parameters.instanceId())
  return {}
}

function remove(cloud: Cloud, parameters: Parameters): Answer {
  cloud.deleteEni(parameters.eniId())
  return {}
}

const common = { version: ECS, regionId: 'required', clientToken: false } as const

export const NETWORK_INTERFACE_ACTIONS: Readonly<Record<string, Action>> = {
  CreateNetworkInterface: { ...common, clientToken: true, latency: 'create', handle: create },
  AttachNetworkInterface: { ...common, handle: attach },
  DetachNetworkInterface: { ...common, handle: detach },
  DeleteNetworkInterface: { ...common, handle: remove },
}
