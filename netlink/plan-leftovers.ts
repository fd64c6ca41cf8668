/** What of one plan is in the way once another has taken its place. */
import type {
  AddressSpec,
  DeviceRef,
  FilterSpec,
  LinkSpec,
  NeighbourSpec,
  NetworkPlan,
  QdiscSpec,
  RouteSpec,
  RuleSpec,
  SourceMarkSpec,
} from './plan.ts'

const at = ({ netns, ifindex }: DeviceRef) => `${netns} ${ifindex}`

/**
 * What the kernel tells objects of a kind apart by. Applying a plan replaces an object of the same identity, so such a
 * one is not left over, however different it was.
 */
const identity = {
  link: (link: LinkSpec) => `${link.netns} ${link.kind} ${link.name} ${link.ifindex}`,
  address: (spec: AddressSpec) => `${at(spec.device)} ${spec.address}/${spec.prefixLength}`,
  neighbour: (spec: NeighbourSpec) => `${at(spec.device)} ${spec.address}`,
  route: (spec: RouteSpec) => `${spec.device.netns} ${spec.table} ${spec.destination}`,
  rule: ({ netns, family, priority, source, destination, inputDevice, outputDevice, mark, table }: RuleSpec) =>
    JSON.stringify([
      ...[netns, family, priority, table, source ?? '', destination ?? '', inputDevice ?? '', outputDevice ?? ''],
      ...[mark?.value ?? 0, mark?.mask ?? 0],
    ]),
  qdisc: (spec: QdiscSpec) => `${at(spec.device)} ${spec.kind}`,
  filter: (spec: FilterSpec) =>
    [at(spec.device), spec.direction, spec.priority, spec.protocol, spec.source ?? '', spec.destination ?? ''].join(
      ' ',
    ),
  mark: ({ source }: SourceMarkSpec) => source,
}

function without<Spec>(from: readonly Spec[], to: readonly Spec[], key: (spec: Spec) => string): Spec[] {
  const stays = new Set(to.map(key))
  return from.filter((spec) => !stays.has(key(spec)))
}

/** The objects of `from` that are still there after `to` was applied, and are not its. Sysctls never are. */
export function leftovers(from: NetworkPlan, to: NetworkPlan): NetworkPlan {
  return {
    ...from,
    sysctls: [],
    links: without(from.links, to.links, identity.link),
    addresses: without(from.addresses, to.addresses, identity.address),
    neighbours: without(from.neighbours, to.neighbours, identity.neighbour),
    routes: without(from.routes, to.routes, identity.route),
    rules: without(from.rules, to.rules, identity.rule),
    qdiscs: without(from.qdiscs, to.qdiscs, identity.qdisc),
    filters: without(from.filters, to.filters, identity.filter),
    marks: without(from.marks, to.marks, identity.mark),
  }
}
