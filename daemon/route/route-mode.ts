/**
 * VPC route mode: the node has prefixes of its own, pods have addresses of them, and entries of the VPC's route tables
 * lead them to the instance. No ENI but the node's own is used.
 */
import type { Logger } from 'pino'
import type { RouteTableId } from '../../cloud/ids.ts'
import type { NodeFacts } from '../../cloud/metadata.ts'
import type { Cidr, Family, Ip } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import type { PoolClock } from '../pool/clock.ts'
import type { Conntrack } from '../pool/cool-down.ts'
import type { PoolReports } from '../pool/report/reports.ts'
import { podCidrs } from './pod-cidrs.ts'
import { RouteEntries, type RouteEntriesOptions } from './route-entries.ts'
import { RouteLeases, type RouteLeasesOptions } from './route-leases.ts'
import type { RouteCloud } from './route-look.ts'

export interface RouteModeOptions {
  /** The node's own, as configured or as Kubernetes says. */
  readonly podCidrs: readonly Cidr[]
  /** Those that pods have. */
  readonly families: readonly Family[]
  readonly facts: Pick<NodeFacts, 'instanceId' | 'vpcId' | 'vSwitchId'>
  readonly nodeName: string
  readonly cloud: RouteCloud
  readonly journal: RouteLeasesOptions['journal'] & RouteEntriesOptions['journal']
  readonly conntrack: Conntrack
  /** Addresses that pods' links carry on this node, whatever the journal says. */
  readonly podRoutes: () => ReadonlyMap<Ip, LinkName>
  /** ms between the release of an address and its next use */
  readonly coolDown: number
  /** Custom entries that a route table can have. */
  readonly routeTableLimit: number
  /** All tables that vSwitches of the cluster's nodes use. Undefined: they use the same as this node's vSwitch. */
  readonly routeTables?: readonly RouteTableId[] | undefined
  readonly reports: Pick<PoolReports, 'event'>
  /** With the steady clock's `now`, which the journal's times are of. */
  readonly clock: PoolClock
  readonly log: Logger
}

export interface RouteMode {
  readonly leases: RouteLeases
  /** Sees to the routes of the VPC; resolves when there is no use in waiting any more. Never rejects. */
  start(): Promise<void>
  /** Who waits for an address is turned away. Pods and routes stay. */
  stop(): Promise<void>
  /** In words for the operator. */
  problems(): string[]
}

/** @throws PodCidrError, and what the journal or the reading of the node's routes throws */
export function createRouteMode(options: RouteModeOptions): RouteMode {
  const { routeTableLimit: limit, routeTables: tables, ...shared } = options
  const cidrs = podCidrs(options.podCidrs, options.families)
  const entries = new RouteEntries({ ...shared, cidrs, limit, tables })
  const leases = new RouteLeases({ ...shared, prefixes: cidrs, unreachable: () => entries.unreachable })
  return {
    leases,
    start: () => entries.start(),
    async stop() {
      leases.stop()
      await entries.stop()
    },
    problems: () => entries.problems,
  }
}
