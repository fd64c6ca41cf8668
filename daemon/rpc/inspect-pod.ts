/** What a pod has on record, and every object of it beside the kernel. */
import type { NetworkPlan } from '../../netlink/plan.ts'
import type { EndpointInspection } from '../../proto/generated/terway/inspect/v1/EndpointInspection.ts'
import type { InspectPodRequest__Output as InspectPodRequest } from '../../proto/generated/terway/inspect/v1/InspectPodRequest.ts'
import type { PlannedObject } from '../../proto/generated/terway/inspect/v1/PlannedObject.ts'
import type { PodInspection } from '../../proto/generated/terway/inspect/v1/PodInspection.ts'
import { type PodContext, podKey } from '../pod/context.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { NotFoundError } from './failure.ts'
import { plannedObject } from './planned-objects.ts'
import { showEndpoint } from './show-endpoint.ts'

export type InspectedPods = Pick<PodContext, 'now'> & {
  readonly endpoints: Pick<PodContext['endpoints'], 'all'>
  readonly kernel: Pick<PodContext['kernel'], 'compareAll'>
}

/** @throws NotFoundError for a pod that has no interface of Terway's on this node; NetlinkError */
export function inspectPod({ endpoints, kernel, now }: InspectedPods, request: InspectPodRequest): PodInspection {
  const found = endpointsAsked(endpoints.all(), request)
  const planned = found.flatMap(({ plan }) => plan ?? [])
  const compared = kernel.compareAll(planned)
  const objects = new Map(planned.map((plan, at) => [plan, (compared[at] ?? []).map(plannedObject)]))
  return { now: now(), endpoints: found.map((endpoint) => inspectionOf(endpoint, objects)) }
}

function inspectionOf(endpoint: Endpoint, objects: ReadonlyMap<NetworkPlan, PlannedObject[]>): EndpointInspection {
  const { plan, replaced, attachment } = endpoint
  return {
    endpoint: showEndpoint(endpoint),
    eniLink: attachment?.eni?.link ?? '',
    vlanId: attachment?.eni?.vlanId ?? 0,
    objects: (plan === undefined ? undefined : objects.get(plan)) ?? [],
    replacing: replaced !== undefined,
  }
}

function endpointsAsked(all: readonly Endpoint[], { namespace, pod, containerId }: InspectPodRequest): Endpoint[] {
  const key = podKey({ namespace, pod })
  const ofPod = all.filter((endpoint) => podKey(endpoint) === key)
  if (ofPod.length === 0) throw new NotFoundError(`${unknownPod(key)}; ${otherPods(all, pod)}`)
  const found = ofPod.filter((endpoint) => endpoint.containerId.startsWith(containerId))
  if (found.length > 0) return newestFirst(found)
  const sandboxes = [...new Set(newestFirst(ofPod).map((endpoint) => endpoint.containerId))]
  throw new NotFoundError(
    `pod ${key} has no sandbox whose container id begins with ${containerId}; it has ${sandboxes.join(', ')}`,
  )
}

const unknownPod = (key: string) => `pod ${key} has no interface of Terway's on this node`

/** What to try instead. */
function otherPods(all: readonly Endpoint[], name: string): string {
  const others = [...new Set(all.filter(({ pod }) => pod === name).map(podKey))].sort()
  if (others.length > 0) return `there is ${others.join(' and ')}`
  return (
    'kubectl get pod -o wide shows on which node it is, and whether it has a network of its own: one with hostNetwork ' +
    'has none; terway-cli show --json lists those that are here'
  )
}

/** All of one sandbox together. One that is being removed is older than one that is not, whatever has changed last. */
function newestFirst(endpoints: readonly Endpoint[]): Endpoint[] {
  const sandboxes = [...Map.groupBy(endpoints, ({ containerId }) => containerId).values()]
  const rank = (sandbox: readonly Endpoint[]) => ({
    isGoing: sandbox.every(({ phase }) => phase === 'deleting'),
    since: Math.max(...sandbox.map(({ since }) => since)),
  })
  const ranked = sandboxes.map((sandbox) => ({ sandbox, ...rank(sandbox) }))
  ranked.sort((a, b) => Number(a.isGoing) - Number(b.isGoing) || b.since - a.since)
  return ranked.flatMap(({ sandbox }) => sandbox.toSorted((a, b) => a.ifname.localeCompare(b.ifname, 'en')))
}
