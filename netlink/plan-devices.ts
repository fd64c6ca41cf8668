/**
 * The indexes that devices of a plan really have. Kernels before 5.13 choose the index of a link that moves, so what
 * hangs on it is found by its name.
 */
import type { LinkName } from '../inet/link-name.ts'
import type { Link } from './link.ts'
import type { DeviceRef, FilterAction, FilterSpec, LinkSpec, NetworkPlan } from './plan.ts'

/** Indexes of moved links, by their names in the pod. */
export type MovedIndexes = ReadonlyMap<LinkName, number>

/** `find` looks a link of the pod up. */
export function movedIndexes({ links }: NetworkPlan, find: (name: LinkName) => Link | undefined): MovedIndexes {
  const indexes = new Map<LinkName, number>()
  for (const { kind, name } of links) {
    const link = kind === 'moved' ? find(name) : undefined
    if (link !== undefined) indexes.set(name, link.ifindex)
  }
  return indexes
}

/** The plan with these indexes in place of those that were chosen for the links. */
export function resolveDevices(plan: NetworkPlan, moved: MovedIndexes): NetworkPlan {
  const elsewhere = plan.links.some((link) => link.kind === 'moved' && indexOf(link, moved) !== link.ifindex)
  if (!elsewhere) return plan
  const on = <Spec extends { readonly device: DeviceRef }>(specs: readonly Spec[]) =>
    specs.map((spec) => ({ ...spec, device: resolve(spec.device, moved) }))
  return {
    ...plan,
    links: plan.links.map((link): LinkSpec => (link.kind === 'moved' ? resolve(link, moved) : link)),
    addresses: on(plan.addresses),
    neighbours: on(plan.neighbours),
    routes: on(plan.routes),
    qdiscs: on(plan.qdiscs),
    filters: on(plan.filters).map((filter): FilterSpec => ({ ...filter, actions: redirects(filter.actions, moved) })),
  }
}

function indexOf({ netns, name, ifindex }: DeviceRef, moved: MovedIndexes): number {
  return netns === 'pod' ? (moved.get(name) ?? ifindex) : ifindex
}

function resolve<Device extends DeviceRef>(device: Device, moved: MovedIndexes): Device {
  return { ...device, ifindex: indexOf(device, moved) }
}

function redirects(actions: readonly FilterAction[], moved: MovedIndexes): FilterAction[] {
  return actions.map((action) => (action.kind === 'redirect' ? { ...action, to: resolve(action.to, moved) } : action))
}
