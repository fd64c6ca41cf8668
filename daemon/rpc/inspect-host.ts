/** What pods rest on: the node's objects beside the kernel, its settings, what the kernel can do and how full it is. */
import { release } from 'node:os'
import type { LinkName } from '../../inet/link-name.ts'
import { listNeighbourTables, type NeighbourTable } from '../../netlink/neighbour-tables.ts'
import type { NetnsRef } from '../../netlink/netns.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { supportsLinkKind, supportsNftables } from '../../netlink/probe.ts'
import { NetlinkSocket } from '../../netlink/socket.ts'
import { describeKey, readSysctls } from '../../netlink/sysctl.ts'
import type { Feature } from '../../proto/generated/terway/inspect/v1/Feature.ts'
import type { HostInspection } from '../../proto/generated/terway/inspect/v1/HostInspection.ts'
import type { PlanInspection } from '../../proto/generated/terway/inspect/v1/PlanInspection.ts'
import type { Setting } from '../../proto/generated/terway/inspect/v1/Setting.ts'
import type { Table } from '../../proto/generated/terway/inspect/v1/Table.ts'
import type { Kind } from '../config/mode.ts'
import type { HostFacts } from '../datapath/attachment.ts'
import { type PodContext, podKey } from '../pod/context.ts'
import { plannedObject, readPlannedSysctls, withSysctl } from './planned-objects.ts'
import { connectionTable, neighbourTable } from './tables.ts'

export interface InspectedHost {
  readonly nodeName: string
  readonly version: string
  /** What pods get. */
  readonly mode: Kind
  readonly pods: Pick<PodContext, 'host' | 'enis' | 'links' | 'kernel' | 'endpoints'>
  /** The node's namespace; the one the thread is in when absent. */
  readonly netns?: NetnsRef
}

type OwnedPlan = readonly [owner: string, plan: NetworkPlan]

/** Types of links that datapaths make, the last one to hold back what a pod sends. */
const LINK_KINDS = ['veth', 'ipvlan', 'vlan', 'ifb'] as const

/** @throws NetlinkError, SysctlError, SystemCallError, NetnsError */
export function inspectHost({ nodeName, version, mode, pods, netns }: InspectedHost): HostInspection {
  const { host, enis, links, endpoints } = pods
  const plans = enis.plans()
  return {
    ...{ name: nodeName, version, kernel: release(), mode, policyRoute: host.policyRoute },
    ...{ families: [...host.families], serviceCidrs: [...host.serviceCidrs], podCidrs: [...host.podCidrs] },
    ...{ primaryLink: host.primaryLink, addresses: Object.values(host.addresses) },
    features: readFeatures(netns),
    plans: inspectPlans(pods, plans, netns),
    settings: readSettings(settingKeys(host, plans), netns),
    tables: readTables(netns),
    pods: new Set(endpoints.all().map(podKey)).size,
    marks: links.marks().size,
    rules: links.rules().length,
  }
}

function inspectPlans(
  { kernel }: InspectedHost['pods'],
  plans: readonly OwnedPlan[],
  netns: NetnsRef | undefined,
): PlanInspection[] {
  const compared = kernel.compareAll(plans.map(([, plan]) => plan))
  return plans.map(([owner, plan], at) => {
    const sysctls = readPlannedSysctls(plan, netns)
    const objects = (compared[at] ?? []).map((comparison) => withSysctl(plannedObject(comparison), sysctls))
    return { owner, link: linkOf(plan) ?? '', objects }
  })
}

/** Of an ENI. */
function linkOf({ links }: NetworkPlan): LinkName | undefined {
  return links.find(({ kind }) => kind === 'existing')?.name
}

const ipv4 = (...key: string[]) => ['net', 'ipv4', ...key]
const ipv6 = (...key: string[]) => ['net', 'ipv6', ...key]

/**
 * What decides whether packets of pods pass the node, and is not wanted in any one way. Of `rp_filter` the larger of a
 * link's and that of `all` counts (ip-sysctl.rst).
 */
export function settingKeys({ primaryLink }: Pick<HostFacts, 'primaryLink'>, plans: readonly OwnedPlan[]): string[][] {
  const eniLinks = plans.flatMap(([, plan]) => linkOf(plan) ?? [])
  const filtering = ['all', primaryLink, ...eniLinks].map((link) => ipv4('conf', link, 'rp_filter'))
  const forwarding = [ipv4('ip_forward'), ipv6('conf', 'all', 'forwarding')]
  const enabled = ['all', 'default', primaryLink].map((link) => ipv6('conf', link, 'disable_ipv6'))
  const keys = [...forwarding, ...filtering, ...enabled, ipv6('conf', primaryLink, 'accept_ra')]
  const planned = new Set(plans.flatMap(([, { sysctls }]) => sysctls.map(({ key }) => describeKey(key))))
  return keys.filter((key) => !planned.has(describeKey(key)))
}

function readSettings(keys: readonly (readonly string[])[], netns: NetnsRef | undefined): Setting[] {
  const values = readSysctls(netns, keys)
  return keys.map((key, at) => ({ key: describeKey(key), value: values[at] ?? '' }))
}

/** Asking makes the kernel load the modules that it has. */
function readFeatures(netns: NetnsRef | undefined): Feature[] {
  const where = netns === undefined ? {} : { netns }
  const links = LINK_KINDS.map((kind) => ({ name: kind, present: supportsLinkKind(kind, where) }))
  return [...links, { name: 'nf_tables', present: supportsNftables(where) }]
}

function readTables(netns: NetnsRef | undefined): Table[] {
  const keys = ['nf_conntrack_count', 'nf_conntrack_max'].map((name) => ['net', 'netfilter', name])
  const [count, max] = readSysctls(netns, keys)
  const connections = count === undefined || max === undefined ? [] : [connectionTable(Number(count), Number(max))]
  return [...connections, ...readNeighbourTables(netns).map(neighbourTable)]
}

function readNeighbourTables(netns: NetnsRef | undefined): NeighbourTable[] {
  using socket = NetlinkSocket.open(netns === undefined ? {} : { netns })
  return listNeighbourTables(socket)
}
