/** What the daemon takes from the cloud and the configuration together: limits, security groups. */
import { z } from 'zod'
import { badAnswer } from '../../cloud/answer.ts'
import type { Ecs } from '../../cloud/ecs.ts'
import { type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { dualStackAllowed, secondaryEnis, trunkMembers } from '../../cloud/instance/formulae.ts'
import type { InstanceType } from '../../cloud/instance/instance-type.ts'
import { type InstanceLimits, instanceLimits } from '../../cloud/instance/limits.ts'
import { completed } from '../../cloud/instance/table.ts'
import type { NodeFacts } from '../../cloud/metadata.ts'
import type { Family } from '../../inet/address.ts'
import { capacityOf, type PoolLimits, poolLimits } from '../pool/settings.ts'
import { ConfigError, type EniConf } from './eni-conf.ts'
import type { PoolOverrides } from './node-overrides.ts'
import { parsedString } from './parsed-string.ts'
import type { PoolConf } from './pool-conf.ts'
import { type Memory, Remembered, recall } from './remembered.ts'

/** What the pool may hold on an instance of this type. An annotation of the node is stronger than the file. */
export function limitsOf(
  { pool }: Pick<EniConf, 'pool'>,
  type: InstanceType,
  { minPool, maxPool }: PoolOverrides = {},
): PoolLimits {
  const { kind, unit } = pool
  const families = familiesOf(pool, type)
  const maxEnis = maxEnisOf(pool, type)
  const addressesPerEni = placesOf(pool, type, families)
  const shape = { kind, families, unit, maxEnis, addressesPerEni, minFree: 0, maxFree: 0 }
  const capacity = capacityOf(poolLimits(shape))
  const perEni = capacityOf(poolLimits({ ...shape, maxEnis: 1 }))
  const maxFree = Math.min(maxPool ?? pool.maxPool, capacity)
  return {
    ...shape,
    minEnis: Math.min(pool.minEnis, maxEnis),
    minFree: Math.min(minPool ?? Math.max(pool.minPool, pool.minPoolEnis * perEni), maxFree),
    maxFree,
    firstFill: Math.min(pool.firstFill, capacity),
    minPrefixes: unit === 'prefix' ? Math.min(pool.minPrefixes, maxEnis * (addressesPerEni - 1)) : 0,
    ...{ reserve: pool.reserve, strategy: pool.strategy, order: pool.order },
    ...{ batch: pool.batch, warmUp: pool.warmUp, idle: pool.idle },
  }
}

/** Where the node can have less than the configuration asks for, in words for the operator. */
export function shortfalls(
  { pool }: Pick<EniConf, 'pool'>,
  type: InstanceType,
  { minPool, maxPool }: PoolOverrides = {},
): string[] {
  const limits = limitsOf({ pool }, type, { ...(maxPool === undefined ? {} : { maxPool }) })
  const found: string[] = []
  if (pool.families.some((family) => !limits.families.includes(family))) {
    found.push(`${type.id} has not as many IPv6 addresses as IPv4: pods get ${limits.families.join()}`)
  }
  const wanted = capacityOf({ ...limits, maxEnis: Math.min(pool.minPoolEnis, limits.maxEnis) })
  if (minPool === undefined && wanted > limits.minFree) {
    found.push(
      `min_eni ${pool.minPoolEnis} asks for ${wanted} free addresses; ${limits.minFree} are kept ready, as max_pool_size has it`,
    )
  }
  return found
}

/** Of new ENIs. Those that turn out to be of another zone or VPC are left out, and reported, when they are known. */
export function vSwitchesFor(
  { zoneId, vSwitchId }: Pick<NodeFacts, 'zoneId' | 'vSwitchId'>,
  { vSwitches, vSwitchIds }: Pick<EniConf, 'vSwitches' | 'vSwitchIds'>,
): readonly VSwitchId[] {
  return vSwitches.get(zoneId) ?? (vSwitchIds.length > 0 ? vSwitchIds : [vSwitchId])
}

/** Dual stack needs an ENI that can give both to each of its pods. */
function familiesOf({ kind, families }: PoolConf, type: InstanceType): readonly Family[] {
  const both = kind === 'shared' ? dualStackAllowed(type) : type.ipv6PerEni > 0
  return families.length < 2 || both ? families : ['ipv4']
}

/** The original's formula, but never more than the cloud would attach; members of a trunk are no ENIs of the instance. */
function maxEnisOf({ kind, eniCap }: PoolConf, type: InstanceType): number {
  if (kind === 'member') return trunkMembers(type)
  const wanted = Math.trunc(type.eniQuantity * eniCap.ratio) + eniCap.shift - 1
  return Math.max(0, Math.min(wanted, eniCap.max, secondaryEnis(type)))
}

function placesOf({ kind, maxPerEni }: PoolConf, type: InstanceType, families: readonly Family[]): number {
  const allowed = families.map((family) => (family === 'ipv4' ? type.ipv4PerEni : type.ipv6PerEni))
  return Math.min(kind === 'shared' ? maxPerEni : 1, ...allowed)
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
