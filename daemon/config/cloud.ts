/** What the daemon takes from the cloud and the configuration together: the way to it, limits, security groups. */
import { z } from 'zod'
import type { Ecs, InstanceType } from '../../cloud/ecs.ts'
import { type InstanceId, parseCloudId, type SecurityGroupId } from '../../cloud/ids.ts'
import type { NodeFacts } from '../../cloud/metadata.ts'
import { createTransport, type FinishedCall, type Transport } from '../../cloud/transport.ts'
import type { PoolLimits } from '../pool/decide.ts'
import { ConfigError, type EniConf } from './eni-conf.ts'
import { parsedString } from './parsed-string.ts'
import { type Memory, Remembered } from './remembered.ts'

interface Connection {
  readonly conf: EniConf
  readonly facts: NodeFacts
  readonly onCall: (call: FinishedCall) => void
  /** All attempts of a call together, ms; the transport's default unless given. */
  readonly callTimeout?: number
}

/** Endpoints inside the VPC need no way out of it. @throws ConfigError when there is no credential. */
export function connectCloud({ conf, facts, onCall, callTimeout }: Connection): Transport {
  const { accessKey } = conf
  if (accessKey === undefined) {
    throw new ConfigError('eni_conf: access_key and access_secret must be set: other credentials are not available yet')
  }
  const { regionId } = facts
  const { ECS_ENDPOINT, VPC_ENDPOINT, ALICLOUD_CLIENT_SCHEME = 'HTTPS' } = process.env
  return createTransport({
    endpoints: {
      ecs: ECS_ENDPOINT || `ecs-vpc.${regionId}.aliyuncs.com`,
      vpc: VPC_ENDPOINT || `vpc-vpc.${regionId}.aliyuncs.com`,
    },
    scheme: ALICLOUD_CLIENT_SCHEME.toUpperCase() === 'HTTP' ? 'http' : 'https',
    regionId,
    credential: async () => ({ accessKeyId: accessKey.id, accessKeySecret: accessKey.secret }),
    onCall,
    ...(callTimeout === undefined ? {} : { callTimeout }),
  })
}

/** One ENI of the instance is the node's own. */
export function limitsOf(conf: EniConf, type: InstanceType): PoolLimits {
  const maxEnis = Math.min(type.eniQuantity - 1, conf.maxEni ?? Number.POSITIVE_INFINITY)
  const capacity = maxEnis * type.ipv4PerEni
  const maxFree = Math.min(conf.maxPoolSize, capacity)
  return { maxEnis, addressesPerEni: type.ipv4PerEni, maxFree, minFree: Math.min(conf.minPoolSize, maxFree) }
}

interface CloudQuestion extends Memory {
  readonly facts: NodeFacts
  readonly cloud: Ecs
}

const INSTANCE_TYPE = z.object({ id: z.string(), eniQuantity: z.int(), ipv4PerEni: z.int() })

/** Limits of an instance type do not change while an instance of it runs. */
export function rememberInstanceType({ facts, cloud, ...memory }: CloudQuestion): Promise<Remembered<InstanceType>> {
  return Remembered.open({
    ...memory,
    name: 'instance-type',
    what: `the limits of instance type ${facts.instanceType}`,
    ask: () => cloud.describeInstanceType(facts.instanceType),
    shape: INSTANCE_TYPE,
    applies: ({ id }) => id === facts.instanceType,
  })
}

const NODE_GROUPS = z.object({
  instanceId: parsedString(parseCloudId<InstanceId>),
  ids: z.array(parsedString(parseCloudId<SecurityGroupId>)),
})
export type NodeGroups = z.infer<typeof NODE_GROUPS>

/** The groups of the node's primary ENI, which are those of the pods' ENIs when the configuration names none. */
export function rememberNodeGroups({ facts, cloud, ...memory }: CloudQuestion): Promise<Remembered<NodeGroups>> {
  const { instanceId } = facts
  return Remembered.open({
    ...memory,
    name: 'security-groups',
    what: 'the security groups of the primary ENI',
    ask: async () => ({ instanceId, ids: await primaryGroups(cloud, instanceId) }),
    shape: NODE_GROUPS,
    applies: (groups) => groups.instanceId === instanceId,
  })
}

async function primaryGroups(cloud: Ecs, instanceId: InstanceId): Promise<SecurityGroupId[]> {
  const enis = await cloud.describeEnis({ instanceId })
  const primary = enis.find((eni) => eni.type === 'Primary')
  if (primary === undefined || primary.securityGroupIds.length === 0) {
    throw new ConfigError('eni_conf: security_group is not set and the primary ENI of this node has none to take over')
  }
  return [...primary.securityGroupIds]
}
