/** What the daemon takes from the cloud and the configuration together: limits, security groups. */
import { z } from 'zod'
import { badAnswer } from '../../cloud/answer.ts'
import type { Ecs } from '../../cloud/ecs.ts'
import { type InstanceId, parseCloudId, type SecurityGroupId } from '../../cloud/ids.ts'
import { secondaryEnis } from '../../cloud/instance/formulae.ts'
import type { InstanceType } from '../../cloud/instance/instance-type.ts'
import { type InstanceLimits, instanceLimits } from '../../cloud/instance/limits.ts'
import { completed } from '../../cloud/instance/table.ts'
import type { NodeFacts } from '../../cloud/metadata.ts'
import type { PoolLimits } from '../pool/decide.ts'
import { ConfigError, type EniConf } from './eni-conf.ts'
import { parsedString } from './parsed-string.ts'
import { type Memory, Remembered, recall } from './remembered.ts'

export function limitsOf(conf: EniConf, type: InstanceType): PoolLimits {
  const maxEnis = Math.min(secondaryEnis(type), conf.maxEni ?? Number.POSITIVE_INFINITY)
  const capacity = maxEnis * type.ipv4PerEni
  const maxFree = Math.min(conf.maxPoolSize, capacity)
  return { maxEnis, addressesPerEni: type.ipv4PerEni, maxFree, minFree: Math.min(conf.minPoolSize, maxFree) }
}

interface CloudQuestion extends Memory {
  readonly facts: NodeFacts
  readonly cloud: Ecs
}

const count = z.int().min(0)
const INSTANCE_TYPE: z.ZodType<InstanceType> = z.object({
  id: z.string(),
  ...{ eniQuantity: count, eniTotalQuantity: count, trunkSupported: z.boolean() },
  ...{ ipv4PerEni: count, ipv6PerEni: count, eriQuantity: count },
  queues: z.object({ primaryEni: count, secondaryEni: count, maxPerEni: count, total: count }),
  networkCards: z.array(z.int()),
})
const LIMITS: z.ZodType<InstanceLimits> = z.object({
  type: INSTANCE_TYPE,
  source: z.enum(['api', 'annotation', 'table']),
  assumed: z.array(z.string() as z.ZodType<keyof InstanceType>),
  problems: z.array(z.string()),
})

/** What an earlier version kept of the API's answer. */
const FORMER_LIMITS: z.ZodType<InstanceLimits> = z
  .object({ id: z.string(), eniQuantity: count, ipv4PerEni: count })
  .transform((stated) => ({ ...completed(stated), source: 'api', problems: [] }))

/** Limits of an instance type do not change while an instance of it runs. */
export function rememberInstanceLimits({
  facts,
  cloud,
  ...memory
}: CloudQuestion): Promise<Remembered<InstanceLimits>> {
  const { instanceType: typeId } = facts
  const memo = {
    ...{ name: 'instance-limits', shape: LIMITS, former: { name: 'instance-type', shape: FORMER_LIMITS } },
    applies: ({ type }: InstanceLimits) => type.id === typeId,
  }
  return Remembered.open({
    ...{ ...memory, ...memo },
    what: `the limits of instance type ${typeId}`,
    ask: async () => {
      const limits = await instanceLimits({ typeId, ask: () => cloud.describeInstanceType(typeId) })
      const { source, assumed, problems } = limits
      if (source === 'api') return limits
      const told = recall({ ...memory, ...memo })
      // What the API has told once is better than what stands in for it.
      if (told?.source === 'api') return told
      memory.log.warn({ assumed, problems }, `the limits of ${typeId} are from the ${source}`)
      return limits
    },
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
  if (primary === undefined && enis.some((eni) => eni.type === 'Unknown')) {
    throw badAnswer(
      'DescribeNetworkInterfaces',
      `none of the ENIs of ${instanceId} is understood to be its primary one`,
    )
  }
  if (primary === undefined || primary.securityGroupIds.length === 0) {
    throw new ConfigError('eni_conf: security_group is not set and the primary ENI of this node has none to take over')
  }
  return [...primary.securityGroupIds]
}
