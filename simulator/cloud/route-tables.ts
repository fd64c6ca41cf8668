/**
 * The entries of the VPC's route tables, as the VPC API reference has them (CreateRouteEntry, DeleteRouteEntry and
 * their batches).
 *
 * A change is a task: its entries are Creating or Deleting until the task ends, and the VPC has one task at a time.
 * What a new one meets first decides what it hears:
 *  - an entry that it names is in another task: IncorrectRouteEntryStatus;
 *  - an available entry has its destination: InvalidCIDRBlock.Duplicate;
 *  - another task of the VPC is running: TaskConflict.
 *
 * An entry outlives its next hop: packets that it takes are lost then, as those for an instance that is gone.
 */
import { type Cidr, cidrContains, familyOf, parseCidr, splitCidr } from '../../inet/address.ts'
import type { EniId, InstanceId, RouteEntryId, RouteTableId } from '../region/ids.ts'
import type { Region, RouteTable } from '../region/region.ts'
import type { Eni } from './eni.ts'
import { ApiError } from './error.ts'

export type NextHop = { readonly instanceId: InstanceId } | { readonly eniId: EniId }

export interface NewRoute {
  readonly routeTable: RouteTableId
  readonly destination: Cidr
  readonly nextHop: NextHop
  readonly name: string
  readonly description: string
}

/** A custom entry. It carries packets while it is Available. */
export interface RouteEntry extends NewRoute {
  readonly id: RouteEntryId
  readonly state: 'Creating' | 'Available' | 'Deleting'
  /** Milliseconds since the epoch. */
  readonly changedAt: number
}

/** What every table has from the start: the vSwitches (`local`) and the services of the cloud (`service`). */
export interface SystemRoute {
  readonly id: RouteEntryId
  readonly routeTable: RouteTableId
  readonly destination: Cidr
  readonly nextHopType: 'local' | 'service'
}

/** All that is given must be the entry's. */
export interface RouteSelector {
  readonly id?: RouteEntryId
  readonly routeTable?: RouteTableId
  readonly destination?: Cidr
  readonly nextHopId?: string
}

/** One line of the log of changes. */
export interface RouteChange {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly routeEntry: RouteEntryId
  readonly change: RouteEntry['state'] | 'gone'
  readonly routeTable: RouteTableId
  readonly destination: Cidr
}

/** What became of each item of a batch, in its order. */
export type RouteOutcomes = readonly (RouteEntry | ApiError)[]

/** `dryRun`: everything is checked, and the end is the refusal DryRunOperation. */
export interface RouteCall {
  readonly dryRun: boolean
}

export interface RouteTablesOptions {
  readonly region: Region
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Calls back when a task that begins now has ended. */
  readonly later: (run: () => void) => void
  readonly eni: (id: EniId) => Eni | undefined
}

/** Addresses of the cloud's own services, metadata among them. */
const SERVICES = parseCidr('100.64.0.0/10')
/** Changes that are kept; older ones are forgotten. */
const KEPT = 10_000

export class RouteTables {
  readonly #options: RouteTablesOptions
  readonly #entries = new Map<RouteEntryId, RouteEntry>()
  readonly #changes: RouteChange[] = []
  #sequence = 0
  #version = 0

  constructor(options: RouteTablesOptions) {
    this.#options = options
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version
  }

  get changes(): readonly RouteChange[] {
    return this.#changes
  }

  /** Custom entries of all tables, in the order of their creation. */
  entries(): readonly RouteEntry[] {
    return [...this.#entries.values()]
  }

  /** @throws ApiError InvalidRouteTableId.NotFound */
  table(id: RouteTableId): RouteTable {
    const table = this.#options.region.vpc.routeTables.find((candidate) => candidate.id === id)
    if (table !== undefined) return table
    throw new ApiError('InvalidRouteTableId.NotFound', `The route table ${id} does not exist.`)
  }

  /** @throws ApiError InvalidRouteTableId.NotFound */
  systemRoutes(id: RouteTableId): readonly SystemRoute[] {
    const table = this.table(id)
    const locals = [...this.#options.region.vSwitches.values()].flatMap(({ cidr, ipv6 }) => [cidr, ...cidrOfIpv6(ipv6)])
    return [...locals, SERVICES].map((destination, index) => ({
      id: `rte-system-${table.id.slice('vtb-'.length)}-${String(index).padStart(4, '0')}` as RouteEntryId,
      routeTable: table.id,
      destination,
      nextHopType: destination === SERVICES ? 'service' : 'local',
    }))
  }

  /** @throws ApiError */
  create(route: NewRoute, call: RouteCall): RouteEntry {
    return only(this.createAll([route], call))
  }

  /**
   * Begins to create what can be created and says of the rest why it cannot, in one task.
   * @throws ApiError for a table that does not exist, and TaskConflict; nothing has begun then.
   */
  createAll(routes: readonly NewRoute[], call: RouteCall): RouteOutcomes {
    const planned: RouteEntry[] = []
    const outcomes = routes.map((route) => {
      const refusal = this.#refusal(route, planned)
      if (refusal !== undefined) return refusal
      const number = this.#sequence + planned.length + 1
      const id = `rte-sim${String(number).padStart(8, '0')}` as RouteEntryId
      const entry: RouteEntry = { ...route, id, state: 'Creating', changedAt: this.#options.now() }
      planned.push(entry)
      return entry
    })
    this.#begin(outcomes, planned, call)
    this.#sequence += planned.length
    return outcomes
  }

  /** @throws ApiError */
  remove(selector: RouteSelector, call: RouteCall): RouteEntry {
    return only(this.removeAll([selector], call))
  }

  /** As `createAll`. */
  removeAll(selectors: readonly RouteSelector[], call: RouteCall): RouteOutcomes {
    const planned: RouteEntry[] = []
    const outcomes = selectors.map((selector) => {
      const entry = this.#find(selector)
      if (entry instanceof ApiError) return entry
      if (entry.state !== 'Available' || planned.some(({ id }) => id === entry.id)) return wrongStatus(entry)
      const deleting: RouteEntry = { ...entry, state: 'Deleting', changedAt: this.#options.now() }
      planned.push(deleting)
      return deleting
    })
    this.#begin(outcomes, planned, call)
    return outcomes
  }

  #begin(outcomes: RouteOutcomes, planned: readonly RouteEntry[], { dryRun }: RouteCall): void {
    const running = this.entries().find((entry) => entry.state !== 'Available')
    if (running !== undefined && planned.length > 0) {
      const message = `${running.id} is ${running.state}; a VPC makes one change of its routes at a time.`
      throw new ApiError('TaskConflict', message)
    }
    if (dryRun) {
      const refusal = outcomes.find((outcome) => outcome instanceof ApiError)
      throw refusal ?? new ApiError('DryRunOperation', 'The request is valid; nothing was done, as DryRun asks for.')
    }
    if (planned.length === 0) return
    for (const entry of planned) this.#put(entry)
    this.#options.later(() => {
      for (const entry of planned) this.#finish(entry)
    })
  }

  #finish(entry: RouteEntry): void {
    if (entry.state === 'Creating') {
      this.#put({ ...entry, state: 'Available', changedAt: this.#options.now() })
    } else {
      this.#entries.delete(entry.id)
      this.#log(entry, 'gone')
    }
  }

  #put(entry: RouteEntry): void {
    this.#entries.set(entry.id, entry)
    this.#log(entry, entry.state)
  }

  #log({ id, routeTable, destination }: RouteEntry, change: RouteChange['change']): void {
    this.#version += 1
    this.#changes.push({ at: this.#options.now(), routeEntry: id, change, routeTable, destination })
    if (this.#changes.length > KEPT) this.#changes.splice(0, KEPT / 10)
  }

  /** @throws ApiError for a table that does not exist. */
  #refusal(route: NewRoute, planned: readonly RouteEntry[]): ApiError | undefined {
    this.table(route.routeTable)
    return (
      unroutable(route.destination, this.#options.region) ??
      this.#unusableNextHop(route) ??
      this.#conflict(route, planned)
    )
  }

  #unusableNextHop({ nextHop, destination }: NewRoute): ApiError | undefined {
    if ('instanceId' in nextHop) {
      if (this.#options.region.nodes.some((node) => node.instanceId === nextHop.instanceId)) return undefined
      return new ApiError('InvalidNextHop.NotFound', `The instance ${nextHop.instanceId} is not in the VPC.`)
    }
    const eni = this.#options.eni(nextHop.eniId)
    if (eni === undefined || eni.state.status === 'Deleting') {
      return new ApiError('InvalidNextHop.NotFound', `The ENI ${nextHop.eniId} is not in the VPC.`)
    }
    if (familyOf(destination) === 'ipv4' || eni.type !== 'Primary') return undefined
    const message = `${eni.id} is a primary ENI, which cannot be the next hop of the IPv6 prefix ${destination}.`
    return new ApiError('OperationUnsupported.Ipv6EntryOnPrimaryNetworkInterface', message)
  }

  #conflict({ routeTable, destination }: NewRoute, planned: readonly RouteEntry[]): ApiError | undefined {
    const inTable = [...this.entries(), ...planned].filter((entry) => entry.routeTable === routeTable)
    const same = inTable.find((entry) => entry.destination === destination)
    if (same !== undefined && same.state !== 'Available' && !planned.includes(same)) return wrongStatus(same)
    if (same !== undefined) {
      return new ApiError('InvalidCIDRBlock.Duplicate', `${routeTable} has an entry for ${destination}: ${same.id}.`)
    }
    const { routeEntries: quota } = this.#options.region.quotas
    if (inTable.length < quota) return undefined
    return new ApiError('QuotaExceeded', `${routeTable} has ${inTable.length} custom entries of ${quota}.`)
  }

  #find(selector: RouteSelector): RouteEntry | ApiError {
    if (selector.routeTable !== undefined) this.table(selector.routeTable)
    const entry = this.entries().find((candidate) => isSelected(candidate, nextHopId(candidate.nextHop), selector))
    if (entry !== undefined) return entry
    const { vpc } = this.#options.region
    const system = vpc.routeTables
      .flatMap((table) => this.systemRoutes(table.id))
      .find((candidate) => isSelected(candidate, selector.nextHopId ?? '', selector))
    if (system !== undefined) return new ApiError('OperationDenied', `${system.id} is an entry of the system.`)
    return selector.id === undefined
      ? new ApiError('InvalidRouteEntry.NotFound', `There is no entry for ${selector.destination} with that next hop.`)
      : new ApiError('InvalidRouteEntryId.NotFound', `The route entry ${selector.id} does not exist.`)
  }
}

export function nextHopId(hop: NextHop): InstanceId | EniId {
  return 'instanceId' in hop ? hop.instanceId : hop.eniId
}

function only(outcomes: RouteOutcomes): RouteEntry {
  const [outcome] = outcomes
  if (outcome === undefined) throw new Error('a route call without a route')
  if (outcome instanceof ApiError) throw outcome
  return outcome
}

function wrongStatus({ id, state }: RouteEntry): ApiError {
  return new ApiError('IncorrectRouteEntryStatus', `${id} is ${state}; it must be Available first.`)
}

/** Destinations that no custom entry may have. */
function unroutable(destination: Cidr, region: Region): ApiError | undefined {
  if (familyOf(destination) === 'ipv6' && region.vpc.ipv6Cidr === undefined) {
    return new ApiError('OperationDenied.VpcIpv6NotEnabled', `${region.vpc.id} has no IPv6.`)
  }
  if (isWithin(destination, SERVICES)) {
    return new ApiError('InvalidCidrBlock', `${destination} is inside ${SERVICES}, which is the cloud's own.`)
  }
  for (const { id, cidr, ipv6 } of region.vSwitches.values()) {
    const around = [cidr, ...cidrOfIpv6(ipv6)].find((own) => isWithin(destination, own))
    if (around === undefined) continue
    const ipv4 = familyOf(around) === 'ipv4'
    const code = ipv4 ? 'InvalidCidrBlock' : 'OperationUnsupported.DestinationCidrBlockOverlapWithVSwitch'
    return new ApiError(code, `${destination} is inside ${around} of ${id}.`)
  }
  return undefined
}

function cidrOfIpv6(ipv6: { readonly cidr: Cidr } | undefined): readonly Cidr[] {
  return ipv6 === undefined ? [] : [ipv6.cidr]
}

function isWithin(inner: Cidr, outer: Cidr): boolean {
  const { network, length } = splitCidr(inner)
  return length >= splitCidr(outer).length && cidrContains(outer, network)
}

function isSelected(entry: Pick<RouteEntry, 'id' | 'routeTable' | 'destination'>, hop: string, by: RouteSelector) {
  return (
    (by.id === undefined || by.id === entry.id) &&
    (by.routeTable === undefined || by.routeTable === entry.routeTable) &&
    (by.destination === undefined || by.destination === entry.destination) &&
    (by.nextHopId === undefined || by.nextHopId === hop)
  )
}
