/** What the daemon takes from the cloud and the configuration together: the way to it, limits, security groups. */
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Ecs, InstanceType } from '../../cloud/ecs.ts'
import type { SecurityGroupId } from '../../cloud/ids.ts'
import type { NodeFacts } from '../../cloud/metadata.ts'
import { createTransport, type FinishedCall, type Transport } from '../../cloud/transport.ts'
import type { PoolLimits } from '../pool/decide.ts'
import type { Journal } from '../store/journal.ts'
import { ConfigError, type EniConf } from './eni-conf.ts'

interface Connection {
  readonly conf: EniConf
  readonly facts: NodeFacts
  readonly onCall: (call: FinishedCall) => void
}

/** Endpoints inside the VPC need no way out of it. @throws ConfigError when there is no credential. */
export function connectCloud({ conf, facts, onCall }: Connection): Transport {
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
  })
}

interface LimitsQuestion {
  readonly conf: EniConf
  readonly facts: NodeFacts
  readonly journal: Journal
  readonly cloud: Ecs
  readonly log: Logger
}

/** Limits of the instance type do not change while it runs, so an earlier answer serves when there is none now. */
export async function limitsOf({ conf, facts, journal, cloud, log }: LimitsQuestion): Promise<PoolLimits> {
  const type = await instanceType({ facts, journal, cloud, log })
  // One ENI is the node's own.
  const maxEnis = Math.min(type.eniQuantity - 1, conf.maxEni ?? Number.POSITIVE_INFINITY)
  const capacity = maxEnis * type.ipv4PerEni
  const maxFree = Math.min(conf.maxPoolSize, capacity)
  return { maxEnis, addressesPerEni: type.ipv4PerEni, maxFree, minFree: Math.min(conf.minPoolSize, maxFree) }
}

const FACT = 'instance-type'
const REMEMBERED = z.object({ id: z.string(), eniQuantity: z.int(), ipv4PerEni: z.int() })

async function instanceType({ facts, journal, cloud, log }: Omit<LimitsQuestion, 'conf'>): Promise<InstanceType> {
  try {
    const type = await cloud.describeInstanceType(facts.instanceType)
    journal.putFact(FACT, type)
    return type
  } catch (err) {
    const remembered = REMEMBERED.safeParse(journal.getFact(FACT))
    if (!remembered.success || remembered.data.id !== facts.instanceType) throw err
    log.warn({ err }, 'the limits of the instance type cannot be asked for; using those of the last start')
    return remembered.data
  }
}

interface GroupsQuestion {
  readonly conf: EniConf
  readonly facts: NodeFacts
  readonly cloud: Ecs
}

/** Those of the configuration, or else the node's own: the groups of its primary ENI. */
export async function securityGroups({ conf, facts, cloud }: GroupsQuestion): Promise<readonly SecurityGroupId[]> {
  if (conf.securityGroups.length > 0) return conf.securityGroups
  const enis = await cloud.describeEnis({ instanceId: facts.instanceId })
  const primary = enis.find((eni) => eni.type === 'Primary')
  if (primary === undefined || primary.securityGroupIds.length === 0) {
    throw new ConfigError('eni_conf: security_group is not set and the primary ENI of this node has none to take over')
  }
  return primary.securityGroupIds
}
