/**
 * Metrics of the pool. Gauges are worked out from the pool's state whenever they are asked for, so that nothing can
 * drift; counters count what was recorded.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Family } from '../../inet/address.ts'
import type { Change, EniRecord, EniRole } from '../pool/model.ts'
import type { EventLog, EventReason } from '../pool/report/events.ts'
import { EniCreations, movementsOf } from '../pool/report/movements.ts'
import { type Places, placesOf } from '../pool/report/places.ts'
import type { NodeCondition } from '../pool/report/sufficiency.ts'
import type { PoolLimits } from '../pool/settings.ts'
import type { PoolState, Tally } from '../pool/tables.ts'

export interface PoolView {
  readonly state: PoolState
  readonly limits: PoolLimits
  /** ADDs that wait for an address. */
  readonly waiting: number
  /** Something keeps it from growing. */
  readonly blocked: boolean
}

export interface PoolSources {
  /** Name of the node. */
  readonly node: string
  /** Undefined until there is one. */
  readonly pool: () => PoolView | undefined
  readonly reports: { readonly events: EventLog; readonly current: NodeCondition | undefined }
  /** Connections forgotten since the start. */
  readonly forgotten: () => number
}

const GARBAGE = ['eni', 'address', 'prefix', 'endpoint'] as const
/** What the collector of garbage gives back or forgets. */
export type Garbage = (typeof GARBAGE)[number]

export interface PoolMetrics {
  /** ms that an ADD waited for the address it got; 0 when it had one at once. */
  observeAcquire(milliseconds: number): void
  /** @param before the state that the changes have not been applied to yet */
  observeChanges(changes: readonly Change[], before: PoolState): void
  observeGarbage(what: Garbage, count: number): void
}

/** Upper bounds in ms: from an address at once to the deadline of a CNI call. */
const WAITS = [1, 10, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000]
/** Upper bounds in ms: an ENI takes some 4.5 s, and the users' alert is at 5 s. */
const CREATIONS = [1_000, 2_000, 3_000, 4_000, 5_000, 7_500, 10_000, 15_000, 30_000, 60_000, 120_000]

export function createPoolMetrics(registry: Registry, sources: PoolSources): PoolMetrics {
  gaugesOfPlaces(registry, sources)
  gaugesOfResources(registry, sources)
  gaugesOfEnis(registry, sources)
  const outputs = new Outputs(registry, sources)
  return {
    observeAcquire: (milliseconds) => outputs.wait.observe(milliseconds),
    observeChanges: (changes, before) => outputs.count(changes, before),
    observeGarbage: (what, count) => outputs.garbage.inc({ what }, count),
  }
}

type Series = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[]

interface GaugeOptions {
  readonly name: string
  readonly help: string
  readonly labelNames?: readonly string[]
  /** Not asked while there is no pool. */
  readonly read: (pool: PoolView) => Series
}

function gauge(registry: Registry, { pool }: PoolSources, { name, help, labelNames = [], read }: GaugeOptions): void {
  new Gauge({
    ...{ name, help, labelNames, registers: [registry] },
    collect() {
      this.reset()
      // A gauge without labels begins with 0, and nothing is known.
      if (labelNames.length === 0) this.remove()
      const view = pool()
      for (const [labels, value] of view === undefined ? [] : read(view)) this.set({ ...labels }, value)
    },
  })
}

/**
 * Counted against what the node may have: a pool that sizes itself has few free addresses at any time, and an alert on
 * them would never be silent. What the cloud does not give at present is not available, nor what cools down.
 */
function gaugesOfPlaces(registry: Registry, sources: PoolSources): void {
  const { node, reports } = sources
  const isShort = () => reports.current?.status === 'False'
  const place = (name: string, help: string, value: (places: Places, pool: PoolView) => number) => {
    const read = (pool: PoolView): Series => [[{ node }, value(placesOf(pool.state, pool.limits), pool)]]
    gauge(registry, sources, { name: `terway_ip_pool_${name}`, help, labelNames: ['node'], read })
  }
  place('total', 'Capacity: pods that this node can have addresses for in all', ({ total }) => total)
  place('allocated', 'Pods that have their address', ({ allocated }) => allocated)
  place(
    'available',
    'Pods that can be given an address still: at once, or as far as the pool can grow',
    (places, { blocked }) => (isShort() || blocked ? places.ready : places.total - places.allocated - places.cooling),
  )
  place('utilization', 'Share of terway_ip_pool_total that is allocated, in percent', ({ allocated, total }) =>
    total === 0 ? 0 : (100 * allocated) / total,
  )
  gauge(registry, sources, {
    ...{ name: 'terway_ip_allocated_total', help: 'Pods that have their address, as terway_ip_pool_allocated' },
    read: ({ state, limits }) => [[{}, placesOf(state, limits).allocated]],
  })
  gauge(registry, sources, {
    ...{ name: 'terway_ip_pool_waiting', help: 'ADDs that wait for an address now' },
    read: ({ waiting }) => [[{}, waiting]],
  })
  gauge(registry, sources, {
    ...{ name: 'terway_pool_exhausted', help: '1 while pods are turned away for want of an address (SufficientIP)' },
    read: () => [[{}, isShort() ? 1 : 0]],
  })
}

/** The original's names for what the pool gives: of ENIs of the node itself, or of members of its trunk. */
function typeOf(role: EniRole): 'LocalIP' | 'RemoteIP' {
  return role === 'member' ? 'RemoteIP' : 'LocalIP'
}

const PHASES = ['warm', 'owned', 'cooling', 'unassigning', 'lost'] as const satisfies readonly (keyof Tally)[]

/** Of every ENI whatever its phase; the trunk has none for pods. */
function sumOf({ state }: PoolView, family: Family): Tally {
  const sum = { warm: 0, owned: 0, cooling: 0, unassigning: 0, lost: 0 }
  for (const { key, role } of state.enis.values()) {
    if (role === 'trunk') continue
    const tally = state.tally(key, family)
    for (const phase of PHASES) sum[phase] += tally[phase]
  }
  return sum
}

function gaugesOfResources(registry: Registry, sources: PoolSources): void {
  gauge(registry, sources, {
    ...{ name: 'terway_ip_pool_addresses', help: 'Addresses by phase; lost: owned by a pod, no longer assigned' },
    labelNames: ['phase', 'family'],
    read: (pool) =>
      pool.limits.families.flatMap((family) => {
        const { owned, lost, ...others } = sumOf(pool, family)
        const phases = { ...others, owned: owned - lost, lost }
        return PHASES.map((phase) => [{ phase, family }, phases[phase]] as const)
      }),
  })
  const resource = (name: string, help: string, value: (tally: Tally) => number) => {
    const read = (pool: PoolView): Series =>
      pool.limits.families.map((ipStack) => [{ type: typeOf(pool.limits.kind), ipStack }, value(sumOf(pool, ipStack))])
    gauge(registry, sources, { name: `terway_resource_pool_${name}`, help, labelNames: ['type', 'ipStack'], read })
  }
  const all = ({ warm, owned, lost, cooling, unassigning }: Tally) => warm + owned - lost + cooling + unassigning
  resource('total_count', 'Addresses that the cloud has assigned to the pool', all)
  resource('idle_count', 'Addresses that can be given to a pod at once', ({ warm }) => warm)
}

function gaugesOfEnis(registry: Registry, sources: PoolSources): void {
  const own = ({ state, limits }: PoolView) => [...state.enis.values()].filter(({ role }) => role === limits.kind)
  const isAttached = ({ phase }: EniRecord) => phase === 'in-use' || phase === 'draining'
  gauge(registry, sources, {
    ...{ name: 'terway_eni_count', help: 'ENIs by role and phase', labelNames: ['role', 'phase'] },
    read: ({ state }) => countBy([...state.enis.values()].map(({ role, phase }) => ({ role, phase }))),
  })
  gauge(registry, sources, {
    ...{ name: 'terway_eni_total', help: 'ENIs that this node may have for pods' },
    read: ({ limits }) => [[{}, limits.maxEnis]],
  })
  gauge(registry, sources, {
    ...{ name: 'terway_eni_allocated_total', help: 'ENIs for pods that this node has, or is about to have' },
    read: (pool) => [[{}, own(pool).filter(({ phase }) => phase !== 'lost').length]],
  })
  gauge(registry, sources, {
    ...{ name: 'terway_eni_attached', help: 'ENIs for pods that are attached' },
    read: (pool) => [[{}, own(pool).filter(isAttached).length]],
  })
  gauge(registry, sources, {
    ...{ name: 'terway_eni_ip_count', help: 'Addresses of an ENI beside its primary one', labelNames: ['eni'] },
    read: ({ state }) =>
      [...state.enis.values()].flatMap((eni) =>
        eni.phase === 'creating' ? [] : [[{ eni: eni.id }, secondaryIps(state, eni)] as const],
      ),
  })
}

function countBy(all: readonly Readonly<Record<string, string>>[]): Series {
  const groups = Map.groupBy(all, (labels) => JSON.stringify(labels))
  return [...groups.values()].map((group) => [group[0] ?? {}, group.length])
}

function secondaryIps(state: PoolState, { key }: EniRecord): number {
  return [...state.addressesOf(key)].filter(({ primary }) => !primary).length
}

/** What happens in the pool, counted as it is recorded. */
class Outputs {
  readonly wait: Histogram
  readonly garbage: Counter<'what'>
  readonly #given: Counter<'type'>
  readonly #disposed: Counter<'type' | 'ipStack'>
  readonly #creation: Histogram
  readonly #creations = new EniCreations()

  constructor(registry: Registry, { reports, forgotten }: PoolSources) {
    const registers = [registry]
    this.wait = new Histogram({
      ...{
        name: 'terway_pool_acquire_wait_ms',
        help: 'Wait of ADDs for the address they got',
        buckets: WAITS,
        registers,
      },
    })
    this.garbage = new Counter({
      ...{ name: 'terway_pool_gc_released_total', help: 'What belonged to nobody and was given back or forgotten' },
      ...{ labelNames: ['what'], registers },
    })
    // A series that begins with its first count has no rate at that moment.
    for (const what of GARBAGE) this.garbage.inc({ what }, 0)
    this.#given = new Counter({
      ...{
        name: 'terway_resource_pool_allocated_count',
        help: 'Addresses given to pods',
        labelNames: ['type'],
        registers,
      },
    })
    this.#disposed = new Counter({
      ...{ name: 'terway_resource_pool_disposed_count', help: 'Addresses that have left the pool' },
      ...{ labelNames: ['type', 'ipStack'], registers },
    })
    this.#creation = new Histogram({
      ...{ name: 'terway_eni_create_latency', help: 'Time from the intent to have an ENI to its first use, ms' },
      ...{ buckets: CREATIONS, registers },
    })
    new Counter({
      ...{ name: 'terway_pool_events_total', help: 'Events of the pool by reason', labelNames: ['reason'], registers },
      collect() {
        this.reset()
        for (const [reason, count] of reports.events.totals) this.inc({ reason }, count)
      },
    })
    const errors = (what: string, help: string, reasons: readonly EventReason[]) =>
      new Counter({
        ...{ name: `terway_${what}_allocation_errors_total`, help, registers },
        collect() {
          this.reset()
          this.inc(reasons.reduce((sum, reason) => sum + (reports.events.totals.get(reason) ?? 0), 0))
        },
      })
    errors('ip', 'Pods that got no address, and calls for addresses that failed', ['AllocIPFailed'])
    errors('eni', 'Creations and attachments of ENIs that failed, each try', ['CreateENIFailed', 'AttachENIFailed'])
    new Counter({
      ...{ name: 'terway_conntrack_forgotten_total', help: 'Connections of addresses ended before their next use' },
      registers,
      collect() {
        this.reset()
        this.inc(forgotten())
      },
    })
  }

  count(changes: readonly Change[], before: PoolState): void {
    for (const { kind, family, role } of movementsOf(changes, before)) {
      const type = typeOf(role)
      if (kind === 'given') this.#given.inc({ type })
      else this.#disposed.inc({ type, ipStack: family })
    }
    for (const milliseconds of this.#creations.note(changes)) this.#creation.observe(milliseconds)
  }
}
