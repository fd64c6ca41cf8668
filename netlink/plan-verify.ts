/** Compares a plan with what the kernel holds. */
import { familyOf } from '../inet/address.ts'
import type { Link } from './link.ts'
import type {
  AddressSpec,
  Difference,
  ExistingLinkSpec,
  NeighbourSpec,
  NetworkPlan,
  PlanNetns,
  RouteSpec,
  RuleSpec,
  SysctlSpec,
  VethSpec,
} from './plan.ts'
import {
  describeAddress,
  describeLink,
  describeNeighbour,
  describePlannedRoute,
  describePlannedRule,
  describeSysctl,
} from './plan-text.ts'
import type { KernelView } from './plan-view.ts'
import { describeRoute } from './route.ts'
import { normalise, readSysctls } from './sysctl.ts'

/** FR_ACT_TO_TBL of linux/fib_rules.h */
const LOOKUP = 1

interface Finding {
  readonly netns: PlanNetns
  readonly object: Difference['object']
  readonly subject: string
}

const missing = (finding: Finding): Difference[] => [{ ...finding, problem: 'missing' }]

/** One difference when anything deviates, else none. */
function deviating(finding: Finding, deviations: readonly (string | false)[]): Difference[] {
  const found = deviations.filter((deviation) => deviation !== false).join(', ')
  return found === '' ? [] : [{ ...finding, problem: 'different', found }]
}

function existingLink(spec: ExistingLinkSpec, view: KernelView): Difference[] {
  const finding: Finding = { netns: spec.netns, object: 'link', subject: describeLink(spec) }
  const link = view.link(spec.name)
  if (link === undefined) return missing(finding)
  return deviating(finding, [
    link.ifindex !== spec.ifindex && `ifindex ${link.ifindex}`,
    !link.up && 'down',
    spec.mtu !== undefined && link.mtu !== spec.mtu && `mtu ${link.mtu}`,
  ])
}

function vethEnd(finding: Finding, { link, end, peer }: { link: Link | undefined } & VethEnds): Difference[] {
  if (link === undefined) return missing(finding)
  return deviating(finding, [
    link.kind !== 'veth' && `type ${link.kind ?? 'unknown'}`,
    link.ifindex !== end.ifindex && `ifindex ${link.ifindex}`,
    link.mac !== end.mac && `address ${link.mac ?? 'none'}`,
    link.mtu !== end.mtu && `mtu ${link.mtu}`,
    link.peerIfindex !== peer.ifindex && `peer ifindex ${link.peerIfindex ?? 'none'}`,
    !link.up && 'down',
  ])
}

interface VethEnds {
  readonly end: VethSpec | VethSpec['peer']
  readonly peer: VethSpec | VethSpec['peer']
}

function veth(spec: VethSpec, views: Views): Difference[] {
  const host = vethEnd(
    { netns: 'host', object: 'link', subject: describeLink(spec) },
    { link: views.host.link(spec.name), end: spec, peer: spec.peer },
  )
  if (views.pod === undefined) return host
  const subject = `${spec.peer.name} (ifindex ${spec.peer.ifindex})`
  const pod = vethEnd(
    { netns: 'pod', object: 'link', subject },
    { link: views.pod.link(spec.peer.name), end: spec.peer, peer: spec },
  )
  return [...host, ...pod]
}

function address(spec: AddressSpec, view: KernelView): Difference[] {
  const finding: Finding = { netns: spec.device.netns, object: 'address', subject: describeAddress(spec) }
  const same = view.addresses(spec.device.ifindex).filter((candidate) => candidate.address === spec.address)
  const match = same.find((candidate) => candidate.prefixLength === spec.prefixLength)
  const [other] = same
  if (match === undefined && other === undefined) return missing(finding)
  if (match === undefined) return deviating(finding, [`prefix length ${other?.prefixLength}`])
  // The kernel derives the scope of an IPv6 address from the address.
  const scoped = match.family === 'ipv4' && match.scope !== spec.scope
  return deviating(finding, [scoped && `scope ${match.scope}`])
}

function neighbour(spec: NeighbourSpec, view: KernelView): Difference[] {
  const finding: Finding = { netns: spec.device.netns, object: 'neighbour', subject: describeNeighbour(spec) }
  const found = view.neighbours(spec.device.ifindex).find((candidate) => candidate.address === spec.address)
  if (found === undefined) return missing(finding)
  return deviating(finding, [
    found.mac !== spec.mac && `lladdr ${found.mac ?? 'none'}`,
    found.state !== 'permanent' && found.state,
  ])
}

function route(spec: RouteSpec, view: KernelView): Difference[] {
  const finding: Finding = { netns: spec.device.netns, object: 'route', subject: describePlannedRoute(spec) }
  const family = familyOf(spec.destination)
  const candidates = view
    .routes(family, spec.table)
    .filter((candidate) => candidate.destination === spec.destination && candidate.source === undefined)
  const match = candidates.some(
    (candidate) =>
      candidate.type === 'unicast' &&
      candidate.ifindex === spec.device.ifindex &&
      candidate.gateway === spec.gateway &&
      candidate.onlink === (spec.onlink ?? false) &&
      // IPv6 routes have no scope of their own.
      (family === 'ipv6' || candidate.scope === spec.scope),
  )
  if (match) return []
  // A route of the same destination over another link can be somebody else's, in a shared table like main.
  const [other] = candidates
  if (other === undefined) return missing(finding)
  return deviating(finding, [`${other.type} ${describeRoute(other, other.ifindex)} scope ${other.scope}`])
}

function rule(spec: RuleSpec, view: KernelView): Difference[] {
  const found = view
    .rules(spec.family)
    .some(
      (candidate) =>
        candidate.priority === spec.priority &&
        candidate.table === spec.table &&
        candidate.action === LOOKUP &&
        !candidate.special &&
        candidate.mark === undefined &&
        candidate.source === spec.source &&
        candidate.destination === spec.destination &&
        candidate.inputDevice === spec.inputDevice &&
        candidate.outputDevice === spec.outputDevice,
    )
  return found ? [] : missing({ netns: spec.netns, object: 'rule', subject: describePlannedRule(spec) })
}

function sysctls(specs: readonly SysctlSpec[], view: KernelView): Difference[] {
  const values = readSysctls(
    view.netns,
    specs.map(({ key }) => key),
  )
  return specs.flatMap((spec, index) => {
    const finding: Finding = { netns: spec.netns, object: 'sysctl', subject: describeSysctl(spec) }
    const value = values[index]
    if (value === undefined) return missing(finding)
    return deviating(finding, [value !== normalise(spec.value) && value])
  })
}

export interface Views {
  readonly host: KernelView
  /** Absent when the pod's namespace is gone or the plan has none: then only the host is compared. */
  readonly pod: KernelView | undefined
}

/** In the order of the plan: links, sysctls, addresses, neighbours, routes, rules. */
export function differences(plan: NetworkPlan, views: Views): Difference[] {
  const on = <Spec>(netns: PlanNetns, compare: (spec: Spec, view: KernelView) => Difference[], spec: Spec) => {
    const view = views[netns]
    return view === undefined ? [] : compare(spec, view)
  }
  return [
    ...plan.links.flatMap((spec) => (spec.kind === 'veth' ? veth(spec, views) : on(spec.netns, existingLink, spec))),
    ...(['host', 'pod'] as const).flatMap((netns) =>
      on(
        netns,
        sysctls,
        plan.sysctls.filter((spec) => spec.netns === netns),
      ),
    ),
    ...plan.addresses.flatMap((spec) => on(spec.device.netns, address, spec)),
    ...plan.neighbours.flatMap((spec) => on(spec.device.netns, neighbour, spec)),
    ...plan.routes.flatMap((spec) => on(spec.device.netns, route, spec)),
    ...plan.rules.flatMap((spec) => on(spec.netns, rule, spec)),
  ]
}
