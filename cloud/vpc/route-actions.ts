/**
 * Routes of a VPC. The API takes one change at a time in a VPC and answers before it is made, so changes wait in line
 * here, for each VPC, until the last one has settled.
 */
import { z } from 'zod'
import { type Cidr, familyOf, parseCidr } from '../../inet/address.ts'
import type { Action } from '../actions.ts'
import { ask, callOf, chunksOf, parsed, present } from '../answer.ts'
import type { Clock } from '../clock.ts'
import { CloudError } from '../error.ts'
import { hasCode, unlessGone } from '../gone.ts'
import type { RouteEntryId, RouteTableId, VpcId } from '../ids.ts'
import { listByNumber, listByToken } from '../listing.ts'
import type { CallOptions, Transport } from '../transport.ts'
import type { KeyedQueue } from './keyed-queue.ts'
import { ROUTE_ENTRIES, ROUTE_TABLES, type Route, type RouteEntry, type RouteTable } from './route.ts'

/** The table that a change is made in. */
export interface RouteTarget {
  readonly vpcId: VpcId
  readonly routeTableId: RouteTableId
}

/** What became of one route of a batch; a batch may succeed in parts. */
export interface RouteResult {
  readonly route: Route
  /** Absent: the table is as asked for. */
  readonly error?: CloudError
}

/** All that are given must match. */
export interface DescribeRouteTables {
  readonly vpcId?: VpcId
  readonly routeTableId?: RouteTableId
  readonly type?: 'System' | 'Custom'
}

/** All that are given must match. */
export interface DescribeRouteEntries {
  readonly routeTableId: RouteTableId
  readonly id?: RouteEntryId
  readonly cidr?: Cidr
  readonly type?: 'System' | 'Custom'
}

/**
 * Every function throws CloudError, or the signal's reason. A change returns when the table shows it; a route that is
 * there already with the same next hop counts as created, one that is not there as deleted.
 */
export interface RouteActions {
  describeRouteTables(filter: DescribeRouteTables, options?: CallOptions): Promise<RouteTable[]>
  describeRouteEntries(filter: DescribeRouteEntries, options?: CallOptions): Promise<RouteEntry[]>
  /** One result for each route, in their order. */
  createRouteEntries(target: RouteTarget, routes: readonly Route[], options?: CallOptions): Promise<RouteResult[]>
  /** One result for each route, in their order. */
  deleteRouteEntries(target: RouteTarget, routes: readonly Route[], options?: CallOptions): Promise<RouteResult[]>
  /** The token has at most 64 ASCII characters. */
  createRouteEntry(target: RouteTarget, route: Route, token: string, options?: CallOptions): Promise<RouteEntryId>
  deleteRouteEntry(target: RouteTarget, id: RouteEntryId, options?: CallOptions): Promise<void>
}

/** The line that changes of a VPC's routes wait in. */
export type RouteChanges = KeyedQueue<VpcId>

export function routeActions(transport: Transport, clock: Clock, changes: RouteChanges): RouteActions {
  const change = <T>(
    target: RouteTarget,
    options: CallOptions | undefined,
    make: (table: Table) => Promise<T>,
  ): Promise<T> => changes.run(target.vpcId, () => make({ transport, clock, target, options }), options?.signal)
  return {
    describeRouteTables({ vpcId, routeTableId, type }, options) {
      const query = present({ VpcId: vpcId, RouteTableId: routeTableId, RouteTableType: type })
      return listByNumber(transport, ROUTE_TABLES, query, options)
    },
    describeRouteEntries: (filter, options) => describeRouteEntries(transport, filter, options),
    createRouteEntries: (target, routes, options) =>
      change(target, options, (table) => inBatches(routes, (batch) => createBatch(table, batch))),
    deleteRouteEntries: (target, routes, options) =>
      change(target, options, (table) => inBatches(routes, (batch) => deleteBatch(table, batch))),
    createRouteEntry: (target, route, token, options) =>
      change(target, options, (table) => createOne(table, route, token)),
    deleteRouteEntry: (target, id, options) => change(target, options, (table) => deleteOne(table, id)),
  }
}

/** A route table and how to get at it. */
interface Table {
  readonly transport: Transport
  readonly clock: Clock
  readonly target: RouteTarget
  readonly options: CallOptions | undefined
}

function describeRouteEntries(
  transport: Transport,
  { routeTableId, id, cidr, type }: DescribeRouteEntries,
  options: CallOptions | undefined,
): Promise<RouteEntry[]> {
  const filter = present({ RouteEntryId: id, DestinationCidrBlock: cidr, RouteEntryType: type })
  return listByToken(transport, ROUTE_ENTRIES, { RouteTableId: routeTableId, ...filter }, options)
}

async function inBatches(
  routes: readonly Route[],
  change: (batch: readonly Route[]) => Promise<RouteResult[]>,
): Promise<RouteResult[]> {
  const results: RouteResult[] = []
  for (const batch of chunksOf(routes, MAX_ROUTES)) results.push(...(await change(batch)))
  return results
}

/** Most routes in a call: VPC API reference, CreateRouteEntries and DeleteRouteEntries. */
const MAX_ROUTES = 50

type Failures = ReadonlyMap<Cidr, CloudError>

/** Unlike everywhere else the list is not wrapped. */
const BATCH_ANSWER = z.object({
  FailedRouteEntries: z
    .array(z.object({ DstCidrBlock: parsed(parseCidr), FailedCode: z.string(), FailedMessage: z.string().nullish() }))
    .nullish(),
})

/** @returns why routes were refused, by prefix: a table has each only once. */
async function sendBatch(table: Table, action: Action, items: readonly object[]): Promise<Failures> {
  const RouteEntries = items.map((item) => ({ RouteTableId: table.target.routeTableId, ...item }))
  const answer = await ask(table.transport, callOf('vpc', action, { RouteEntries }), BATCH_ANSWER, table.options)
  const failures = (answer.FailedRouteEntries ?? []).map(({ DstCidrBlock, FailedCode, FailedMessage }) => {
    const message = `the route to ${DstCidrBlock} was refused: ${FailedMessage ?? 'no reason is given'}`
    return [DstCidrBlock, new CloudError(message, { action, code: FailedCode })] as const
  })
  return new Map(failures)
}

const IN_BATCH = { duplicate: 'VPC_ROUTE_ENTRY_CIDR_BLOCK_DUPLICATE', gone: 'VPC_ROUTER_ENTRY_NOT_EXIST' } as const

async function createBatch(table: Table, routes: readonly Route[]): Promise<RouteResult[]> {
  const items = routes.map(({ cidr, nextHop, name, description }) => ({
    ...{ DstCidrBlock: cidr, NextHop: nextHop.id, NextHopType: nextHop.type },
    ...present({ IpVersion: familyOf(cidr) === 'ipv6' ? 6 : undefined, Name: name, Description: description }),
  }))
  const failures = await sendBatch(table, 'CreateRouteEntries', items)
  const refused = routes.filter(({ cidr }) => failures.has(cidr))
  const accepted = routes.filter(({ cidr }) => !failures.has(cidr))
  const duplicates = refused.filter(({ cidr }) => failures.get(cidr)?.code === IN_BATCH.duplicate)
  const entries = await untilTable(table, [...accepted, ...duplicates], {}, (found) => {
    const made = accepted.every((route) => entryOf(found, route)?.status === 'settled')
    return made && duplicates.every((route) => entryOf(found, route)?.status !== 'changing')
  })
  const ours = duplicates.filter((route) => entryOf(entries, route) !== undefined)
  return routes.map((route) => resultOf(route, ours.includes(route) ? undefined : failures.get(route.cidr)))
}

async function deleteBatch(table: Table, routes: readonly Route[]): Promise<RouteResult[]> {
  const items = routes.map(({ cidr, nextHop }) => ({ DstCidrBlock: cidr, NextHop: nextHop.id }))
  const failures = await sendBatch(table, 'DeleteRouteEntries', items)
  const accepted = routes.filter(({ cidr }) => !failures.has(cidr))
  await untilTable(table, accepted, {}, (found) => accepted.every((route) => entryOf(found, route) === undefined))
  return routes.map((route) => {
    const failure = failures.get(route.cidr)
    return resultOf(route, failure?.code === IN_BATCH.gone ? undefined : failure)
  })
}

function resultOf(route: Route, error: CloudError | undefined): RouteResult {
  return { route, ...present({ error }) }
}

function entryOf(entries: readonly RouteEntry[], { cidr, nextHop }: Route): RouteEntry | undefined {
  return entries.find(({ cidr: prefix, nextHopIds }) => prefix === cidr && nextHopIds.join() === nextHop.id)
}

/** VPC error codes of a prefix that the table has already. */
const DUPLICATE = [
  'InvalidCIDRBlock.Duplicate',
  'InvalidRouteEntry.Duplicate',
  'RouterEntryConflict.Duplicated',
  'Duplicated.VpcNextHop',
]
const GONE = ['InvalidRouteEntry.NotFound', 'InvalidRouteEntryId.NotFound']

async function createOne(table: Table, route: Route, token: string): Promise<RouteEntryId> {
  const { cidr, nextHop, name, description } = route
  const query = {
    ...{ RouteTableId: table.target.routeTableId, DestinationCidrBlock: cidr },
    ...{ NextHopId: nextHop.id, NextHopType: nextHop.type },
    ...present({ RouteEntryName: name, Description: description }),
    ClientToken: token,
  }
  let refusal: unknown
  try {
    await table.transport(callOf('vpc', 'CreateRouteEntry', query), table.options)
  } catch (error) {
    if (!hasCode(error, DUPLICATE)) throw error
    refusal = error // unless the one that is there turns out to be the same
  }
  const entries = await untilTable(table, [route], { cidr }, (found) => {
    const status = entryOf(found, route)?.status
    return status === 'settled' || (refusal !== undefined && status === undefined)
  })
  const entry = entryOf(entries, route)
  if (entry === undefined) throw refusal
  return entry.id
}

async function deleteOne(table: Table, id: RouteEntryId): Promise<void> {
  const { transport, options } = table
  await unlessGone(transport(callOf('vpc', 'DeleteRouteEntry', { RouteEntryId: id }), options), GONE)
  await untilTable(table, [id], { id }, (found) => found.length === 0)
}

/** Pauses between two looks at the table, and how long a change may take, ms. */
const FIRST_POLL = 500
const LONGEST_POLL = 3_000
const POLL_FACTOR = 1.6
const CHANGE_TIMEOUT = 60_000

/**
 * Looks at the table until it shows the changes; not at all when there are none.
 * @throws CloudError `Timeout` when it does not in time.
 */
async function untilTable(
  { transport, clock, target, options }: Table,
  changes: readonly unknown[],
  filter: Omit<DescribeRouteEntries, 'routeTableId'>,
  shown: (entries: readonly RouteEntry[]) => boolean,
): Promise<readonly RouteEntry[]> {
  if (changes.length === 0) return []
  const { routeTableId } = target
  const deadline = clock.now() + CHANGE_TIMEOUT
  for (let pause = FIRST_POLL; ; pause = Math.min(LONGEST_POLL, pause * POLL_FACTOR)) {
    await clock.sleep(pause, options?.signal)
    const entries = await describeRouteEntries(transport, { routeTableId, ...filter }, options)
    if (shown(entries)) return entries
    if (clock.now() > deadline) {
      const message = `${routeTableId} does not show the change after ${CHANGE_TIMEOUT / 1000} s`
      throw new CloudError(message, { action: ROUTE_ENTRIES.action, code: 'Timeout' })
    }
  }
}
