/** One look at the route tables of the VPC, and what is put right there: entries that are missing, and those of the dead. */
import type { Logger } from 'pino'
import type { Cloud } from '../../cloud/cloud.ts'
import { type CloudError, isCloudError } from '../../cloud/error.ts'
import { type InstanceId, parseCloudId, type RouteTableId } from '../../cloud/ids.ts'
import type { NodeFacts } from '../../cloud/metadata.ts'
import type { RouteEntry } from '../../cloud/vpc/route.ts'
import type { RouteTarget } from '../../cloud/vpc/route-actions.ts'
import type { Cidr } from '../../inet/address.ts'
import { type Shortage, shortageOf } from '../pool/report/exhaustion.ts'
import { entryName, filling, planRoutes, taken } from './route-plan.ts'

export type RouteCloud = Pick<
  Cloud,
  'describeRouteTables' | 'describeRouteEntries' | 'createRouteEntries' | 'deleteRouteEntry' | 'describeInstances'
>

export interface RouteSight {
  readonly cloud: RouteCloud
  readonly facts: Pick<NodeFacts, 'instanceId' | 'vpcId' | 'vSwitchId'>
  readonly nodeName: string
  /** Prefixes of this node's pods. */
  readonly cidrs: readonly Cidr[]
  /** All tables that vSwitches of the cluster's nodes use. Undefined: they use the same as this node's vSwitch. */
  readonly tables?: readonly RouteTableId[] | undefined
  /** Custom entries that a table can have. */
  readonly limit: number
  readonly log: Logger
}

export interface Look {
  /** All prefixes, by all tables. */
  readonly leadsHere: boolean
  /** Of entries that have been made now. */
  readonly made: readonly Cidr[]
  readonly problems: readonly Shortage[]
  /** Nothing is wrong yet. */
  readonly warnings: readonly Shortage[]
  /** Something may work a moment later. */
  readonly isTransient: boolean
}

/** @throws CloudError when the cloud cannot be asked, or the signal's reason */
export async function lookAtRoutes(sight: RouteSight, signal: AbortSignal): Promise<Look> {
  const looks: Look[] = []
  for (const routeTableId of await tablesOf(sight, signal)) {
    looks.push(await lookAt(sight, { vpcId: sight.facts.vpcId, routeTableId }, signal))
  }
  return {
    leadsHere: looks.every(({ leadsHere }) => leadsHere),
    made: looks.flatMap(({ made }) => made),
    problems: looks.flatMap(({ problems }) => problems),
    warnings: looks.flatMap(({ warnings }) => warnings),
    isTransient: looks.some(({ isTransient }) => isTransient),
  }
}

/** A vSwitch that is in no custom table uses the system table. */
async function tablesOf({ cloud, facts, tables }: RouteSight, signal: AbortSignal): Promise<readonly RouteTableId[]> {
  if (tables !== undefined) return tables
  const all = await cloud.describeRouteTables({ vpcId: facts.vpcId }, { signal })
  const own = all.find(({ vSwitchIds }) => vSwitchIds.includes(facts.vSwitchId))
  const table = own ?? all.find(({ type }) => type === 'System')
  if (table === undefined) throw new Error(`the cloud lists no route table of ${facts.vpcId} for ${facts.vSwitchId}`)
  return [table.id]
}

async function lookAt(sight: RouteSight, target: RouteTarget, signal: AbortSignal): Promise<Look> {
  const { cloud, cidrs, facts, limit } = sight
  const table = target.routeTableId
  const entries = await cloud.describeRouteEntries({ routeTableId: table }, { signal })
  const plan = planRoutes({ table, entries, cidrs, limit, instanceId: facts.instanceId })
  const former = await removeFormer(sight, { target, former: plan.former, signal })
  const { made, errors } = await create(sight, { target, cidrs: [...plan.create, ...former.removed], signal })
  const refused = errors.map((error) => shortageOf({ kind: 'refused', error }))
  const problems = [...plan.problems, ...former.problems, ...refused]
  const used = plan.used + made.length - former.removed.length
  const isFull = problems.some(({ resource }) => resource === 'quota')
  return {
    ...{ leadsHere: plan.there.length + made.length === cidrs.length, made, problems },
    warnings: isFull ? [] : filling(table, { used, limit }),
    isTransient: plan.changing.length > 0 || errors.some((error) => isCloudError(error, 'transient', 'throttled')),
  }
}

interface Creation {
  readonly target: RouteTarget
  readonly cidrs: readonly Cidr[]
  readonly signal: AbortSignal
}

/** The client waits in line for the changes of others in the VPC, and until the entries carry packets. */
async function create({ cloud, facts, nodeName }: RouteSight, { target, cidrs, signal }: Creation) {
  if (cidrs.length === 0) return { made: [], errors: [] }
  const routes = cidrs.map((cidr) => ({
    ...{ cidr, nextHop: { type: 'Instance' as const, id: facts.instanceId } },
    ...{ name: entryName(nodeName), description: `pods of node ${nodeName}`.slice(0, LONGEST_DESCRIPTION) },
  }))
  const results = await cloud.createRouteEntries(target, routes, { signal })
  return {
    made: results.flatMap(({ route, error }) => (error === undefined ? [route.cidr] : [])),
    errors: results.flatMap(({ error }): CloudError[] => (error === undefined ? [] : [error])),
  }
}

/** VPC API reference, CreateRouteEntry. */
const LONGEST_DESCRIPTION = 256

interface Removal {
  readonly target: RouteTarget
  readonly former: readonly RouteEntry[]
  readonly signal: AbortSignal
}

/** Packets to an instance that does not exist are lost, so nobody needs its entry. Those of others are never touched. */
async function removeFormer(sight: RouteSight, { target, former, signal }: Removal) {
  const exists = former.length === 0 ? () => true : await instancesThatExist(sight, former, signal)
  const [alive, gone] = [former.filter(exists), former.filter((entry) => !exists(entry))]
  for (const { id, cidr, nextHopIds } of gone) {
    await sight.cloud.deleteRouteEntry(target, id, { signal })
    sight.log.warn({ entry: id, cidr, instance: nextHopIds[0] }, 'removed a route to an instance that does not exist')
  }
  return {
    removed: gone.map(({ cidr }) => cidr),
    problems: alive.map((entry) => taken(target.routeTableId, entry)),
  }
}

/**
 * An identity that may not ask gets an empty list instead of an error, so a list that does not even name this instance
 * says nothing of the others.
 */
async function instancesThatExist({ cloud, facts }: RouteSight, entries: readonly RouteEntry[], signal: AbortSignal) {
  const ids = entries.flatMap(({ nextHopIds }) => nextHopIds.map((id) => parseCloudId<InstanceId>(id)))
  const listed = await cloud.describeInstances({ ids: [facts.instanceId, ...ids] }, { signal })
  const known = new Set<string>(listed.map(({ id }) => id))
  return ({ nextHopIds }: RouteEntry) => !known.has(facts.instanceId) || nextHopIds.some((id) => known.has(id))
}
