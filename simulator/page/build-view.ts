/** From the parts of the simulator to what the page shows. Pure. */
import type { AuditEntry } from '../api/audit.ts'
import type { Cloud } from '../cloud/cloud.ts'
import { addressesOf, type Eni } from '../cloud/eni.ts'
import type { LinkCounters } from '../fabric/fabric.ts'
import type { FaultState } from '../faults/faults.ts'
import type { EniId, NodeName } from '../region/ids.ts'
import type { Node, VSwitch } from '../region/region.ts'
import type { AddressView, EniView, NodeView, PageView, VSwitchView } from './view.ts'

export interface PageSources {
  readonly cloud: Cloud
  /** Milliseconds since the epoch, of the region's clock. */
  readonly now: number
  readonly speed: number
  readonly failure: unknown
  /** The oldest first. */
  readonly calls: readonly AuditEntry[]
  readonly faults: readonly FaultState[]
  /** Empty without a fabric. */
  readonly counters: ReadonlyMap<EniId, LinkCounters>
  /** Links of pods by address, for each node. */
  readonly pods: ReadonlyMap<NodeName, ReadonlyMap<string, string>>
}

/** Calls that are shown. */
const LAST_CALLS = 50

export function buildView(sources: PageSources): PageView {
  const { cloud, failure } = sources
  const { region } = cloud
  const { vpc } = region
  return {
    region: region.id,
    vpc: { id: vpc.id, cidrs: vpc.ipv6Cidr === undefined ? [vpc.cidr] : [vpc.cidr, vpc.ipv6Cidr] },
    time: new Date(sources.now).toISOString(),
    speed: sources.speed,
    fabricFailure: failure === undefined ? undefined : String(failure),
    vSwitches: [...region.vSwitches.values()].map((vSwitch) => vSwitchView(sources, vSwitch)),
    routes: cloud.routes.entries().map(({ destination, nextHop, state }) => ({
      destination,
      nextHop: 'eniId' in nextHop ? nextHop.eniId : nextHop.instanceId,
      status: state,
    })),
    faults: sources.faults.map(({ id, name, select, effect, hits }) => ({
      id,
      what: [name, JSON.stringify(effect), 'when', JSON.stringify(select)].filter((part) => part).join(' '),
      hits,
    })),
    calls: sources.calls
      .slice(-LAST_CALLS)
      .reverse()
      .map((call) => ({
        time: call.time,
        action: call.action,
        caller: call.node ?? call.address ?? call.key ?? '',
        code: call.code,
        milliseconds: call.milliseconds,
        requestId: call.requestId,
      })),
  }
}

function vSwitchView(sources: PageSources, vSwitch: VSwitch): VSwitchView {
  const { cloud } = sources
  const nodes = cloud.region.nodes.filter((node) => node.vSwitchId === vSwitch.id)
  const loose = cloud.enis().filter((eni) => eni.vSwitchId === vSwitch.id && !('instanceId' in eni.state))
  return {
    id: vSwitch.id,
    zone: vSwitch.zone,
    cidrs: vSwitch.ipv6 === undefined ? [vSwitch.cidr] : [vSwitch.cidr, vSwitch.ipv6.cidr],
    freeIps: cloud.availableIps(vSwitch.id),
    nodes: nodes.map((node) => nodeView(sources, node)),
    loose: loose.map((eni) => eniView(sources, eni)),
  }
}

function nodeView(sources: PageSources, node: Node): NodeView {
  return {
    name: node.name,
    instanceId: node.instanceId,
    instanceType: node.instanceType.id,
    status: node.status,
    enis: sources.cloud.enisOf(node.instanceId).map((eni) => eniView(sources, eni, node)),
  }
}

function eniView({ counters, pods }: PageSources, eni: Eni, node?: Node): EniView {
  const { state } = eni
  const links = node === undefined ? undefined : pods.get(node.name)
  const shown = (address: string): AddressView => ({ address, pod: links?.get(address) })
  const trunk =
    'trunkId' in state && state.trunkId !== undefined ? { id: state.trunkId, vlan: state.deviceIndex } : undefined
  return {
    id: eni.id,
    type: eni.type,
    status: state.status,
    mac: eni.mac,
    vSwitch: node === undefined || node.vSwitchId === eni.vSwitchId ? undefined : eni.vSwitchId,
    trunk,
    securityGroups: eni.securityGroupIds,
    addresses: [...addressesOf(eni), ...eni.ipv6s, ...eni.ipv4Prefixes, ...eni.ipv6Prefixes].map(shown),
    dropped: dropsOf(counters.get(eni.id)),
  }
}

/** `droppedIngress` is shown as `ingress`. */
function dropsOf(counters: LinkCounters | undefined): EniView['dropped'] {
  return Object.entries(counters ?? {}).flatMap(([name, packets]) => {
    const [, reason] = /^dropped(\w+)$/.exec(name) ?? []
    return reason === undefined ? [] : [[reason.toLowerCase(), packets] as const]
  })
}
