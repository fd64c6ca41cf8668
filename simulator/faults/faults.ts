/**
 * The faults there are, and what each call, transition and metadata request gets of them.
 *
 * Chance comes from the region's seed and from what the fault is: it strikes the same of its calls whatever other faults
 * there are, were or will be. Only equal faults must differ: they are numbered, and the numbers of those that were taken
 * back are used again.
 */

import { type Eni, instanceOf } from '../cloud/eni.ts'
import type { Asker, CloudFaults, TransitionFault, TransitionKind } from '../cloud/faults.ts'
import type { EniId, InstanceId, NodeName, VSwitchId } from '../region/ids.ts'
import type { Region, VSwitch } from '../region/region.ts'
import { actionsOf, type Effect, type Fault, type Outcome, type Selector, type StaleList } from './fault.ts'
import { matchesGlob } from './glob.ts'
import { FaultError } from './parse.ts'
import { seededRandom, seedOf } from './random.ts'

/** What a fault can select a call by. */
export interface CallFacts {
  readonly action: string
  readonly node: NodeName | undefined
  readonly key: string
  /** Those the call names. */
  readonly enis: readonly EniId[]
  /** Those the call names, and those of its ENIs. */
  readonly vSwitches: readonly VSwitchId[]
}

/** What becomes of a call. */
export interface Verdict {
  /** Ids of the faults that acted. */
  readonly faults: readonly string[]
  /** Milliseconds. */
  readonly delayBefore: number
  readonly delayAfter: number
  readonly outcome?: Outcome
  readonly lists: readonly StaleList[]
}

/** What is missing in an answer. */
export interface Hidden {
  readonly enis: readonly EniId[]
  /** Ids of the faults that hide them. */
  readonly faults: readonly string[]
}

/** Without a fault. */
export const UNHARMED: Verdict = { faults: [], delayBefore: 0, delayAfter: 0, lists: [] }

/** One line of the log of changes. */
export interface FaultChange {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly fault: string
  readonly change: 'added' | 'removed' | 'acted'
  /** What it acted on: a call, a step of an ENI, a metadata path. */
  readonly on?: string
}

/** A fault as it is shown. */
export interface FaultState {
  readonly id: string
  readonly name?: string
  readonly select: Selector
  readonly effect: unknown
  /** RFC 3339. */
  readonly added: string
  /** Calls, transitions or requests that matched what is selected by name. */
  readonly matched: number
  /** Those among them that it acted on. */
  readonly hits: number
}

export interface FaultsOptions {
  readonly region: Region
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** More would make every call slow. */
const MAX_FAULTS = 1000
/** Changes that are kept; older ones are forgotten. */
const KEPT = 100_000

interface Entry {
  readonly id: string
  readonly fault: Fault
  readonly addedAt: number
  /** What makes it this fault and no other: its JSON, and a number among those with equal ones. */
  readonly nature: string
  readonly random: () => number
  /** Of a throttle: until when each action is throttled. */
  readonly windows: Map<string, number>
  matched: number
  hits: number
  /** How often it began to act; of a throttle, for each action, and it hits many calls each time. */
  readonly acts: Map<string, number>
}

type OfKind<K extends Effect['kind']> = Extract<Effect, { kind: K }>

export class Faults implements CloudFaults {
  readonly #region: Region
  readonly #now: () => number
  readonly #nodes: ReadonlyMap<InstanceId, NodeName>
  readonly #entries = new Map<string, Entry>()
  readonly #changes: FaultChange[] = []
  #sequence = 0

  constructor({ region, now }: FaultsOptions) {
    this.#region = region
    this.#now = now
    this.#nodes = new Map(region.nodes.map((node) => [node.instanceId, node.name]))
  }

  get changes(): readonly FaultChange[] {
    return this.#changes
  }

  get size(): number {
    return this.#entries.size
  }

  /** In the order they were added, which is the order they are asked in. Those that are over stay until removed. */
  list(): readonly FaultState[] {
    return [...this.#entries.values()].map(stateOf)
  }

  /** @throws FaultError when there are too many. */
  add(fault: Fault): FaultState {
    if (this.#entries.size >= MAX_FAULTS) throw new FaultError(`there are ${MAX_FAULTS} faults: remove some first`)
    const id = `fault-${++this.#sequence}`
    const nature = this.#natureOf(fault)
    const random = seededRandom(seedOf(`${this.#region.seed} ${nature}`))
    const counts = { matched: 0, hits: 0, acts: new Map<string, number>() }
    const entry: Entry = { id, fault, addedAt: this.#now(), nature, random, windows: new Map(), ...counts }
    this.#entries.set(id, entry)
    this.#log({ fault: id, change: 'added' })
    return stateOf(entry)
  }

  /** @returns false when there is no such fault. */
  remove(id: string): boolean {
    const removed = this.#entries.delete(id)
    if (removed) this.#log({ fault: id, change: 'removed' })
    return removed
  }

  /** @returns how many there were. */
  removeAll(): number {
    const ids = [...this.#entries.keys()]
    for (const id of ids) this.remove(id)
    return ids.length
  }

  /**
   * Delays add up and wrong lists are combined. Of what ends a call (errors, timeouts, wrong answers) the first fault
   * that acts wins; the later ones count the call as matched and do not act on it.
   */
  onCall(call: CallFacts): Verdict {
    let verdict = UNHARMED
    for (const entry of this.#entries.values()) verdict = this.#judge(entry, call, verdict)
    return verdict
  }

  /**
   * What is left out of an answer that would show these ENIs. A fault that finds nothing to hide is not asked; one that
   * is for no ENI in particular hides one of them.
   */
  onFound(call: CallFacts, found: readonly EniId[]): Hidden {
    const enis: EniId[] = []
    const faults: string[] = []
    for (const [entry] of this.#of('missing')) {
      if (!selects(entry.fault, call)) continue
      const left = found.filter((id) => !enis.includes(id) && !differs(entry.fault.select.eni, id))
      if (left.length === 0 || !this.#acts(entry, call.action)) continue
      const hidden = left[Math.floor(entry.random() * left.length)]
      if (hidden !== undefined) enis.push(hidden)
      faults.push(entry.id)
    }
    return { enis, faults }
  }

  transition(step: TransitionKind, eni: Eni): TransitionFault | undefined {
    const instance = instanceOf(eni)
    const node = instance === undefined ? undefined : this.#nodes.get(instance)
    for (const [entry, effect] of this.#of('transition')) {
      const { select } = entry.fault
      if (effect.step !== step) continue
      if (differs(select.node, node) || differs(select.eni, eni.id) || differs(select.vSwitch, eni.vSwitchId)) continue
      if (this.#acts(entry, `${step} of ${eni.id}`)) return effect.fault
    }
    return undefined
  }

  availableIps(vSwitch: VSwitch, asker: Asker): number | undefined {
    for (const [entry, effect] of this.#of('free-ips')) {
      if (effect.vSwitch !== vSwitch.id || this.#isOver(entry)) continue
      if (asker === 'call') this.#hit(entry, vSwitch.id)
      return effect.availableIps
    }
    return undefined
  }

  /** HTTP status of the answer, or none at all; undefined: as it should be. `path` is below `/latest/`. */
  onMetadata(node: NodeName, path: string): number | 'timeout' | undefined {
    for (const [entry, effect] of this.#of('metadata')) {
      const { select } = entry.fault
      if (differs(select.node, node)) continue
      if (select.path !== undefined && !matchesGlob(select.path, path)) continue
      if (this.#acts(entry, `${path} of ${node}`)) return effect.status
    }
    return undefined
  }

  #judge(entry: Entry, call: CallFacts, verdict: Verdict): Verdict {
    const { effect } = entry.fault
    if (effect.kind === 'throttle') return this.#judgeThrottle(entry, effect, { call, verdict })
    if (!isOnCalls(effect) || !selects(entry.fault, call)) return verdict
    if (effect.kind === 'outcome' && verdict.outcome !== undefined) {
      entry.matched += 1
      return verdict
    }
    if (!this.#acts(entry, call.action)) return verdict
    const faults = [...verdict.faults, entry.id]
    switch (effect.kind) {
      case 'delay':
        return effect.when === 'before'
          ? { ...verdict, faults, delayBefore: verdict.delayBefore + effect.milliseconds }
          : { ...verdict, faults, delayAfter: verdict.delayAfter + effect.milliseconds }
      case 'outcome':
        return { ...verdict, faults, outcome: effect.outcome }
      case 'stale':
        return { ...verdict, faults, lists: [...verdict.lists, staleList(entry.fault, effect)] }
    }
  }

  /** The window is the action's: a call that opens it throttles everybody's, as the account's quota does. */
  #judgeThrottle(
    entry: Entry,
    { milliseconds, code }: OfKind<'throttle'>,
    { call, verdict }: { readonly call: CallFacts; readonly verdict: Verdict },
  ): Verdict {
    const now = this.#now()
    const until = entry.windows.get(call.action) ?? 0
    const open = until > now
    if (!open && !selects(entry.fault, call)) return verdict
    if (verdict.outcome !== undefined) {
      entry.matched += 1
      return verdict
    }
    if (open) this.#hit(entry, call.action)
    else if (this.#acts(entry, call.action, call.action)) entry.windows.set(call.action, now + milliseconds)
    else return verdict
    const outcome: Outcome = {
      kind: 'error',
      code,
      status: 400,
      message: 'Request was denied due to user flow control.',
      retryAfter: (open ? until : now + milliseconds) - now,
    }
    return { ...verdict, faults: [...verdict.faults, entry.id], outcome }
  }

  /** The lowest number that no equal fault has. A name changes nothing. */
  #natureOf({ select, effect }: Fault): string {
    const taken = new Set([...this.#entries.values()].map(({ nature }) => nature))
    const json = JSON.stringify([select, effect])
    for (let ordinal = 0; ; ordinal++) if (!taken.has(`${json} ${ordinal}`)) return `${json} ${ordinal}`
  }

  *#of<K extends Effect['kind']>(kind: K): Generator<readonly [Entry, OfKind<K>]> {
    for (const entry of this.#entries.values()) {
      const { effect } = entry.fault
      if (effect.kind === kind) yield [entry, effect as OfKind<K>]
    }
  }

  /**
   * Counts what matched; true when the fault acts on it.
   * @param of what `times` counts separately
   */
  #acts(entry: Entry, on: string, of = ''): boolean {
    if (this.#isOver(entry)) return false
    entry.matched += 1
    const acts = entry.acts.get(of) ?? 0
    const { nth, after = 0, probability = 1 } = entry.fault.select
    if (nth !== undefined && entry.matched !== nth) return false
    if (entry.matched <= after || acts >= timesOf(entry.fault)) return false
    if (probability < 1 && entry.random() >= probability) return false
    entry.acts.set(of, acts + 1)
    entry.hits += 1
    this.#log({ fault: entry.id, change: 'acted', on })
    return true
  }

  #hit(entry: Entry, on: string): void {
    entry.matched += 1
    entry.hits += 1
    this.#log({ fault: entry.id, change: 'acted', on })
  }

  #isOver({ fault, addedAt }: Entry): boolean {
    return fault.select.for !== undefined && this.#now() >= addedAt + fault.select.for
  }

  #log(change: Omit<FaultChange, 'at'>): void {
    this.#changes.push({ at: this.#now(), ...change })
    if (this.#changes.length > KEPT) this.#changes.splice(0, KEPT / 10)
  }
}

/** A throttle that opens windows again and again would never end; so it opens one an action, unless told otherwise. */
function timesOf({ select, effect }: Fault): number {
  return select.times ?? (effect.kind === 'throttle' ? 1 : Number.POSITIVE_INFINITY)
}

function isOnCalls(effect: Effect): effect is OfKind<'delay' | 'outcome' | 'stale'> {
  return effect.kind === 'delay' || effect.kind === 'outcome' || effect.kind === 'stale'
}

function differs<T>(wanted: T | undefined, found: T | undefined): boolean {
  return wanted !== undefined && wanted !== found
}

/** By what is selected by name; counting comes afterwards. */
function selects({ select, effect }: Fault, call: CallFacts): boolean {
  const { action, node, key, eni, vSwitch } = select
  if (!actionsOf(effect).test(call.action)) return false
  if (action !== undefined && !matchesGlob(action, call.action)) return false
  if (differs(node, call.node) || differs(key, call.key)) return false
  if (vSwitch !== undefined && !call.vSwitches.includes(vSwitch)) return false
  // Of a wrong list the ENI says what is wrong, not for whom.
  return eni === undefined || effect.kind === 'stale' || effect.kind === 'missing' || call.enis.includes(eni)
}

function staleList({ select: { eni } }: Fault, { by }: OfKind<'stale'>): StaleList {
  return eni === undefined ? { by } : { by, eni }
}

function stateOf({ id, fault, addedAt, matched, hits }: Entry): FaultState {
  const { name, select, asked } = fault
  const added = new Date(addedAt).toISOString()
  return { id, ...(name === undefined ? {} : { name }), select, effect: asked, added, matched, hits }
}
