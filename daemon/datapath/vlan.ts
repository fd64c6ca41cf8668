/** The 802.1Q subinterface of a member ENI, on the node's trunk ENI, is the pod's interface. */
import { joinPlans, type NetworkPlan, type VlanSpec } from '../../netlink/plan.ts'
import type { Attachment, HostFacts } from './attachment.ts'
import { eniDevice, eniOf, podDevice, vlanIdOf } from './devices.ts'
import { planPriority } from './priority.ts'
import { planVpcLink } from './vpc-link.ts'

export function planVlan(attachment: Attachment, host: HostFacts): NetworkPlan {
  const eni = eniOf(attachment)
  const link: VlanSpec = {
    ...{ kind: 'vlan', ...podDevice(attachment), netns: 'pod', parent: eniDevice(eni) },
    ...{ vlanId: vlanIdOf(eni), mac: eni.mac, mtu: attachment.mtu },
  }
  return joinPlans([planVpcLink(attachment, host, link), planPriority(attachment)])
}
