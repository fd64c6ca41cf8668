/** What instances of each type may have. */
import type { Cloud } from '../cloud/cloud.ts'
import { familyOfType, type InstanceType, totalQueues } from '../region/instance-types.ts'
import { type Action, type Answer, ECS } from './action.ts'
import { pageByToken } from './paging.ts'
import type { Parameters } from './parameters.ts'

/** DescribeInstanceTypes documentation. */
const MAX_TYPES = 10
const PAGE = { min: 1, max: 100, default: 100 }

const DESCRIBE = ['InstanceTypes.N', 'InstanceTypeFamilies.N', 'MaxResults', 'NextToken']

function describe(cloud: Cloud, parameters: Parameters): Answer {
  const ids = parameters.list('InstanceTypes', MAX_TYPES)
  const families = parameters.list('InstanceTypeFamilies', MAX_TYPES)
  const found = [...cloud.region.instanceTypes.values()]
    .filter((type) => ids.length === 0 || ids.includes(type.id))
    .filter((type) => families.length === 0 || families.includes(familyOfType(type.id)))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
  const { items, nextToken } = pageByToken(found, parameters, PAGE)
  return { InstanceTypes: { InstanceType: items.map(instanceTypeJson) }, NextToken: nextToken }
}

function instanceTypeJson(type: InstanceType): Answer {
  return {
    InstanceTypeId: type.id,
    InstanceTypeFamily: familyOfType(type.id),
    CpuCoreCount: type.cpuCores,
    MemorySize: type.memoryGiB,
    CpuArchitecture: 'X86',
    EniQuantity: type.eniQuantity,
    EniTotalQuantity: type.eniTotalQuantity,
    EniTrunkSupported: type.trunkSupported,
    EniPrivateIpAddressQuantity: type.ipv4PerEni,
    EniIpv6AddressQuantity: type.ipv6PerEni,
    EriQuantity: type.eriQuantity,
    PrimaryEniQueueNumber: type.queuesPerEni,
    SecondaryEniQueueNumber: type.queuesPerEni,
    MaximumQueueNumberPerEni: type.queuesPerEni,
    TotalEniQueueQuantity: totalQueues(type),
    NetworkCardQuantity: 1,
    NetworkCards: { NetworkCardInfo: [{ NetworkCardIndex: 0 }] },
  }
}

export const INSTANCE_TYPE_ACTIONS: Readonly<Record<string, Action>> = {
  DescribeInstanceTypes: { version: ECS, regionId: 'optional', parameters: DESCRIBE, handle: describe },
}
