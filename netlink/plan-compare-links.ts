/** Sets the links of a plan beside those of the kernel. */
import { compared, type Finding, missing } from './comparison.ts'
import type { Link } from './link.ts'
import { IPVLAN_MODE_L2 } from './link-kinds.ts'
import type { Comparison, LinkSpec, PlanNetns, VethSpec } from './plan.ts'
import { describeLink } from './plan-text.ts'
import type { KernelView } from './plan-view.ts'

export type Views = Readonly<Record<PlanNetns, KernelView | undefined>>

/** One comparison, of a veth one for each end; none for what lives in a pod that is gone. */
export function compareLink(spec: LinkSpec, views: Views): Comparison[] {
  if (spec.kind === 'veth') return compareVeth(spec, views)
  const view = views[spec.netns]
  if (view === undefined) return []
  const finding: Finding = { netns: spec.netns, object: 'link', subject: describeLink(spec) }
  const link = view.link(spec.name)
  return [link === undefined ? missing(finding) : compared(finding, deviations(spec, link))]
}

function compareVeth(spec: VethSpec, { host, pod }: Views): Comparison[] {
  const end = (netns: PlanNetns, view: KernelView | undefined, [one, other]: [VethEnd, VethEnd]) => {
    if (view === undefined) return []
    const finding: Finding = { netns, object: 'link', subject: describeLink(one) }
    const link = view.link(one.name)
    return [link === undefined ? missing(finding) : compared(finding, vethDeviations(link, one, other))]
  }
  return [...end('host', host, [spec, spec.peer]), ...end('pod', pod, [spec.peer, spec])]
}

type VethEnd = VethSpec | VethSpec['peer']
type Deviations = readonly (string | false)[]

const kind = (link: Link, wanted: string) => link.kind !== wanted && `type ${link.kind ?? 'unknown'}`
const ifindex = (link: Link, wanted: number) => link.ifindex !== wanted && `ifindex ${link.ifindex}`
const mac = (link: Link, wanted: string) => link.mac !== wanted && `address ${link.mac ?? 'none'}`
const mtu = (link: Link, wanted: number) => link.mtu !== wanted && `mtu ${link.mtu}`
const state = (link: Link) => !link.up && 'down'

function vethDeviations(link: Link, end: VethEnd, peer: VethEnd): Deviations {
  return [
    kind(link, 'veth'),
    ifindex(link, end.ifindex),
    mac(link, end.mac),
    mtu(link, end.mtu),
    link.peerIfindex !== peer.ifindex && `peer ifindex ${link.peerIfindex ?? 'none'}`,
    state(link),
  ]
}

function deviations(spec: Exclude<LinkSpec, VethSpec>, link: Link): Deviations {
  switch (spec.kind) {
    case 'existing':
      return [ifindex(link, spec.ifindex), state(link), spec.mtu !== undefined && mtu(link, spec.mtu)]
    case 'moved':
      return [mac(link, spec.mac), mtu(link, spec.mtu), state(link)]
    case 'ifb':
      return [kind(link, 'ifb'), ifindex(link, spec.ifindex), mtu(link, spec.mtu), state(link)]
    case 'ipvlan':
      return [
        ...stacked(link, spec),
        link.ipvlanMode !== IPVLAN_MODE_L2 && `mode ${link.ipvlanMode ?? 'none'}`,
        (link.noArp ?? false) !== (spec.noArp ?? false) && (link.noArp === true ? 'NOARP' : 'ARP'),
      ]
    case 'vlan':
      return [...stacked(link, spec), link.vlanId !== spec.vlanId && `id ${link.vlanId ?? 'none'}`, mac(link, spec.mac)]
  }
}

function stacked(link: Link, spec: Extract<LinkSpec, { kind: 'ipvlan' | 'vlan' }>): Deviations {
  return [
    kind(link, spec.kind),
    ifindex(link, spec.ifindex),
    link.peerIfindex !== spec.parent.ifindex && `link ${link.peerIfindex ?? 'none'}`,
    mtu(link, spec.mtu),
    state(link),
  ]
}
