/** Sets a plan beside what the kernel holds. */
import { familyOf } from '../inet/address.ts'
import { compared, type Finding, missing } from './comparison.ts'
import { filterDeviation, filterParent } from './filter.ts'
import { ROUTING_TABLE } from './nftables/source-marks.ts'
import type {
  AddressSpec,
  Comparison,
  DeviceRef,
  FilterSpec,
  NeighbourSpec,
  NetworkPlan,
  PlanNetns,
  QdiscSpec,
  RouteSpec,
  RuleSpec,
  SourceMarkSpec,
  SysctlSpec,
} from './plan.ts'
import { compareLink, type Views } from './plan-compare-links.ts'
import { placesOf } from './plan-tc.ts'
import {
  describeAddress,
  describeFilter,
  describeMark,
  describeMarkValue,
  describeNeighbour,
  describePlannedRoute,
  describePlannedRule,
  describeQdisc,
  describeSysctl,
} from './plan-text.ts'
import type { KernelView } from './plan-view.ts'
import { qdiscDeviation } from './qdisc-deviation.ts'
import { describeRoute, type Route } from './route.ts'
import { describeRule } from './rule.ts'
import { isSameRule, rulesBefore } from './rule-precedence.ts'
import { compareSysctls } from './sysctl.ts'

function address(spec: AddressSpec, view: KernelView): Comparison {
  const finding: Finding = { netns: spec.device.netns, object: 'address', subject: describeAddress(spec) }
  const same = view.addresses(spec.device.ifindex).filter((candidate) => candidate.address === spec.address)
  const match = same.find((candidate) => candidate.prefixLength === spec.prefixLength)
  const [other] = same
  if (match === undefined && other === undefined) return missing(finding)
  if (match === undefined) return compared(finding, [`prefix length ${other?.prefixLength}`])
  // The kernel derives the scope of an IPv6 address from the address.
  const scoped = match.family === 'ipv4' && match.scope !== spec.scope
  return compared(finding, [scoped && `scope ${match.scope}`])
}

function neighbour(spec: NeighbourSpec, view: KernelView): Comparison {
  const finding: Finding = { netns: spec.device.netns, object: 'neighbour', subject: describeNeighbour(spec) }
  const found = view.neighbours(spec.device.ifindex).find((candidate) => candidate.address === spec.address)
  if (found === undefined) return missing(finding)
  return compared(finding, [
    found.mac !== spec.mac && `lladdr ${found.mac ?? 'none'}`,
    found.state !== 'permanent' && found.state,
  ])
}

function route(spec: RouteSpec, view: KernelView): Comparison {
  const finding: Finding = { netns: spec.device.netns, object: 'route', subject: describePlannedRoute(spec) }
  const candidates = view
    .routes(familyOf(spec.destination), spec.table, spec.destination)
    .filter((candidate) => candidate.source === undefined)
  if (candidates.some((candidate) => isSameRoute(spec, candidate))) return finding
  // A route of the same destination over another link can be somebody else's, in a shared table like main.
  const [other] = candidates
  if (other === undefined) return missing(finding)
  return compared(finding, [`${describeRoute(other, other.ifindex)} scope ${other.scope}`])
}

function isSameRoute(spec: RouteSpec, found: Route): boolean {
  const { type = 'unicast', onlink = false } = spec
  if (found.type !== type) return false
  return (
    type === 'blackhole' ||
    (found.ifindex === spec.device.ifindex &&
      found.gateway === spec.gateway &&
      found.onlink === onlink &&
      found.preferredSource === spec.source &&
      // IPv6 routes have no scope of their own.
      (found.family === 'ipv6' || found.scope === spec.scope))
  )
}

function rule(spec: RuleSpec, view: KernelView): Comparison {
  const finding: Finding = { netns: spec.netns, object: 'rule', subject: describePlannedRule(spec) }
  const rules = view.rules(spec.family, spec)
  const before = rulesBefore(spec, rules)
  if (before.length > 0) return compared(finding, before.map(describeRule))
  return rules.some((candidate) => isSameRule(spec, candidate)) ? finding : missing(finding)
}

function sysctls(specs: readonly SysctlSpec[], view: KernelView): Comparison[] {
  const deviations = compareSysctls(view.netns, specs)
  return specs.map((spec, index) => {
    const finding: Finding = { netns: spec.netns, object: 'sysctl', subject: describeSysctl(spec) }
    const deviation = deviations[index]
    if (deviation === undefined) return finding
    return deviation.found === undefined ? missing(finding) : compared(finding, [deviation.found])
  })
}

/** Of what traffic control says: undefined, `missing`, or what was found. */
function judged(finding: Finding, deviation: string | undefined): Comparison {
  return deviation === 'missing' ? missing(finding) : compared(finding, [deviation ?? false])
}

function qdisc(spec: QdiscSpec, view: KernelView): Comparison {
  const finding: Finding = { netns: spec.device.netns, object: 'qdisc', subject: describeQdisc(spec) }
  return judged(finding, qdiscDeviation(spec, view.qdiscs(spec.device.ifindex)))
}

/** Missing where any of its places misses it. */
function filter(spec: FilterSpec, view: KernelView): Comparison {
  const finding: Finding = { netns: spec.device.netns, object: 'filter', subject: describeFilter(spec) }
  const places = placesOf(spec, (ifindex) => view.qdiscs(ifindex))
  const deviations = places.flatMap(
    (place) => filterDeviation(spec, place, view.filters(place.ifindex, filterParent(spec, place))) ?? [],
  )
  if (places.length === 0 || deviations.includes('missing')) return missing(finding)
  return judged(finding, deviations[0])
}

function mark(spec: SourceMarkSpec, view: KernelView): Comparison {
  const finding: Finding = { netns: 'host', object: 'mark', subject: describeMark(spec) }
  const found = view.marks().marks.get(spec.source)
  if (found === undefined) return missing(finding)
  return compared(finding, [found !== spec.mark && `mark ${describeMarkValue(found)}`])
}

function marks(specs: readonly SourceMarkSpec[], view: KernelView): Comparison[] {
  if (specs.length === 0) return []
  const { problems } = view.marks()
  const table: Finding = { netns: 'host', object: 'mark', subject: `table inet ${ROUTING_TABLE}` }
  return [...(problems.length === 0 ? [] : [compared(table, problems)]), ...specs.map((spec) => mark(spec, view))]
}

/**
 * In the order of the plan: the pod's namespace, links, sysctls, addresses, neighbours, routes, rules, qdiscs, filters,
 * marks. Without a view of the pod, whose namespace is gone then, only what lives on the host.
 */
export function comparePlan(plan: NetworkPlan, views: Views): Comparison[] {
  const on = <Spec>(netns: PlanNetns, compare: (spec: Spec, view: KernelView) => Comparison[], spec: Spec) => {
    const view = views[netns]
    return view === undefined ? [] : compare(spec, view)
  }
  const each =
    <Spec extends { readonly netns: PlanNetns } | { readonly device: DeviceRef }>(
      compare: (spec: Spec, view: KernelView) => Comparison,
    ) =>
    (spec: Spec) => {
      const netns = 'device' in spec ? spec.device.netns : spec.netns
      return on(netns, (one: Spec, view) => [compare(one, view)], spec)
    }
  const sysctlsOf = (netns: PlanNetns) =>
    on(
      netns,
      sysctls,
      plan.sysctls.filter((spec) => spec.netns === netns),
    )
  return [
    ...netnsOf(plan, views),
    ...plan.links.flatMap((spec) => compareLink(spec, views)),
    ...sysctlsOf('host'),
    ...sysctlsOf('pod'),
    ...plan.addresses.flatMap(each(address)),
    ...plan.neighbours.flatMap(each(neighbour)),
    ...plan.routes.flatMap(each(route)),
    ...plan.rules.flatMap(each(rule)),
    ...plan.qdiscs.flatMap(each(qdisc)),
    ...plan.filters.flatMap(each(filter)),
    ...on('host', marks, plan.marks),
  ]
}

function netnsOf({ podNetns }: NetworkPlan, { pod }: Views): Comparison[] {
  if (podNetns === undefined) return []
  const finding: Finding = { netns: 'pod', object: 'netns', subject: podNetns }
  return [pod === undefined ? missing(finding) : finding]
}
