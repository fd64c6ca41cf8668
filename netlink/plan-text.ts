/** Objects of a plan as an operator would write them for iproute2. */
import type { AddressSpec, LinkSpec, NeighbourSpec, NetworkPlan, RouteSpec, RuleSpec, SysctlSpec } from './plan.ts'
import { describeRoute } from './route.ts'
import { describeRule } from './rule.ts'
import { describeKey } from './sysctl.ts'

export const describeLink = (link: LinkSpec): string => `${link.name} (ifindex ${link.ifindex})`

export const describeAddress = ({ address, prefixLength, device }: AddressSpec): string =>
  `${address}/${prefixLength} dev ${device.name}`

export const describeNeighbour = ({ address, mac, device }: NeighbourSpec): string =>
  `${address} lladdr ${mac} dev ${device.name}`

export const describePlannedRoute = (route: RouteSpec): string => describeRoute(route, route.device.name)

export const describePlannedRule = (rule: RuleSpec): string => describeRule(rule)

export const describeSysctl = ({ key, value }: SysctlSpec): string => `${describeKey(key)} = ${value}`

/** Where an object lives and for whom, for messages. */
export function describeNetns({ podNetns }: NetworkPlan, netns: 'host' | 'pod'): string {
  if (netns === 'pod') return `pod namespace ${podNetns ?? '(none)'}`
  return podNetns === undefined ? 'host' : `host, for pod namespace ${podNetns}`
}
