/**
 * Waits for the states of ENIs. All that are waited for are looked at in one call, when the first of them is due: a call
 * takes up to 100 ENIs, so ten that are attached together cost no more calls than one.
 */
import type { Priority } from '../../../cloud/budget/priority.ts'
import type { CloudEni, Ecs } from '../../../cloud/ecs.ts'
import type { EniId, InstanceId } from '../../../cloud/ids.ts'
import type { PoolClock } from '../clock.ts'
import { EniStateError } from './context.ts'
import { Latency, nextPoll, type Pace, type Window } from './latency.ts'

export interface StateWatchOptions {
  readonly cloud: Pick<Ecs, 'describeEnis'>
  readonly instanceId: InstanceId
  readonly clock: PoolClock
  readonly signal: AbortSignal
  /** Of what pods may wait for. */
  readonly priority: () => Priority
}

export type WaitKind = 'attach' | 'attach-member' | 'detach' | 'detach-member' | 'delete'

interface Expectation {
  readonly wanted: 'InUse' | 'Available' | 'gone'
  /** No source has measured times; these are the simulator's, from the waits of Terway's Go client. */
  readonly guess: Window
}

const EXPECTED: Readonly<Record<WaitKind, Expectation>> = {
  attach: { wanted: 'InUse', guess: { from: 2_000, to: 4_000 } },
  'attach-member': { wanted: 'InUse', guess: { from: 1_000, to: 2_000 } },
  detach: { wanted: 'Available', guess: { from: 2_000, to: 4_000 } },
  'detach-member': { wanted: 'Available', guess: { from: 1_000, to: 2_000 } },
  delete: { wanted: 'gone', guess: { from: 1_000, to: 2_000 } },
}

/** Adds half of it to a wait on average, ms. */
const DENSE = 100
const URGENT: Pace = { before: 1_000, within: DENSE }
const UNHURRIED: Pace = { before: Number.POSITIVE_INFINITY, within: 1_000 }
/** After a sign that the state has been reached it is looked at densely for so long, ms. */
const SIGN_WINDOW = 500

/** What takes longer than this is asked for again, ms. */
const STATE_TIMEOUT = 60_000
/** A description may be as old as this, ms, and show the ENI as it was before the request. */
export const ANSWER_LAG = 3_000
/** What an earlier answer said holds for so long, if nothing has been asked for since; ms. */
const RECENT = 2_000

interface Wait {
  readonly id: EniId
  readonly kind: WaitKind
  /** When the request was answered, and when to look next; ms since the epoch. */
  readonly since: number
  due: number
  window: Window
  /** There was a sign, ahead of any description, that the state is reached. */
  signed: boolean
  /** A description has shown the ENI on its way. */
  begun: boolean
  /** Looks in a row that showed it neither there nor on its way. */
  strays: number
  readonly end: (eni: CloudEni | undefined) => void
  readonly fail: (error: unknown) => void
}

export class StateWatch {
  readonly #options: StateWatchOptions
  readonly #learned: Readonly<Record<WaitKind, Latency>>
  readonly #waits = new Set<Wait>()
  readonly #recent = new Map<EniId, { readonly eni: CloudEni; readonly at: number }>()
  #disarm: () => void = () => undefined
  #looking = false

  constructor(options: StateWatchOptions) {
    this.#options = options
    const latency = (kind: WaitKind) => new Latency(EXPECTED[kind].guess)
    this.#learned = {
      ...{ attach: latency('attach'), 'attach-member': latency('attach-member') },
      ...{ detach: latency('detach'), 'detach-member': latency('detach-member'), delete: latency('delete') },
    }
    const { signal } = options
    signal.addEventListener('abort', () => this.#failAll([...this.#waits], signal.reason), { once: true })
  }

  /**
   * Waits for the state that a request of this kind, just answered, leads to.
   * @returns the ENI as it is then; undefined when it is gone
   * @throws EniStateError when it does not get there; CloudError; the signal's reason
   */
  async until(id: EniId, kind: WaitKind): Promise<CloudEni | undefined> {
    this.#options.signal.throwIfAborted()
    this.#recent.delete(id)
    const { promise, resolve, reject } = Promise.withResolvers<CloudEni | undefined>()
    const since = this.#options.clock.now()
    const { window } = this.#learned[kind]
    const wait: Wait = {
      ...{ id, kind, since, due: since, signed: false, begun: false, strays: 0, end: resolve, fail: reject },
      // The guest's link is the sign; descriptions are for when it does not come.
      window: kind === 'attach' ? { from: window.to, to: window.to } : window,
    }
    this.#schedule(wait, since)
    this.#waits.add(wait)
    this.#arm()
    return await promise
  }

  /** Something else than a description tells that the ENI is where it should be: it is looked at now. */
  sign(id: EniId): void {
    const now = this.#options.clock.now()
    for (const wait of this.#waits) {
      if (wait.id !== id || wait.signed) continue
      wait.signed = true
      wait.due = now
      wait.window = { from: now - wait.since, to: now - wait.since + SIGN_WINDOW }
    }
    this.#arm()
  }

  /** An answer has described the ENI, now unless it was at another time, ms since the epoch. */
  saw(eni: CloudEni, at = this.#options.clock.now()): void {
    this.#recent.set(eni.id, { eni, at })
  }

  /**
   * The ENI as it was described a moment ago. It is told once: what is asked for then may change it.
   * @param since ms since the epoch; what was described before says nothing, for somebody has seen something newer
   */
  takeRecent(id: EniId, since: number): CloudEni | undefined {
    const recent = this.#recent.get(id)
    this.#recent.delete(id)
    const at = recent?.at ?? 0
    const age = this.#options.clock.now() - at
    return age >= 0 && age <= RECENT && at >= since ? recent?.eni : undefined
  }

  #schedule(wait: Wait, now: number): void {
    wait.due = now + nextPoll(now - wait.since, wait.window, this.#paceOf(wait))
  }

  #paceOf({ kind, signed }: Wait): Pace {
    if (signed || kind === 'attach-member') return URGENT
    if (kind === 'attach') return UNHURRIED
    // Nobody waits for what is given back, unless its place is needed.
    return this.#options.priority() === 'pod' ? URGENT : UNHURRIED
  }

  #arm(): void {
    this.#disarm()
    if (this.#looking || this.#waits.size === 0) return
    const pause = Math.min(...[...this.#waits].map(({ due }) => due)) - this.#options.clock.now()
    this.#disarm = this.#options.clock.after(Math.max(0, pause), () => void this.#look())
  }

  /** Never rejects: what fails, fails for those who wait. */
  async #look(): Promise<void> {
    const waits = [...this.#waits]
    const asked = this.#options.clock.now()
    this.#looking = true
    try {
      const ids = [...new Set(waits.map(({ id }) => id))]
      const enis = await this.#options.cloud.describeEnis({ ids }, this.#callOptions(waits))
      const found = new Map(enis.map((eni) => [eni.id, eni]))
      for (const wait of waits) this.#judge(wait, found.get(wait.id), asked)
    } catch (error) {
      this.#failAll(waits, error)
    } finally {
      this.#looking = false
      this.#arm()
    }
  }

  #callOptions(waits: readonly Wait[]) {
    const { signal, priority } = this.#options
    const isGrowing = waits.some(({ kind }) => EXPECTED[kind].wanted === 'InUse')
    return { signal, priority: isGrowing ? priority : ('clean-up' as const) }
  }

  #judge(wait: Wait, eni: CloudEni | undefined, asked: number): void {
    this.#schedule(wait, asked)
    note(wait, eni, this.#options.instanceId)
    const elapsed = asked - wait.since
    if (isReached(wait, eni, this.#options.instanceId)) {
      this.#learned[wait.kind].add(elapsed)
      if (eni !== undefined) this.saw(eni)
      this.#waits.delete(wait)
      wait.end(eni)
      return
    }
    const problem = problemOf(wait, eni?.status ?? 'gone', elapsed)
    if (problem !== undefined) this.#failAll([wait], new EniStateError(`${wait.id} ${problem}`))
  }

  #failAll(waits: readonly Wait[], error: unknown): void {
    for (const wait of waits) {
      this.#waits.delete(wait)
      wait.fail(error)
    }
  }
}

function note(wait: Wait, eni: CloudEni | undefined, here: InstanceId): void {
  if (eni?.status === 'Attaching') wait.begun = true
  const elsewhere = eni?.status === 'InUse' && !isOn(eni, here)
  const stray =
    eni === undefined || (EXPECTED[wait.kind].wanted === 'InUse' && (eni.status === 'Available' || elsewhere))
  wait.strays = stray ? wait.strays + 1 : 0
}

function isReached({ kind, strays }: Wait, eni: CloudEni | undefined, here: InstanceId): boolean {
  switch (EXPECTED[kind].wanted) {
    case 'InUse':
      return eni?.status === 'InUse' && isOn(eni, here)
    case 'Available':
      // A listing may lack one by mistake, but not twice; what is gone is on no instance.
      return eni?.status === 'Available' || strays > 1
    case 'gone':
      return eni === undefined
  }
}

export function isOn({ instanceId }: CloudEni, here: InstanceId): boolean {
  return instanceId === undefined || instanceId === here
}

function problemOf({ kind, strays, begun }: Wait, status: CloudEni['status'] | 'gone', elapsed: number) {
  const { wanted } = EXPECTED[kind]
  // Once may be an old description, or an incomplete listing.
  if (wanted === 'InUse' && strays > 1 && (begun || elapsed > ANSWER_LAG)) {
    return `is ${status} although it was attached: the attach failed in the cloud`
  }
  if (elapsed > STATE_TIMEOUT) return `is still ${status} after ${STATE_TIMEOUT / 1000} s, ${wanted} was asked for`
  return undefined
}
