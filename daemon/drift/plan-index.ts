/** What the plans of all owners want of the host, found by where it stands. A plan costs as much as it has objects. */
import type {
  AddressSpec,
  DeviceRef,
  LinkSpec,
  NeighbourSpec,
  NetworkPlan,
  QdiscSpec,
  RouteSpec,
  RuleSpec,
} from '../../netlink/plan.ts'
import { Places, type PlanOwner, placeOfLink, placeOfRoute, placeOfRule, placeOnLink } from './places.ts'

/** Links that the host has while the plan holds. */
export type HostLinkSpec = Exclude<LinkSpec, { readonly kind: 'vlan' | 'moved' }>

type Visit = <Spec>(places: Places<Spec>, place: string, spec: Spec) => void

export class PlanIndex {
  readonly links = new Places<HostLinkSpec>()
  readonly linkNames = new Places<HostLinkSpec>()
  readonly addresses = new Places<AddressSpec>()
  readonly routes = new Places<RouteSpec>()
  readonly neighbours = new Places<NeighbourSpec>()
  readonly rules = new Places<RuleSpec>()
  readonly qdiscs = new Places<QdiscSpec>()
  /** Links that an address, a route or a neighbour hangs on: what goes with the link, or with its last address. */
  readonly devices = new Places<DeviceRef>()
  /** Routes by the address of the node that they give packets. */
  readonly sources = new Places<RouteSpec>()
  readonly #plans = new Map<PlanOwner, NetworkPlan>()

  /** Takes the place of what the owner had. */
  set(owner: PlanOwner, plan: NetworkPlan): void {
    this.delete(owner)
    this.#plans.set(owner, plan)
    this.#visit(plan, (places, place, spec) => places.put(place, owner, spec))
  }

  delete(owner: PlanOwner): void {
    const plan = this.#plans.get(owner)
    if (plan === undefined) return
    this.#plans.delete(owner)
    this.#visit(plan, (places, place) => places.take(place, owner))
  }

  get plans(): ReadonlyMap<PlanOwner, NetworkPlan> {
    return this.#plans
  }

  #visit(plan: NetworkPlan, visit: Visit): void {
    for (const spec of plan.links) this.#visitLink(spec, visit)
    for (const spec of plan.rules) if (spec.netns === 'host') visit(this.rules, placeOfRule(spec), spec)
    for (const spec of plan.qdiscs) {
      if (spec.device.netns === 'host') visit(this.qdiscs, placeOfLink(spec.device.ifindex), spec)
    }
    for (const spec of plan.addresses) {
      this.#visitOnDevice(this.addresses, { place: placeOnLink(spec.device.ifindex, spec.address), spec, visit })
    }
    for (const spec of plan.neighbours) {
      this.#visitOnDevice(this.neighbours, { place: placeOnLink(spec.device.ifindex, spec.address), spec, visit })
    }
    for (const spec of plan.routes) {
      this.#visitOnDevice(this.routes, { place: placeOfRoute(spec), spec, visit })
      if (spec.source !== undefined && spec.device.netns === 'host') visit(this.sources, spec.source, spec)
    }
  }

  #visitLink(spec: LinkSpec, visit: Visit): void {
    if (spec.kind === 'vlan' || spec.kind === 'moved' || spec.netns !== 'host') return
    visit(this.links, placeOfLink(spec.ifindex), spec)
    visit(this.linkNames, spec.name, spec)
  }

  #visitOnDevice<Spec extends { readonly device: DeviceRef }>(
    places: Places<Spec>,
    { place, spec, visit }: { readonly place: string; readonly spec: Spec; readonly visit: Visit },
  ): void {
    if (spec.device.netns !== 'host') return
    visit(places, place, spec)
    visit(this.devices, placeOfLink(spec.device.ifindex), spec.device)
  }
}
