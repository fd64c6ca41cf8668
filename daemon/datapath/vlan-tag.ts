/**
 * As `policy-route`, by the trunk ENI: what comes from the pod gets the VLAN tag of its member ENI as it leaves, and is
 * the member's from there on. Pods of the node reach it without passing the VPC, so past its security groups.
 */
import { hostCidr, type Ip } from '../../inet/address.ts'
import { type FilterSpec, joinPlans, type NetworkPlan, networkPlan } from '../../netlink/plan.ts'
import type { Attachment, HostFacts } from './attachment.ts'
import { FILTER_PRIORITIES, ofFamilies } from './constants.ts'
import { eniDevice, eniOf, vlanIdOf } from './devices.ts'
import { planPolicyRoute } from './policy-route.ts'

export function planVlanTag(attachment: Attachment, host: HostFacts): NetworkPlan {
  const eni = eniOf(attachment)
  const device = eniDevice(eni)
  const actions = [{ kind: 'vlan-push', vlanId: vlanIdOf(eni) }] as const
  const filters = ofFamilies<Ip>(attachment.addresses).map(
    ({ family, value }): FilterSpec => ({
      ...{ device, direction: 'egress', priority: FILTER_PRIORITIES.tag[family], protocol: family },
      ...{ source: hostCidr(value), actions },
    }),
  )
  const tags = networkPlan({ qdiscs: [{ kind: 'clsact', device }], filters })
  return joinPlans([planPolicyRoute(attachment, host), tags])
}
