/** The ENI itself is the pod's interface. */
import type { MovedLinkSpec, NetworkPlan } from '../../netlink/plan.ts'
import type { Attachment, HostFacts } from './attachment.ts'
import { eniOf, podDevice } from './devices.ts'
import { planVpcLink } from './vpc-link.ts'

export function planExclusive(attachment: Attachment, host: HostFacts): NetworkPlan {
  const { link, ifindex, mac } = eniOf(attachment)
  const moved: MovedLinkSpec = {
    ...{ kind: 'moved', ...podDevice(attachment), netns: 'pod', mac, mtu: attachment.mtu },
    home: { name: link, ifindex },
  }
  return planVpcLink(attachment, host, moved)
}
