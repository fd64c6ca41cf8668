/** What the daemon knows of its instance, also while the metadata service is away. */
import { z } from 'zod'
import {
  type InstanceId,
  parseCloudId,
  type RegionId,
  type VpcId,
  type VSwitchId,
  type ZoneId,
} from '../../cloud/ids.ts'
import { type NodeFacts, readNodeFacts } from '../../cloud/metadata.ts'
import { parseIpv4, parseMac } from '../../inet/address.ts'
import { parsedString } from './parsed-string.ts'
import { type Memory, Remembered } from './remembered.ts'

const NODE_FACTS: z.ZodType<NodeFacts> = z.object({
  instanceId: parsedString(parseCloudId<InstanceId>),
  instanceType: z.string().min(1),
  regionId: parsedString(parseCloudId<RegionId>),
  zoneId: parsedString(parseCloudId<ZoneId>),
  vpcId: parsedString(parseCloudId<VpcId>),
  vSwitchId: parsedString(parseCloudId<VSwitchId>),
  primaryIp: parsedString(parseIpv4),
  primaryMac: parsedString(parseMac),
})

/** The instance is not the one that the daemon has started for. */
export class FactsChangedError extends Error {
  override readonly name = 'FactsChangedError'
}

/** Only the service itself can tell that the remembered ones are another instance's: see `FactsChangedError`. */
export async function rememberFacts(endpoint: string, memory: Memory): Promise<Remembered<NodeFacts>> {
  const facts = await Remembered.open({
    ...memory,
    name: 'node-facts',
    what: 'the facts of this instance (metadata service)',
    ask: () => readNodeFacts(endpoint),
    shape: NODE_FACTS,
    applies: () => true,
  })
  // Everything is built on them, so a new answer cannot be taken over later.
  await facts.settle()
  return facts
}
