/**
 * The owner of the pool's state. It gives addresses out and takes them back, asks `decide` after every change, journals
 * what was decided and carries it out beside itself. Nobody else changes the state.
 */
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Priority } from '../../cloud/budget/priority.ts'
import type { Ecs } from '../../cloud/ecs.ts'
import type { EniId, InstanceId, SecurityGroupId } from '../../cloud/ids.ts'
import type { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import { familyOf, type Ip, type Ipv4, type Ipv6 } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import { type ActionFacts, changesOf, type EniAction } from './action-changes.ts'
import type { AddressRequest } from './address-request.ts'
import { type Aim, priorOf } from './aim.ts'
import type { Action } from './balance.ts'
import { type Choice, chooseAddresses, isKeptFor, keptAddresses } from './choose-address.ts'
import type { Circumstances } from './circumstances.ts'
import type { PoolClock } from './clock.ts'
import { type Claims, Comparison } from './comparison.ts'
import { type Conntrack, CoolDown, coolsUntil, thawed } from './cool-down.ts'
import { Creations } from './creations.ts'
import { type Decision, decide } from './decide.ts'
import { EffectRunner } from './effect-runner.ts'
import { ANSWER_LAG } from './effects/state-watch.ts'
import type { EniLinks, ReadyEni } from './effects.ts'
import { PoolError } from './error.ts'
import { type Failure, giveUp } from './give-up.ts'
import { DemandHistory } from './history.ts'
import {
  type AddressFacts,
  type AssignToken,
  type Change,
  type EniKey,
  type EniRecord,
  factsOf,
  type Owner,
} from './model.ts'
import { Outlook } from './outlook.ts'
import type { ForeignEni, Reconciliation, Suspicions } from './reconcile.ts'
import { Refusal } from './refusal.ts'
import { eniEvents, failedCall, findingEvent } from './report/eni-events.ts'
import type { PoolEvent } from './report/events.ts'
import { EniCreations } from './report/movements.ts'
import type { PoolReports } from './report/reports.ts'
import { capacityOf, type PoolLimits, PREFIX_SIZE } from './settings.ts'
import { type PoolState, PoolTables } from './tables.ts'
import { tidyChanges } from './tidy.ts'
import { Waiters } from './waiters.ts'

export interface Lease {
  readonly ipv4?: Ipv4
  readonly ipv6?: Ipv6
  readonly eni: ReadyEni
  /** The pod has what it had a moment ago: resolves when the kernel has forgotten what it was used for. */
  readonly forgotten?: Promise<void>
}

export interface Reconciling {
  /** Only tells what it would do. */
  readonly dryRun?: boolean
  /** Also looks for ENIs of ours that are attached nowhere, which is one more call. True unless given. */
  readonly thorough?: boolean
  /** What to take for seen before, instead of what the last comparison has seen. */
  readonly seen?: Suspicions
}

/** Who counts what the pool does. */
export interface PoolWatch {
  /** Before they are made. */
  changes(changes: readonly Change[], before: PoolState): void
  /** A pod has got its address after so many ms. */
  acquired(milliseconds: number): void
}

export interface PoolOptions {
  readonly state: PoolState
  readonly journal: { commitPool(changes: readonly Change[]): void }
  readonly cloud: Ecs
  readonly vSwitches: VSwitches
  readonly links: EniLinks
  readonly conntrack: Conntrack
  /** Looked up at each decision: annotations of the node change them. */
  readonly limits: PoolLimits
  readonly instanceId: InstanceId
  readonly securityGroupIds: readonly SecurityGroupId[]
  /** Tags of the configuration, added to every ENI. */
  readonly tags: Readonly<Record<string, string>>
  readonly claims?: Claims
  /** Whether the node has had as many addresses as it shall have when it is new; done unless given. */
  readonly firstFill?: { isDone(): boolean; done(): void }
  readonly reports?: PoolReports
  readonly watch?: PoolWatch
  /** Tries of an attach before the ENI is given up. */
  readonly attachAttempts?: number
  /** ms between the release of an address and its next use */
  readonly coolDown: number
  /** To be told of when so few addresses or fewer are free. */
  readonly depletedAt?: number | undefined
  /** ms an ENI's link may take to appear; 15 s when absent. */
  readonly linkTimeout?: number
  readonly clock: PoolClock
  readonly log: Logger
  /** 0 ≤ x < 1 */
  readonly random?: () => number
}

/** Pause after the instance refused another ENI, ms; the original waits as long. */
const ENI_LIMIT_PAUSE = 60_000
/** Pause after the cloud did not know who asks, ms: no use in asking for more meanwhile. */
const IDENTITY_PAUSE = 10_000
/** A guest has its link 0 to 3 s after the cloud says InUse; ms. */
const LINK_TIMEOUT = 15_000
/** Pause after a step that failed for a reason of this machine, ms. */
const STUMBLE_PAUSE = 1_000
/** Without anything to do it looks again after this, ms. */
const LONGEST_SLEEP = 60_000
/** A runtime has asked again for a pod by this time, ms: kubelet's back-off is 10 to 15 s. */
const RUNTIME_RETRY = 30_000
/** For this long nobody else is given the address of a pod that shall have it again, ms; the original's IPStickTime. */
export const KEEP_FOR = 300_000

export class Pool {
  readonly #options: PoolOptions
  readonly #tables: PoolTables
  readonly #ready = new Map<EniKey, ReadyEni>()
  readonly #waiters = new Waiters<AddressRequest, Lease>()
  readonly #effects: EffectRunner
  readonly #creations: Creations
  readonly #coolDown: CoolDown
  readonly #history: DemandHistory
  readonly #enisBegun = new EniCreations()
  readonly #assignsBegun = new Map<AssignToken, number>()
  readonly #refusal: Refusal
  readonly #comparison: Comparison
  readonly #outlook: Outlook
  readonly #stop = new AbortController()
  #decision: Decision | undefined
  #started = false
  #wake: { readonly at: number; cancel(): void } | undefined

  constructor(options: PoolOptions) {
    this.#options = options
    const { links, log, clock, linkTimeout = LINK_TIMEOUT } = options
    const { signal } = this.#stop
    const commit = (changes: readonly Change[]) => this.#commit(changes)
    const now = () => clock.now()
    this.#tables = PoolTables.of(options.state)
    this.#refusal = new Refusal(now)
    this.#history = new DemandHistory(priorOf(options.limits), options.random)
    this.#coolDown = new CoolDown({
      ...{ conntrack: options.conntrack, clock, log },
      until: (ip) => coolsUntil(this.#tables.addresses.get(ip)),
      free: (ips) => commit(thawed(this.#tables, ips, now())),
      ended: () => this.#step(),
    })
    this.#creations = new Creations({
      ...{
        vSwitches: options.vSwitches,
        instanceId: options.instanceId,
        clusterId: options.claims?.clusterId,
        now,
        log,
      },
      ...{ tags: options.tags, priority: () => this.#priority(), refusal: this.#refusal, ended: () => this.#step() },
      get securityGroupIds() {
        return options.securityGroupIds
      },
      decided: (eni) => this.#commit([{ kind: 'put-eni', eni }]),
    })
    this.#effects = new EffectRunner({
      context: {
        ...{ state: this.#tables, cloud: options.cloud, links, instanceId: options.instanceId, clock, linkTimeout },
        ...{ signal, commit, priority: () => this.#priority() },
        ready: (key) => this.#ready.get(key),
        setReady: (eni) => void this.#ready.set(eni.key, eni),
        unsetReady: (key) => void this.#ready.delete(key),
      },
      log,
      ended: () => this.#step(),
      ...(options.attachAttempts === undefined ? {} : { attachAttempts: options.attachAttempts }),
      ...(options.random === undefined ? {} : { random: options.random }),
      giveUp: (eni, error, assign) => this.#giveUp({ eni, error, assign, now: now() }),
      refused: (error) => this.#refusal.note(error, IDENTITY_PAUSE),
      failed: (eni, job, error) => this.#tell([failedCall(eni, job, error, now())]),
      grew: () => this.#outlook.grew(),
    })
    this.#comparison = new Comparison({
      ...{
        state: this.#tables,
        cloud: options.cloud,
        vSwitches: options.vSwitches,
        instanceId: options.instanceId,
        now,
      },
      ...{ claims: options.claims ?? {}, kind: () => options.limits.kind },
      saw: (eni, at) => this.#effects.saw(eni, at),
    })
    this.#outlook = new Outlook({
      ...{ refusal: this.#refusal, vSwitches: options.vSwitches, reports: options.reports ?? SILENT, now },
      ...{ failures: () => this.#effects.problems, obstacles: () => this.#effects.obstacles },
      ...{ limits: () => options.limits, isFull: () => this.#decision?.full === true, depletedAt: options.depletedAt },
      foreignEnis: () => this.#foreignEnis,
    })
  }

  get state(): PoolState {
    return this.#tables
  }

  get limits(): PoolLimits {
    return this.#options.limits
  }

  get waiting(): number {
    return this.#waiters.length
  }

  /** What it aims at now; undefined before it has decided for the first time. */
  get aim(): Aim | undefined {
    return this.#decision?.aim
  }

  /** What keeps the pool from growing, in words for the operator. */
  get problems(): string[] {
    return this.#outlook.problems
  }

  /** Something keeps it from growing, and will for more than a moment. */
  get blocked(): boolean {
    return this.#outlook.shortages.length > 0
  }

  /** ENIs of this instance that are not ours. */
  get foreign(): readonly ForeignEni[] {
    return this.#comparison.foreign
  }

  /** Of them, those that take a place of an ENI for pods. */
  get #foreignEnis(): number {
    const isMember = this.limits.kind === 'member'
    return this.foreign.filter(({ type }) => (type === 'Member') === isMember).length
  }

  readyEni(key: EniKey): ReadyEni | undefined {
    return this.#ready.get(key)
  }

  /**
   * A free address of each family, at once when one is warm, otherwise in line.
   * @throws PoolError when there is none to be had, or none before the signal's time-out; its reason when it aborts
   * for another one. What the owner has been given by then is for the caller to release.
   */
  async acquire(request: AddressRequest, signal: AbortSignal): Promise<Lease> {
    const [held] = this.#tables.heldBy(request.owner)
    if (held !== undefined) throw new Error(`${request.owner} already holds ${held.ip}`)
    const asked = this.#options.clock.now()
    this.#history.arrived(asked)
    const taken = this.#take(request, this.#waiters.length === 0 ? chooseAddresses : keptAddresses)
    this.#soon(this.limits.batch.wait)
    const lease = taken ?? (await this.#waiters.join(request, signal).catch((error) => this.#left(request, error)))
    if (lease.forgotten !== undefined) await Promise.race([lease.forgotten, aborted(signal)])
    this.#options.watch?.acquired(this.#options.clock.now() - asked)
    return lease
  }

  /** Who was turned away has been told of, and who goes away by himself lacks nothing. */
  #left(request: AddressRequest, reason: unknown): never {
    if (!isTimeout(reason)) throw reason
    const error = this.#outlook.giveUp()
    this.#outlook.note(request, error)
    this.#soon(0)
    throw error
  }

  /**
   * Takes the owner's addresses back; they are given to nobody before the cool-down has passed, but to the pod itself
   * where it asks for them. Unknown owners are fine.
   * @param keep ms for which the address is nobody else's in any case
   */
  release(owner: Owner, keep = 0): void {
    const { clock, coolDown } = this.#options
    const since = clock.now()
    const until = since + Math.max(coolDown, keep)
    const held = this.#tables.heldBy(owner)
    if (held.length === 0) return
    const changes = held.map((address): Change => {
      const lost = address.phase === 'owned' && address.lost ? { lost: true as const } : {}
      return { kind: 'put-address', address: { ...factsOf(address), since, phase: 'cooling', until, ...lost } }
    })
    this.#commit(changes)
    // Its link was the pod's, and comes back, perhaps under another name.
    for (const { eni } of held) if (this.#tables.enis.get(eni)?.role === 'exclusive') this.#ready.delete(eni)
    void this.#coolDown.began(held.map(({ ip }) => ip))
    this.#soon(this.limits.batch.wait)
  }

  /**
   * Compares the journal with the cloud and takes over what it says. Run before anything is served, and again by time.
   * Where an answer lacks what pods have or could be given, it looks again as soon as a newer one is to be expected.
   * @throws CloudError when the cloud cannot be asked: nothing has changed then, or only what the first look has shown.
   */
  async reconcile(podRoutes: ReadonlyMap<Ip, LinkName>, how: Reconciling = {}): Promise<Reconciliation> {
    const first = await this.#compare(podRoutes, how)
    if (how.dryRun === true || first.doubted.size === 0) return first
    // Pods have what is doubted, or wait for it: the next comparison is minutes away.
    await this.#options.clock.sleep(ANSWER_LAG, this.#stop.signal)
    const second = await this.#compare(podRoutes, { thorough: false })
    const settled = first.findings.filter(({ kind }) => kind !== 'suspected' && kind !== 'foreign')
    return { ...second, findings: [...settled, ...second.findings] }
  }

  async #compare(podRoutes: ReadonlyMap<Ip, LinkName>, how: Reconciling): Promise<Reconciliation> {
    const { dryRun = false, thorough = true, ...rest } = how
    const { log } = this.#options
    const result = await this.#comparison.run({ podRoutes, dryRun, thorough, ...rest })
    if (dryRun || this.#stop.signal.aborted) return result
    for (const { level, fields, message, repeated } of result.findings) if (!repeated) log[level](fields, message)
    this.#commit(result.changes)
    this.#tell(result.findings.map((finding) => findingEvent(finding, this.#options.clock.now())))
    for (const id of result.strays) void this.#deleteStray(id)
    for (const key of [...this.#ready.keys()]) this.#lookAtReady(key)
    this.#soon(0)
    return result
  }

  /** One that is not on the node is ready for nobody; one with more than before is brought up with that. */
  #lookAtReady(key: EniKey): void {
    const [record, ready] = [this.#tables.enis.get(key), this.#ready.get(key)]
    if (!isOnNode(record)) this.#putOutOfUse(key)
    else if (ready !== undefined && record?.cidr6 !== ready.cidr6) this.#bringUpAnew(ready)
  }

  /** With it those that go through its link. */
  #bringUpAnew({ ifindex }: ReadyEni): void {
    for (const [key, eni] of this.#ready) if (eni.ifindex === ifindex) this.#ready.delete(key)
  }

  /** What could not be made whole; the next comparison names it again if it stays. */
  async #deleteStray(id: EniId): Promise<void> {
    try {
      await this.#options.cloud.deleteEni(id, { signal: this.#stop.signal, priority: 'clean-up' })
    } catch (err) {
      if (!this.#stop.signal.aborted)
        this.#options.log.warn({ err, eni: id }, 'cannot delete an ENI that was left behind')
    }
  }

  /** Nothing is given from it any more; what the node has of it is taken away, as far as it is still there. */
  #putOutOfUse(key: EniKey): void {
    const { links, log } = this.#options
    const eni = this.#ready.get(key)
    this.#ready.delete(key)
    // One that has become somebody else's carries their packets, or still those of pods.
    if (eni === undefined || this.foreign.some(({ id }) => id === eni.id)) return
    void links.clear(eni).catch((err: unknown) => log.warn({ err, eni: eni.id }, 'cannot clear the routes of an ENI'))
  }

  /** Makes the ENIs that are in use ready for pods, as far as their links are there. */
  async bringUp(): Promise<void> {
    const records = [...this.#tables.enis.values()].filter(({ phase }) => phase === 'in-use' || phase === 'draining')
    await Promise.all(records.map((eni) => this.#effects.start(eni.key)))
  }

  /** Starts to act: unfinished effects are taken up again and the pool fills to its watermark. */
  start(): void {
    if (!this.#started) {
      this.#started = true
      // The runtime is about to ask again for the pods whose ADD the last daemon did not finish.
      this.#history.holdOn(this.#options.clock.now(), RUNTIME_RETRY)
    }
    this.#step()
  }

  /** Whoever was to use the ENI's link has not found it: it is looked for, and until then nothing is given from it. */
  distrust(id: EniId): void {
    for (const eni of this.#ready.values()) if (eni.id === id) this.#bringUpAnew(eni)
    this.#soon(0)
  }

  /** The limits are others than before. */
  reconsider(): void {
    this.#soon(0)
  }

  /** Ends when no effect runs any more; what is unfinished stays in the journal. */
  async stop(): Promise<void> {
    this.#stop.abort(new PoolError('cancelled', 'terwayd is stopping', 'the runtime repeats the call'))
    this.#wake?.cancel()
    this.#waiters.turnAway(this.#waiters.length, () => new PoolError('cancelled', 'terwayd is stopping', 'try again'))
    await this.#effects.settled()
  }

  /** Of calls that bring addresses. */
  #priority(): Priority {
    return this.#waiters.length > 0 ? 'pod' : 'prewarm'
  }

  /** What must never happen is refused before it is recorded. @throws IllegalTransition, or what the journal throws */
  #commit(changes: readonly Change[]): void {
    if (changes.length === 0) return
    this.#tables.check(changes)
    this.#options.journal.commitPool(changes)
    // What is not recorded has not happened; what has is counted against what was before.
    this.#options.watch?.changes(changes, this.#tables)
    this.#noteLead(changes)
    const events = eniEvents(changes, this.#tables, this.#options.clock.now())
    this.#tables.apply(changes)
    this.#tell(events)
  }

  #tell(events: readonly (PoolEvent | undefined)[]): void {
    for (const event of events) if (event !== undefined) this.#options.reports?.event(event)
  }

  /** How long the cloud takes, by what has come of what this process has asked for. */
  #noteLead(changes: readonly Change[]): void {
    const now = this.#options.clock.now()
    const brings = changes.some(({ kind }) => kind === 'put-address')
    for (const change of changes) {
      if (change.kind !== 'drop-assign') continue
      const begun = this.#assignsBegun.get(change.token)
      this.#assignsBegun.delete(change.token)
      if (begun !== undefined && brings) this.#history.led(now, now - begun)
    }
    for (const milliseconds of this.#enisBegun.note(changes)) this.#history.led(now, milliseconds)
  }

  #take(request: AddressRequest, choose: typeof chooseAddresses = chooseAddresses): Lease | undefined {
    const { clock, limits } = this.#options
    const avoid = this.#comparison.doubted
    const choice = choose({ state: this.#tables, limits, ready: this.#ready, avoid }, request)
    const eni = choice?.[0] === undefined ? undefined : this.#ready.get(choice[0].eni)
    if (choice === undefined || eni === undefined) return undefined
    const since = clock.now()
    const pod = podOf(request)
    const cooled = choice.flatMap(({ ip }) => (this.#tables.cooling.has(ip) ? [ip] : []))
    this.#commit(
      choice.map(({ ip, eni: key, primary, prefix }): Change => {
        const facts = { ip, eni: key, primary, since, ...(prefix === undefined ? {} : { prefix }), ...pod }
        return { kind: 'put-address', address: { ...facts, phase: 'owned', owner: request.owner } }
      }),
    )
    this.#history.given(since)
    const lease = { ...addressesIn(choice), eni }
    return cooled.length === 0 ? lease : { ...lease, forgotten: this.#coolDown.cutShort(cooled) }
  }

  /** Decides once for all that happens until then, so that a burst is one decision. An earlier moment stands. */
  #soon(milliseconds: number): void {
    this.#wakeAt(this.#options.clock.now() + milliseconds)
  }

  #wakeAt(at: number): void {
    const { clock } = this.#options
    if (this.#wake !== undefined && this.#wake.at <= at) return
    this.#wake?.cancel()
    const cancel = clock.after(Math.max(0, at - clock.now()), () => {
      this.#wake = undefined
      this.#step()
    })
    this.#wake = { at, cancel }
  }

  /** Must not throw: it runs at the end of effects and of timers, where nobody could catch it. */
  #step(): void {
    if (!this.#started || this.#stop.signal.aborted) return
    try {
      this.#advance()
    } catch (err) {
      this.#options.log.error({ err }, 'the pool cannot go on, its journal may be full; it tries again')
      this.#soon(STUMBLE_PAUSE)
    }
  }

  #advance(): void {
    this.#wake?.cancel()
    this.#wake = undefined
    const now = this.#options.clock.now()
    this.#tidy(now)
    this.#probe(now)
    for (const key of [...this.#tables.enis.keys()]) void this.#effects.start(key)
    this.#serve()
    const decision = this.#decide(now)
    this.#decision = decision
    for (const action of decision.actions) this.#carryOut(action)
    this.#remember(decision, now)
    this.#serve()
    if (decision.hopeless > 0 && this.#creations.choosing === 0) {
      this.#turnAway(Math.min(decision.hopeless, this.#waiters.length))
    }
    const look = this.#outlook.look({ waiting: this.#waiters.length, free: decision.free })
    this.#sleep([decision.wakeAt, look], now)
  }

  #decide(now: number): Decision {
    const { limits } = this.#options
    return decide({
      ...{ state: this.#tables, limits, circumstances: this.#circumstances(), now },
      demand: { waiting: this.#waiters.length, past: this.#history.view(now, limits), firstFillDone: this.#isFilled() },
    })
  }

  #isFilled(): boolean {
    const { firstFill, limits } = this.#options
    if (firstFill === undefined || firstFill.isDone()) return true
    const [family = 'ipv4'] = limits.families
    const tallies = [...this.#tables.enis.keys()].map((key) => this.#tables.tally(key, family))
    const had = tallies.reduce((sum, { warm, owned, cooling }) => sum + warm + owned + cooling, 0)
    if (had >= Math.min(limits.firstFill, capacityOf(limits))) firstFill.done()
    return firstFill.isDone()
  }

  #remember({ actions, free, warmed, reclaimed }: Decision, now: number): void {
    const { idle, warmUp } = this.#options.limits
    this.#history.watch(now, free, idle)
    this.#history.warmed(now, warmed, warmUp)
    if (actions.some(({ kind }) => kind === 'unassign' || kind === 'release-eni')) this.#history.shrunk(now)
    if (idle !== undefined && reclaimed > 0) this.#history.reclaimed(now, reclaimed, idle)
  }

  #tidy(now: number): void {
    const { coolDown } = this.#options
    this.#commit(tidyChanges({ state: this.#tables, latest: now + Math.max(coolDown, KEEP_FOR) }))
    this.#effects.tidy()
  }

  /** A full vSwitch is used again when a look at it finds addresses. */
  #probe(now: number): void {
    const { vSwitches } = this.#options
    if (vSwitches.nextTry === undefined || vSwitches.nextTry > now) return
    void vSwitches.probe().then(() => this.#soon(0))
  }

  #circumstances(): Circumstances {
    const { vSwitches } = this.#options
    return {
      busyEnis: this.#effects.busy,
      failedEnis: this.#effects.failed,
      stumblingEnis: this.#effects.stumbling,
      // What nobody waits for may take its time: another ENI would be one too many.
      slowEnis: this.#waiters.length > 0 ? this.#effects.slow : new Set(),
      readyEnis: new Set(this.#ready.keys()),
      heldBack: this.#coolDown.held,
      emptyVSwitches: vSwitches.empty,
      noNewEni: this.#refusal.until !== undefined || this.#creations.choosing > 0 || vSwitches.allEmpty,
      foreignEnis: this.#foreignEnis,
    }
  }

  #serve(): void {
    this.#waiters.serveWhere((request) => this.#take(request, keptAddresses))
    for (;;) {
      const first = this.#waiters.first()
      const lease = first === undefined ? undefined : this.#take(first.request)
      if (lease === undefined) return
      this.#waiters.serve(lease)
    }
  }

  #turnAway(count: number): void {
    const error = this.#outlook.refuse()
    const may = (request: AddressRequest) => !isKeptFor(this.#tables, request)
    for (const request of this.#waiters.turnAway(count, () => this.#outlook.refuse(), may)) {
      this.#outlook.note(request, error)
    }
  }

  /** A look too many is nothing; a clock that was set back must not make it sleep for hours. */
  #sleep(decided: readonly (number | undefined)[], now: number): void {
    const times = [...decided, this.#effects.nextTry, this.#refusal.until, this.#options.vSwitches.nextTry]
    const future = times.filter((time) => time !== undefined && time > now) as number[]
    this.#wakeAt(Math.min(now + LONGEST_SLEEP, ...future.map((time) => time + 1)))
  }

  #carryOut(action: Action): void {
    const since = this.#options.clock.now()
    switch (action.kind) {
      case 'create-eni':
        void this.#creations.begin({ role: action.role, pods: action.pods, limits: this.#options.limits })
        return
      case 'assign': {
        const count = this.#toBeHad(action)
        const token = randomUUID() as AssignToken
        this.#assignsBegun.set(token, since)
        this.#record(action, { since, token, count })
        this.#noteTaken(action.eni, { what: action.what, count })
        return
      }
      case 'unassign':
      case 'drain-eni':
      case 'keep-eni':
      case 'release-eni':
        this.#record(action, { since })
        return
      case 'end-cooling':
        this.#coolDown.end(action.ips)
        return
    }
  }

  /** The intent first; what it calls for follows. */
  #record(action: EniAction, facts: ActionFacts): void {
    this.#commit(changesOf(action, this.#tables, facts))
    void this.#effects.start(action.eni)
  }

  /** The cloud gives all that is asked for or nothing, so no more is than the vSwitch has, as far as that is known. */
  #toBeHad({ eni: key, what, count }: Extract<Action, { readonly kind: 'assign' }>): number {
    const eni = this.#tables.enis.get(key)
    const left = eni === undefined ? undefined : this.#options.vSwitches.left(eni.vSwitchId)
    if (left === undefined || !what.startsWith('ipv4')) return count
    const most = what === 'ipv4' ? left : Math.floor(left / PREFIX_SIZE)
    return most > 0 ? Math.min(count, most) : count
  }

  #noteTaken(key: EniKey, { what, count }: { what: string; count: number }): void {
    const eni = this.#tables.enis.get(key)
    if (eni === undefined || !what.startsWith('ipv4')) return
    this.#options.vSwitches.take(eni.vSwitchId, what === 'ipv4' ? count : count * PREFIX_SIZE)
  }

  #giveUp(failure: Failure): void {
    const { vSwitches } = this.#options
    const { changes, isEmpty, isGeneral } = giveUp(failure)
    if (isEmpty) vSwitches.setAside(failure.eni.vSwitchId)
    this.#commit(changes)
    const blocks = isGeneral || (failure.eni.phase === 'creating' && vSwitches.allEmpty)
    if (blocks) this.#refusal.note(failure.error, ENI_LIMIT_PAUSE)
  }
}

/** What `AbortSignal.timeout` aborts with. */
function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

/** Nobody listens. */
const SILENT: PoolReports = { event: () => undefined, condition: () => undefined }

/** Rejects with the signal's reason. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function isOnNode(eni: EniRecord | undefined): boolean {
  return eni?.phase === 'in-use' || eni?.phase === 'draining'
}

function podOf({ pod, podUid }: Pick<AddressRequest, 'pod' | 'podUid'>): Pick<AddressFacts, 'pod' | 'podUid'> {
  return { ...(pod === undefined ? {} : { pod }), ...(podUid === undefined ? {} : { podUid }) }
}

function addressesIn(choice: Choice): { ipv4?: Ipv4; ipv6?: Ipv6 } {
  const ipv4 = choice.find(({ ip }) => familyOf(ip) === 'ipv4')?.ip as Ipv4 | undefined
  const ipv6 = choice.find(({ ip }) => familyOf(ip) === 'ipv6')?.ip as Ipv6 | undefined
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) }
}
