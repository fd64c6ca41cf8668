/** Where the links of a plan are made. */
import type { LinkName } from '../inet/link-name.ts'
import type { NetworkPlan, PlanNetns } from './plan.ts'
import { PlanError } from './plan-error.ts'
import { describeNetns } from './plan-text.ts'
import type { PodSide } from './pod-side.ts'
import type { NetlinkSocket } from './socket.ts'

export interface LinkPlace {
  readonly host: NetlinkSocket
  readonly pod: PodSide | undefined
  /** Both namespaces, for messages. */
  readonly where: Readonly<Record<PlanNetns, string>>
}

export interface PodPlace extends LinkPlace {
  readonly pod: PodSide
}

export function placeOf(plan: NetworkPlan, host: NetlinkSocket, pod: PodSide | undefined): LinkPlace {
  return { host, pod, where: { host: describeNetns(plan, 'host'), pod: describeNetns(plan, 'pod') } }
}

/** For a link that needs the pod's side. @throws PlanError */
export function withPod(place: LinkPlace, link: { readonly name: LinkName }): PodPlace {
  const { pod } = place
  if (pod !== undefined) return { ...place, pod }
  throw withoutPod(`add link ${link.name}`)
}

export function withoutPod(request: string): PlanError {
  const reason = 'the plan names objects in the pod but no pod namespace'
  return new PlanError({ code: 'invalid', where: 'pod', request, reason })
}
