/**
 * A veth, and policy routes on the node: a pod's packets leave by the ENI that has its address, and what is for the pod
 * goes to its veth. All of them pass the node's stack, so services and `host_stack_cidrs` need nothing of their own.
 */
import { hostCidr, type Ip } from '../../inet/address.ts'
import { joinPlans, type NetworkPlan, networkPlan, RT_TABLE_MAIN } from '../../netlink/plan.ts'
import type { Attachment, HostFacts } from './attachment.ts'
import { planBandwidth } from './bandwidth.ts'
import { FROM_POD_PRIORITY, ofFamilies, POD_TABLE, TO_POD_PRIORITY, tableOf } from './constants.ts'
import { eniOf, podDevice } from './devices.ts'
import { planPodNamespace, planPodRouting } from './pod-routing.ts'
import { planPriority } from './priority.ts'
import { hostEnd, planVeth, routesToPod } from './veth.ts'

export function planPolicyRoute(attachment: Attachment, host: HostFacts): NetworkPlan {
  return joinPlans([
    planPodNamespace(attachment),
    planVeth(attachment, podDevice(attachment)),
    // Extra routes too: it is the node that knows the way, the pod knows nobody else.
    planPodRouting(attachment),
    planForwarding(attachment, host),
    planBandwidth(attachment),
    planPriority(attachment),
  ])
}

/**
 * How the node forwards for the pod. In the form of a map, the rules are those of the node and of the ENI, whatever the
 * number of pods: only the mark of the pod's packets is its own.
 */
function planForwarding(attachment: Attachment, { policyRoute }: HostFacts): NetworkPlan {
  const eni = eniOf(attachment)
  const device = hostEnd(attachment)
  const addresses = ofFamilies<Ip>(attachment.addresses)
  if (policyRoute === 'map') {
    return networkPlan({
      routes: routesToPod(attachment, device, POD_TABLE),
      marks: addresses.map(({ value }) => ({ netns: 'host', source: value, mark: eni.mark })),
    })
  }
  return networkPlan({
    routes: routesToPod(attachment, device, RT_TABLE_MAIN),
    rules: addresses.flatMap(({ family, value }) => {
      const rule = { netns: 'host', family } as const
      return [
        { ...rule, priority: TO_POD_PRIORITY, destination: hostCidr(value), table: RT_TABLE_MAIN },
        { ...rule, priority: FROM_POD_PRIORITY, source: hostCidr(value), table: tableOf(eni.ifindex) },
      ]
    }),
  })
}
