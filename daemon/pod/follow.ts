/**
 * Pods follow what their plans are made from: the configuration of the node, the ENI that has their address, and the
 * other interfaces that they have. What is new is there before what is old goes, so that no packet is lost.
 */
import { isDeepStrictEqual } from 'node:util'
import { joinPlans, type NetworkPlan } from '../../netlink/plan.ts'
import type { Attachment } from '../datapath/attachment.ts'
import { addressesOf, type Endpoint } from '../store/endpoint.ts'
import { planFor } from './attach.ts'
import { type PodContext, podKey } from './context.ts'
import { olderAttachment } from './older-attachment.ts'

/** To be called with the pod's lock held. Never rejects: what failed is repeated by the next call. */
export async function follow(context: PodContext, endpoint: Endpoint): Promise<void> {
  const fields = { pod: podKey(endpoint), containerId: endpoint.containerId, ifname: endpoint.ifname }
  let next: Following | undefined
  try {
    next = following(context, endpoint)
    if (next === undefined) return
    const { replaced, ...done } = next
    context.endpoints.put(next)
    await context.links.fit(next.attachment)
    await context.kernel.replace(replaced, next.plan)
    // Not ready any more: a removal has begun that takes both plans away.
    if (context.endpoints.get(endpoint) !== next) return
    context.endpoints.put(done)
    context.log.warn({ ...fields, eni: next.eniId }, 'the network of a pod follows its node or its ENI')
  } catch (err) {
    context.log.error({ ...fields, err }, 'the network of a pod cannot follow its node or its ENI; it is tried again')
    // Not so when a removal has begun, or when it is not even on record.
    if (next !== undefined && context.endpoints.get(endpoint) === next) {
      context.endpoints.holds(next, planThatHolds(context, next))
    }
  }
}

/** Nothing of the old plan goes before the new one holds. */
function planThatHolds({ kernel, log }: PodContext, { plan, replaced }: Following): NetworkPlan {
  try {
    return kernel.verify(plan).length === 0 ? plan : replaced
  } catch (err) {
    // It is compared again where it is watched.
    log.error({ err }, 'the network of a pod cannot be compared with its plan')
    return replaced
  }
}

type Following = Endpoint & Required<Pick<Endpoint, 'attachment' | 'plan' | 'replaced'>>

/** Undefined when the plan is the one that would be made now. */
function following(context: PodContext, endpoint: Endpoint): Following | undefined {
  const { phase, plan, replaced } = endpoint
  const attachment = phase === 'ready' && plan !== undefined ? attachmentNow(context, endpoint) : undefined
  if (plan === undefined || attachment === undefined) return undefined
  const wanted = asRecorded(planFor(endpoint, attachment, context.host))
  const isSame = isDeepStrictEqual(asRecorded(plan), wanted)
  if (isSame && replaced === undefined) return undefined
  const old = isSame ? [] : [plan]
  const eni = attachment.eni === undefined ? {} : { eniId: attachment.eni.id }
  return {
    ...{ ...endpoint, ...eni, attachment, plan: wanted },
    replaced: joinPlans([...(replaced === undefined ? [] : [replaced]), ...old]),
  }
}

/** Undefined of an endpoint of an earlier version as long as its ENI is not ready. */
function attachmentNow(context: PodContext, endpoint: Endpoint): Attachment | undefined {
  const { attachment } = endpoint
  const [address] = addressesOf(endpoint)
  const eni = address === undefined ? undefined : context.enis.eniOf(address)
  if (attachment === undefined) {
    return eni === undefined ? undefined : olderAttachment(endpoint, eni, () => context.indexes.next())
  }
  const siblings = context.endpoints.ofContainer(endpoint.containerId).length - 1
  const now = { ...attachment, sourceRouting: siblings > 0 || !attachment.defaultRoute }
  // While its ENI is in the pod, nothing on the node tells of it.
  return eni === undefined || attachment.datapath === 'exclusive' ? now : { ...now, eni }
}

/** As the journal gives it back: without what is undefined. */
function asRecorded(plan: NetworkPlan): NetworkPlan {
  return JSON.parse(JSON.stringify(plan)) as NetworkPlan
}
