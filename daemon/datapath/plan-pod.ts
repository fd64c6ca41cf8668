/** What must exist in the kernel for an interface of a pod. Pure: the same attachment and node, the same plan. */
import { joinPlans, type NetworkPlan } from '../../netlink/plan.ts'
import type { Attachment, HostFacts } from './attachment.ts'
import { planExclusive } from './exclusive.ts'
import { planIpvlan } from './ipvlan.ts'
import { planPolicyRoute } from './policy-route.ts'
import { planRoute } from './route.ts'
import { planVlan } from './vlan.ts'
import { planVlanTag } from './vlan-tag.ts'

/** @throws Error for an attachment that `problemsOf` finds fault with. */
export function planPod(attachment: Attachment, host: HostFacts): NetworkPlan {
  switch (attachment.datapath) {
    case 'policy-route':
      return planPolicyRoute(attachment, host)
    case 'ipvlan':
      return planIpvlan(attachment, host)
    case 'exclusive':
      return planExclusive(attachment, host)
    case 'vlan':
      return planVlan(attachment, host)
    case 'vlan-tag':
      return planVlanTag(attachment, host)
    case 'route':
      return planRoute(attachment)
  }
}

/** All interfaces of one pod. @throws Error for attachments that `problemsOf` finds fault with. */
export function planPods(attachments: readonly Attachment[], host: HostFacts): NetworkPlan {
  return joinPlans(attachments.map((attachment) => planPod(attachment, host)))
}
