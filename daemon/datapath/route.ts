/** A veth to a pod whose address is of the node's own prefix: the VPC routes it to the node, the node to the veth. */
import { joinPlans, type NetworkPlan, networkPlan, RT_TABLE_MAIN } from '../../netlink/plan.ts'
import type { Attachment } from './attachment.ts'
import { planBandwidth } from './bandwidth.ts'
import { podDevice } from './devices.ts'
import { planPodNamespace, planPodRouting } from './pod-routing.ts'
import { hostEnd, planVeth, routesToPod } from './veth.ts'

export function planRoute(attachment: Attachment): NetworkPlan {
  return joinPlans([
    planPodNamespace(attachment),
    planVeth(attachment, podDevice(attachment)),
    planPodRouting(attachment),
    networkPlan({ routes: routesToPod(attachment, hostEnd(attachment), RT_TABLE_MAIN) }),
    planBandwidth(attachment),
  ])
}
