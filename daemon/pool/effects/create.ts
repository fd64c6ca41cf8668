/** Makes the ENI that a record asks for, once: the cloud recognises its token, and the ENI carries it as a tag. */
import { isWhole, type WholeEni } from '../../../cloud/ecs/eni.ts'
import { CloudError } from '../../../cloud/error.ts'
import type { CreatingEni, KnownEni } from '../model.ts'
import { INTENT_TAG } from '../tags.ts'
import { arrivals } from './arrivals.ts'
import { EniStateError, type Equipped, growing } from './context.ts'

export async function createEni(context: Equipped, record: CreatingEni): Promise<void> {
  const eni = await createOrFind(context, record)
  if (context.state.enis.get(record.key)?.phase !== 'creating') return
  const { request: _, ...asked } = record
  const since = context.clock.now()
  const { id, mac, primaryIp } = eni
  const known: KnownEni = { ...asked, phase: 'attaching', since, id, mac, primaryIp }
  const ips = [...eni.ips, ...eni.ipv6s]
  const prefixes = [...eni.ipv4Prefixes, ...eni.ipv6Prefixes]
  const changes = arrivals(context.state, { eni: record.key, primaryIp, ips, prefixes }, since)
  context.commit([{ kind: 'put-eni', eni: known }, ...changes])
  context.watch.saw(eni)
}

async function createOrFind(context: Equipped, record: CreatingEni): Promise<WholeEni> {
  try {
    return await context.cloud.createEni(record.request, growing(context))
  } catch (error) {
    // The token is burnt or was used by a request that differed; the intent's tag tells what it made.
    if (!(error instanceof CloudError && /^Idempotent|^InvalidIdempotence/.test(error.code))) throw error
    const [made] = await context.cloud.describeEnis({ tags: { [INTENT_TAG]: record.key } }, growing(context))
    if (made === undefined) throw error
    if (!isWhole(made)) throw new EniStateError(`${made.id} is ${made.status} and not whole yet`)
    return made
  }
}
