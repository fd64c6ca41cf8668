/** What a plan asks of traffic control. */
import { Attempts } from './attempts.ts'
import { addFilter, deleteFilter, type Filter, filterDeviation } from './filter.ts'
import { FilterMemory } from './filter-memory.ts'
import type {
  ClsactSpec,
  DeviceRef,
  FilterAction,
  FilterSpec,
  NetworkPlan,
  PlanNetns,
  PrioSpec,
  QdiscSpec,
} from './plan.ts'
import { asPlanError, PlanError, refused } from './plan-error.ts'
import { execute, type Step } from './plan-requests.ts'
import { addQdisc, deleteQdisc, describeFoundQdisc, describeQdisc, listQdiscs, type Qdisc } from './qdisc.ts'
import { ensurePrio, prioDeviation, prioHandles } from './qdisc-prio.ts'
import type { NetlinkSocket } from './socket.ts'
import { TC_H_CLSACT } from './tc-message.ts'
import { isAbsent } from './tc-support.ts'

/** Kernel modules by what they bring. */
const QDISC_MODULES = { tbf: ['sch_tbf'], clsact: ['sch_ingress'], prio: ['sch_prio', 'sch_mq'] } as const
const ACTION_MODULES: Readonly<Record<FilterAction['kind'], string>> = {
  redirect: 'act_mirred',
  'vlan-push': 'act_vlan',
  'vlan-pop': 'act_vlan',
  'packet-to-host': 'act_skbedit',
  'unset-tunnel-key': 'act_tunnel_key',
}

function filterModules({ actions }: FilterSpec): string[] {
  return ['cls_u32', ...actions.map(({ kind }) => ACTION_MODULES[kind])]
}

/** One namespace's side of a plan whose devices are resolved. */
interface Side {
  readonly netns: PlanNetns
  readonly socket: NetlinkSocket
  readonly where: string
  /** What is known of the devices that other plans are on too. */
  readonly memory: FilterMemory
}

const isHere =
  ({ netns }: Pick<Side, 'netns'>) =>
  ({ device }: { readonly device: DeviceRef }) =>
    device.netns === netns

/** Where a filter goes on its device; `parent`: which of its prio qdiscs. */
function placeOf({ device }: FilterSpec, parent?: number) {
  const indexOf = ({ ifindex }: DeviceRef) => ifindex
  return { ifindex: device.ifindex, indexOf, ...(parent === undefined ? {} : { parent }) }
}

/** The qdiscs of a device. */
type QdiscsOf = (ifindex: number) => readonly Qdisc[]

type FilterPlaces = readonly ReturnType<typeof placeOf>[]

/** A filter to classes goes on every prio qdisc of its device; the others have one place. */
export function placesOf(spec: FilterSpec, qdiscs: QdiscsOf): FilterPlaces {
  if (spec.direction !== 'classes') return [placeOf(spec)]
  return prioHandles(qdiscs(spec.device.ifindex)).map((handle) => placeOf(spec, handle))
}

interface Application extends Side {
  /** Devices that have no filters yet, which need not be looked at. */
  readonly isFresh: (device: DeviceRef) => boolean
}

/**
 * Makes the qdiscs and filters. Where a qdisc cannot be made nothing is hung on the device, the others get theirs.
 * @throws PlanError, NetlinkError for the first that failed.
 */
export function applyTc(plan: NetworkPlan, side: Application): void {
  try {
    applyOnce(plan, side)
  } catch (error) {
    // What was remembered may no longer be so: the second time everything is looked up.
    if (!side.memory.forget()) throw error
    applyOnce(plan, side)
  }
}

function applyOnce(plan: NetworkPlan, side: Application): void {
  const attempts = new Attempts()
  const without = new Set<number>()
  const knowing = knowledge(plan, side)
  for (const spec of plan.qdiscs.filter(isHere(side))) {
    attempts.run(() => {
      without.add(spec.device.ifindex)
      makeQdisc(spec, { ...side, memory: knowing(spec.device) })
      without.delete(spec.device.ifindex)
    })
  }
  const filters = plan.filters.filter(isHere(side)).filter(({ device }) => !without.has(device.ifindex))
  if (filters.length > 0) attempts.run(() => addFilters(filters, knowing, side))
  attempts.rethrow()
}

/** @throws PlanError, NetlinkError */
function makeQdisc(spec: QdiscSpec, { socket, where, memory }: Side): void {
  const modules = QDISC_MODULES[spec.kind]
  if (spec.kind === 'prio') asPlanError({ where, modules }, () => makePrio(spec, { socket, where, memory }))
  else if (spec.kind === 'tbf') execute(socket, where, [{ request: addQdisc(spec, spec.device.ifindex), modules }])
  else makeClsact(spec, { socket, where })
}

/** An ingress qdisc in its place would take filters for the way out too, and have packets pass them on the way in. */
function makeClsact(spec: ClsactSpec, { socket, where }: Pick<Side, 'socket' | 'where'>): void {
  const { ifindex } = spec.device
  const [ack] = socket.request([addQdisc(spec, ifindex)])
  if (ack?.error === undefined) return
  const other = listQdiscs(socket, { ifindex }).find(({ parent, kind }) => parent === TC_H_CLSACT && kind !== spec.kind)
  throw other === undefined ? refused(where, ack.error, QDISC_MODULES.clsact) : qdiscTaken(spec, other, where)
}

function makePrio(spec: PrioSpec, { socket, where, memory }: Omit<Side, 'netns'>): void {
  const { ifindex } = spec.device
  if (prioDeviation(memory.qdiscs(ifindex)) === undefined) return
  const other = ensurePrio(socket, ifindex)
  memory.forgetQdiscs(ifindex)
  if (other !== undefined) throw qdiscTaken(spec, other, where)
}

function qdiscTaken(spec: QdiscSpec, other: Qdisc, where: string): PlanError {
  // A queue of an mq that has lost its qdisc drops what comes: its root goes, and the kernel puts its own in the place.
  const place = other.parent === TC_H_CLSACT ? 'ingress' : 'root'
  const reason =
    `${describeFoundQdisc(other)} is there, which Terway did not make and leaves alone; ` +
    `when nobody needs it: tc qdisc delete dev ${spec.device.name} ${place}`
  return new PlanError({ code: 'qdisc-taken', where, request: `add qdisc ${describeQdisc(spec)}`, reason })
}

/** What is known of which device. */
type Knowledge = (device: DeviceRef) => FilterMemory

/** Devices that the plan makes hold its own filters alone: those are listed, and not kept in mind. */
function knowledge(plan: NetworkPlan, { socket, memory, netns }: Side): Knowledge {
  const own = new Set(
    plan.links.filter((link) => link.kind !== 'existing' && link.netns === 'host').map(({ ifindex }) => ifindex),
  )
  const once = new FilterMemory(socket)
  return ({ ifindex }) => (netns === 'host' && !own.has(ifindex) ? memory : once)
}

/** The kernel would add an equal filter a second time, so it is looked for. */
function addFilters(filters: readonly FilterSpec[], knowing: Knowledge, side: Application): void {
  const { socket, where, isFresh } = side
  const steps = asPlanError({ where }, () =>
    filters.flatMap((spec) => {
      const memory = knowing(spec.device)
      const places = placesOf(spec, (ifindex) => memory.qdiscs(ifindex))
      if (!isFresh(spec.device)) return places.flatMap((place) => filterSteps(spec, place, memory))
      return places.map((place) => ({ request: addFilter(spec, place), modules: filterModules(spec) }))
    }),
  )
  execute(socket, where, steps)
}

/** Behind others of the same match, which go then: the first that matches decides, so none is ever missing. */
function filterSteps(spec: FilterSpec, place: FilterPlaces[number], memory: FilterMemory): Step[] {
  const found = memory.find(spec, place)
  const remove = (filter: Filter) => removal(filter, memory)
  if (filterDeviation(spec, place, found) === undefined) return found.slice(1).map(remove)
  const add: Step = {
    request: addFilter(spec, place, { echo: true }),
    modules: filterModules(spec),
    done: (told) => memory.added(spec, place, told),
  }
  return [add, ...found.map(remove)]
}

function removal(found: Filter, memory: FilterMemory): Step {
  return { request: deleteFilter(found), accept: isAbsent, done: () => memory.removed(found) }
}

/**
 * Takes away what is on devices that stay: shaping and our own filters. Their clsact and prio are left, filters of
 * others may hang on them.
 * @throws NetlinkError
 */
export function tcRemovalSteps(
  plan: NetworkPlan,
  { stays, ...side }: Side & { readonly stays: (device: DeviceRef) => boolean },
): Step[] {
  const here = (spec: FilterSpec | QdiscSpec) => isHere(side)(spec) && stays(spec.device)
  const knowing = knowledge(plan, side)
  const tbfs = plan.qdiscs.filter((spec) => spec.kind === 'tbf').filter(here)
  const filters = plan.filters.filter(here).flatMap((spec) => {
    const memory = knowing(spec.device)
    return placesOf(spec, (ifindex) => memory.qdiscs(ifindex)).flatMap((place) => {
      return memory.find(spec, place).map((filter) => removal(filter, memory))
    })
  })
  return [...filters, ...tbfs.map((spec) => ({ request: deleteQdisc(spec, spec.device.ifindex), accept: isAbsent }))]
}
