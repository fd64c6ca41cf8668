/** Whose packets leave a shared ENI first: a class of its prio qdiscs, by the pod's address. */
import { hostCidr, type Ip } from '../../inet/address.ts'
import { type FilterSpec, type NetworkPlan, networkPlan } from '../../netlink/plan.ts'
import type { Attachment, NetworkPriority } from './attachment.ts'
import { FILTER_PRIORITIES, ofFamilies } from './constants.ts'
import { eniDevice, eniOf } from './devices.ts'

const BANDS = { guaranteed: 1, burstable: 2, 'best-effort': 3 } as const satisfies Record<NetworkPriority, number>

/**
 * For packets that leave by an ENI of the node, also those of an IPVlan slave and a VLAN subinterface: they pass the
 * qdiscs of the device below. Nobody competes for an exclusive ENI.
 */
export function planPriority(attachment: Attachment): NetworkPlan {
  const { priority, datapath } = attachment
  if (priority === undefined) return networkPlan({})
  const device = eniDevice(eniOf(attachment))
  // A packet that has its tag by then is one of 802.1Q to the classifier, its words still those of the IP header.
  const tagged = datapath === 'vlan' || datapath === 'vlan-tag'
  const filters = ofFamilies<Ip>(attachment.addresses).map(
    ({ family, value }): FilterSpec => ({
      ...{ device, direction: 'classes', source: hostCidr(value), actions: [], band: BANDS[priority] },
      ...(tagged
        ? { priority: FILTER_PRIORITIES.taggedClass, protocol: '802.1Q' }
        : { priority: FILTER_PRIORITIES.class[family], protocol: family }),
    }),
  )
  return networkPlan({ qdiscs: [{ kind: 'prio', device }], filters })
}
