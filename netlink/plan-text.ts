/** Objects of a plan as an operator would write them for iproute2 and nft. */
import { describeFilter as describeFilterOf } from './filter.ts'
import type {
  AddressSpec,
  FilterSpec,
  LinkSpec,
  NeighbourSpec,
  NetworkPlan,
  QdiscSpec,
  RouteSpec,
  RuleSpec,
  SourceMarkSpec,
  SysctlSpec,
} from './plan.ts'
import { describeQdisc as describeQdiscOf } from './qdisc.ts'
import { describeRoute, type RouteAddition } from './route.ts'
import { describeRule } from './rule.ts'
import { describeKey } from './sysctl.ts'

export const describeLink = (link: Pick<LinkSpec, 'name' | 'ifindex'>): string =>
  `${link.name} (ifindex ${link.ifindex})`

export const describeAddress = ({ address, prefixLength, device }: AddressSpec): string =>
  `${address}/${prefixLength} dev ${device.name}`

export const describeNeighbour = ({ address, mac, device }: NeighbourSpec): string =>
  `${address} lladdr ${mac} dev ${device.name}`

/** The same route in the words of route.ts. */
export function plannedRoute({ device, source, ...route }: RouteSpec): RouteAddition {
  return { ...route, ifindex: device.ifindex, ...(source === undefined ? {} : { preferredSource: source }) }
}

export const describePlannedRoute = (route: RouteSpec): string => describeRoute(plannedRoute(route), route.device.name)

export const describePlannedRule = (rule: RuleSpec): string => describeRule(rule)

export const describeSysctl = ({ key, value, want }: SysctlSpec): string =>
  `${describeKey(key)} ${want === 'at-least' ? '>=' : '='} ${value}`

export const describeQdisc = (qdisc: QdiscSpec): string => describeQdiscOf(qdisc)

export const describeFilter = (filter: FilterSpec): string => describeFilterOf(filter)

export const describeMarkValue = (mark: number): string => `0x${mark.toString(16).padStart(8, '0')}`

export const describeMark = ({ source, mark }: SourceMarkSpec): string =>
  `from ${source} mark ${describeMarkValue(mark)}`

/** Where an object lives and for whom, for messages. */
export function describeNetns({ podNetns }: NetworkPlan, netns: 'host' | 'pod'): string {
  if (netns === 'pod') return `pod namespace ${podNetns ?? '(none)'}`
  return podNetns === undefined ? 'host' : `host, for pod namespace ${podNetns}`
}
