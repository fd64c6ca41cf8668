/** The life of an ENI: create, attach, modify, detach, delete. */
import type { Cloud } from '../cloud/cloud.ts'
import type { EniChanges } from '../cloud/modify-rules.ts'
import type { SecurityGroupId, VSwitchId } from '../region/ids.ts'
import { type Action, type Answer, ECS } from './action.ts'
import { createdEniJson } from './eni-json.ts'
import { descriptionOf, nameOf, queueNumberOf, TRAFFIC_PARAMETERS, trafficModeOf } from './eni-parameters.ts'
import { choice } from './filters.ts'
import type { Parameters } from './parameters.ts'
import { IPV4_PARAMETERS, IPV6_PARAMETERS, wantedIpv4, wantedIpv6 } from './wanted.ts'

/** Above every quota, so that the quota's own code is the answer. */
const MAX_SECURITY_GROUPS = 100
/** CreateNetworkInterface documentation. */
const IPV4 = { ips: 10, ipCount: 49 }
const IPV6 = { ips: 10, ipCount: 10 }
const MAX_DESCRIPTION = 256

const CREATE = [
  'ClientToken',
  'InstanceType',
  'VSwitchId',
  'SecurityGroupId',
  'SecurityGroupIds.N',
  'PrimaryIpAddress',
  ...IPV4_PARAMETERS,
  ...IPV6_PARAMETERS,
  'NetworkInterfaceName',
  'Description',
  'ResourceGroupId',
  'Tag.N.Key',
  'Tag.N.Value',
  'DeleteOnRelease',
  'SourceDestCheck',
  'NetworkInterfaceTrafficMode',
  ...TRAFFIC_PARAMETERS,
]

function create(cloud: Cloud, parameters: Parameters): Answer {
  const vSwitchId = parameters.required('VSwitchId') as VSwitchId
  const eni = cloud.createEni({
    type: choice(parameters, 'InstanceType', { values: ['Secondary', 'Trunk'] }) ?? 'Secondary',
    vSwitchId,
    securityGroupIds: securityGroups(parameters),
    primaryIp: parameters.ip('PrimaryIpAddress'),
    ipv4: wantedIpv4(parameters, IPV4),
    ipv6: wantedIpv6(parameters, IPV6),
    name: nameOf(parameters),
    description: descriptionOf(parameters, MAX_DESCRIPTION),
    resourceGroupId: parameters.text('ResourceGroupId', { min: 1, max: 64 }),
    tags: parameters.tags(),
    deleteOnRelease: parameters.boolean('DeleteOnRelease') ?? true,
    sourceDestCheck: parameters.boolean('SourceDestCheck') ?? false,
    trafficMode: trafficModeOf(parameters) ?? 'Standard',
    queueNumber: queueNumberOf(parameters),
  })
  return createdEniJson(eni, cloud.region)
}

function securityGroups(parameters: Parameters): readonly SecurityGroupId[] {
  const how = parameters.exactlyOne(['SecurityGroupId', 'SecurityGroupIds'])
  const ids =
    how === 'SecurityGroupId' ? [parameters.required(how)] : parameters.list('SecurityGroupIds', MAX_SECURITY_GROUPS)
  return ids as readonly string[] as readonly SecurityGroupId[]
}

function attach(cloud: Cloud, parameters: Parameters): Answer {
  // Instances of every simulated type have one network card.
  parameters.integer('NetworkCardIndex', { min: 0, max: 0 })
  cloud.attachEni(parameters.eniId(), parameters.instanceId(), trunkOf(parameters))
  return {}
}

function detach(cloud: Cloud, parameters: Parameters): Answer {
  cloud.detachEni(parameters.eniId(), parameters.instanceId(), trunkOf(parameters))
  return {}
}

function trunkOf(parameters: Parameters) {
  return parameters.has('TrunkNetworkInstanceId') ? parameters.eniId('TrunkNetworkInstanceId') : undefined
}

function remove(cloud: Cloud, parameters: Parameters): Answer {
  cloud.deleteEni(parameters.eniId())
  return {}
}

/** One character less than when it is created: ModifyNetworkInterfaceAttribute documentation. */
const MAX_NEW_DESCRIPTION = 255

const MODIFY = [
  'NetworkInterfaceId',
  'SecurityGroupId.N',
  'NetworkInterfaceName',
  'Description',
  'DeleteOnRelease',
  'SourceDestCheck',
  ...TRAFFIC_PARAMETERS,
]

function modify(cloud: Cloud, parameters: Parameters): Answer {
  const groups = parameters.list('SecurityGroupId', MAX_SECURITY_GROUPS)
  const changes = given<EniChanges>({
    securityGroupIds: groups.length === 0 ? undefined : (groups as readonly string[] as readonly SecurityGroupId[]),
    name: nameOf(parameters) || undefined,
    description: descriptionOf(parameters, MAX_NEW_DESCRIPTION) || undefined,
    deleteOnRelease: parameters.boolean('DeleteOnRelease'),
    sourceDestCheck: parameters.boolean('SourceDestCheck'),
    trafficMode: trafficModeOf(parameters),
    queueNumber: queueNumberOf(parameters),
  })
  cloud.modifyEni(parameters.eniId(), changes)
  return {}
}

/** The values that are there. */
function given<T extends object>(values: { readonly [K in keyof T]-?: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}

const common = { version: ECS, regionId: 'required' } as const
const PLACE = ['NetworkInterfaceId', 'InstanceId', 'TrunkNetworkInstanceId']

export const NETWORK_INTERFACE_ACTIONS: Readonly<Record<string, Action>> = {
  CreateNetworkInterface: { ...common, parameters: CREATE, latency: 'create', handle: create },
  AttachNetworkInterface: { ...common, parameters: [...PLACE, 'NetworkCardIndex'], handle: attach },
  ModifyNetworkInterfaceAttribute: { ...common, parameters: MODIFY, handle: modify },
  DetachNetworkInterface: { ...common, parameters: PLACE, handle: detach },
  DeleteNetworkInterface: { ...common, parameters: ['NetworkInterfaceId'], handle: remove },
}
