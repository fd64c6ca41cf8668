/**
 * The owner of the pool's state. It gives addresses out and takes them back, asks `decide` after every change, journals
 * what was decided and carries it out beside itself. Nobody else changes the state.
 */
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Priority } from '../../cloud/budget/priority.ts'
import type { Ecs } from '../../cloud/ecs.ts'
import { CloudError } from '../../cloud/error.ts'
import type { InstanceId, SecurityGroupId, VSwitchId } from '../../cloud/ids.ts'
import type { VSwitches } from '../../cloud/vswitch/vswitches.ts'
import type { Ipv4 } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import { chooseAddress } from './choose-address.ts'
import { type Action, decide, type PoolLimits } from './decide.ts'
import { EffectRunner } from './effect-runner.ts'
import type { EniLinks, ReadyEni } from './effects.ts'
import { noAddress, PoolError } from './error.ts'
import {
  type AssignToken,
  assignsOf,
  type Change,
  type CreatingEni,
  type EniKey,
  type EniRecord,
  type Owner,
  type PoolState,
  PoolTables,
} from './model.ts'
import { CREATOR_TAG, INTENT_TAG, NO_SUSPICIONS, NODE_TAG, reconcile, type Suspicions } from './reconcile.ts'
import { tidyChanges } from './tidy.ts'
import { Waiters } from './waiters.ts'

export interface Lease {
  readonly ip: Ipv4
  readonly eni: ReadyEni
}

export interface PoolOptions {
  readonly state: PoolState
  readonly journal: { commitPool(changes: readonly Change[]): void }
  readonly cloud: Ecs
  readonly vSwitches: VSwitches
  readonly links: EniLinks
  readonly limits: PoolLimits
  readonly instanceId: InstanceId
  readonly securityGroupIds: readonly SecurityGroupId[]
  /** Tags of the configuration, added to every ENI. */
  readonly tags: Readonly<Record<string, string>>
  /** ms between the release of an address and its next use */
  readonly coolDown: number
  /** ms an ENI's link may take to appear; 15 s when absent. */
  readonly linkTimeout?: number
  readonly now: () => number
  readonly log: Logger
}

/** Pause after the instance refused another ENI, ms; the original waits as long. */
const ENI_LIMIT_PAUSE = 60_000
/** Pause after a refusal that only an operator can lift, ms. */
const REFUSAL_PAUSE = 60_000

/** Pause after the cloud did not know who asks, ms: no use in asking for more meanwhile. */
const IDENTITY_PAUSE = 10_000

/** A guest has its link 0 to 3 s after the cloud says InUse; ms. */
const LINK_TIMEOUT = 15_000
/** Pause after the vSwitches could not be looked up, ms. */
const CHOICE_PAUSE = 10_000

/** Pause after a step that failed for a reason of this machine, ms. */
const STUMBLE_PAUSE = 1_000
/** Without anything to do it looks again after this, ms. */
const LONGEST_SLEEP = 60_000

interface Refusal {
  readonly until: number
  readonly problem: string
}

export class Pool {
  readonly #options: PoolOptions
  readonly #tables = new PoolTables()
  readonly #ready = new Map<EniKey, ReadyEni>()
  readonly #waiters = new Waiters<Lease>()
  readonly #effects: EffectRunner
  readonly #stop = new AbortController()
  #refusal: Refusal | undefined
  /** Creations that are still choosing their vSwitch and so are not in the state yet. */
  #choosing = 0
  #suspicions: Suspicions = NO_SUSPICIONS
  #timer: NodeJS.Timeout | undefined
  #started = false
  #scheduled: NodeJS.Immediate | undefined

  constructor(options: PoolOptions) {
    this.#options = options
    const { cloud, links, instanceId, now, log, linkTimeout = LINK_TIMEOUT } = options
    this.#effects = new EffectRunner({
      context: {
        ...{ state: this.#tables, cloud, links, instanceId, now, linkTimeout, signal: this.#stop.signal },
        priority: () => this.#priority(),
        commit: (changes) => this.#commit(changes),
        ready: (key) => this.#ready.get(key),
        setReady: (eni) => void this.#ready.set(eni.key, eni),
        unsetReady: (key) => void this.#ready.delete(key),
      },
      log,
      ended: () => this.#step(),
      giveUp: (eni, error) => this.#giveUp(eni, error),
      refused: (problem) => this.#refuse(problem, IDENTITY_PAUSE),
    })
    for (const eni of options.state.enis.values()) this.#tables.enis.set(eni.key, eni)
    for (const address of options.state.addresses.values()) this.#tables.addresses.set(address.ip, address)
    for (const assign of options.state.assigns.values()) this.#tables.assigns.set(assign.token, assign)
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

  /** What keeps the pool from growing, in words for the operator. */
  get problems(): string[] {
    const { vSwitches } = this.#options
    const refused = this.#refused === undefined ? [] : [this.#refused.problem]
    const full = vSwitches.allEmpty ? vSwitches.problems : []
    return [...refused, ...full, ...this.#effects.problems]
  }

  /** Why no new ENI is asked for at present. A clock that was set back prolongs no pause. */
  get #refused(): Refusal | undefined {
    const left = (this.#refusal?.until ?? 0) - this.#options.now()
    return left > 0 && left <= REFUSAL_PAUSE ? this.#refusal : undefined
  }

  readyEni(key: EniKey): ReadyEni | undefined {
    return this.#ready.get(key)
  }

  /**
   * A free address, at once when one is warm, otherwise in line.
   * @throws PoolError when there is none to be had; the signal's reason when it aborts first.
   */
  async acquire(owner: Owner, signal: AbortSignal): Promise<Lease> {
    const held = [...this.#tables.addresses.values()].find((a) => a.phase === 'owned' && a.owner === owner)
    if (held !== undefined) throw new Error(`${owner} already holds ${held.ip}`)
    const lease = this.#waiters.length === 0 ? this.#take(owner) : undefined
    if (lease !== undefined) {
      this.#soon()
      return lease
    }
    const place = this.#waiters.join(owner, signal)
    this.#soon()
    return await place
  }

  /** Takes the owner's address back; it is given to nobody before the cool-down has passed. Unknown owners are fine. */
  release(owner: Owner): void {
    const { now, coolDown } = this.#options
    const held = [...this.#tables.addresses.values()].flatMap((a) =>
      a.phase === 'owned' && a.owner === owner ? [a] : [],
    )
    if (held.length === 0) return
    const changes = held.map(({ ip, eni, primary, lost }): Change => {
      const since = now()
      if (lost) return { kind: 'drop-address', ip }
      return { kind: 'put-address', address: { ip, eni, primary, since, phase: 'cooling', until: since + coolDown } }
    })
    this.#commit(changes)
    this.#soon()
  }

  /**
   * Compares the journal with the cloud and takes over what it says. Run before anything is served, and again by time.
   * @throws CloudError when the cloud cannot be asked; nothing has changed then.
   */
  async reconcile(podRoutes: ReadonlyMap<Ipv4, LinkName>): Promise<void> {
    const { cloud, instanceId, vSwitches, now, log } = this.#options
    const asked = now()
    const filter = { [CREATOR_TAG.key]: CREATOR_TAG.value, [NODE_TAG]: instanceId }
    const [attached, tagged] = await Promise.all([
      cloud.describeEnis({ instanceId }),
      cloud.describeEnis({ tags: filter }),
    ])
    const enis = new Map([...attached, ...tagged].map((eni) => [eni.id, eni]))
    // Of ENIs with our tag only: the vSwitch of somebody else's is nothing to us, and may be one we are not told of.
    const ours = [...enis.values()].filter(({ tags }) => tags.get(CREATOR_TAG.key) === CREATOR_TAG.value)
    const vSwitchIds = new Set(ours.flatMap((eni) => eni.vSwitchId ?? []))
    const facts = await Promise.all([...vSwitchIds].map((id) => vSwitches.facts(id)))
    const cidrs = new Map(facts.map(({ id, cidr }) => [id, cidr]))
    const result = reconcile({
      ...{ state: this.#tables, cloud: [...enis.values()], instanceId, cidrs, podRoutes },
      ...{ suspicions: this.#suspicions, settledBefore: asked, now: now(), newKey: newEniKey },
    })
    this.#suspicions = result.suspicions
    for (const finding of result.findings) log[finding.level](finding.fields, finding.message)
    this.#commit(result.changes)
    for (const key of [...this.#ready.keys()]) {
      if (this.#tables.enis.get(key)?.phase !== 'in-use') this.#putOutOfUse(key)
    }
    this.#soon()
  }

  /** Makes the ENIs that are in use ready for pods, as far as their links are there. */
  async bringUp(): Promise<void> {
    const records = [...this.#tables.enis.values()].filter((eni) => eni.phase === 'in-use')
    await Promise.all(records.map((eni) => this.#effects.start(eni.key)))
  }

  /** Starts to act: unfinished effects are taken up again and the pool fills to its watermark. */
  start(): void {
    this.#started = true
    this.#step()
  }

  /** Ends when no effect runs any more; what is unfinished stays in the journal. */
  async stop(): Promise<void> {
    this.#stop.abort(new PoolError('cancelled', 'terwayd is stopping', 'the runtime repeats the call'))
    clearTimeout(this.#timer)
    clearImmediate(this.#scheduled)
    this.#waiters.turnAway(this.#waiters.length, () => new PoolError('cancelled', 'terwayd is stopping', 'try again'))
    await this.#effects.settled()
  }

  /** Of calls that bring addresses. */
  #priority(): Priority {
    return this.#waiters.length > 0 ? 'pod' : 'prewarm'
  }

  #commit(changes: readonly Change[]): void {
    this.#options.journal.commitPool(changes)
    this.#tables.apply(changes)
  }

  #take(owner: Owner): Lease | undefined {
    const best = chooseAddress(this.#tables, this.#ready)
    const eni = best === undefined ? undefined : this.#ready.get(best.eni)
    if (best === undefined || eni === undefined) return undefined
    const { ip, primary } = best
    const address = { ip, eni: best.eni, primary, since: this.#options.now(), phase: 'owned', owner } as const
    this.#commit([{ kind: 'put-address', address }])
    return { ip, eni }
  }

  /** Decides once for everything that happens in this turn of the event loop, so that a burst is one decision. */
  #soon(): void {
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined
      this.#step()
    })
  }

  /** Must not throw: it runs at the end of effects and of timers, where nobody could catch it. */
  #step(): void {
    if (!this.#started || this.#stop.signal.aborted) return
    try {
      this.#advance()
    } catch (err) {
      this.#options.log.error({ err }, 'the pool cannot go on, its journal may be full; it tries again')
      this.#wakeAt(this.#options.now() + STUMBLE_PAUSE)
    }
  }

  #advance(): void {
    this.#tidy()
    this.#probe()
    for (const key of this.#tables.enis.keys()) void this.#effects.start(key)
    this.#serve()
    const decision = decide({
      state: this.#tables,
      demand: { waiting: this.#waiters.length },
      limits: this.#options.limits,
      obstacles: this.#obstacles(),
      now: this.#options.now(),
    })
    for (const action of decision.actions) this.#carryOut(action)
    this.#serve()
    if (decision.hopeless > 0 && this.#choosing === 0) this.#turnAway(Math.min(decision.hopeless, this.#waiters.length))
    this.#wakeAt(decision.wakeAt)
  }

  #tidy(): void {
    const { now, coolDown } = this.#options
    this.#commit(tidyChanges(this.#tables, now() + coolDown))
    this.#effects.tidy()
  }

  /** A full vSwitch is used again when a look at it finds addresses. */
  #probe(): void {
    const { vSwitches, now } = this.#options
    if (vSwitches.nextTry === undefined || vSwitches.nextTry > now()) return
    void vSwitches.probe().then(() => this.#soon())
  }

  /** Nothing is given from it any more; what the node has of it is taken away, as far as it is still there. */
  #putOutOfUse(key: EniKey): void {
    const { links, log } = this.#options
    const eni = this.#ready.get(key)
    this.#ready.delete(key)
    if (eni === undefined) return
    void links.clear(eni).catch((err: unknown) => log.warn({ err, eni: eni.id }, 'cannot clear the routes of an ENI'))
  }

  #obstacles() {
    const { vSwitches } = this.#options
    return {
      busyEnis: this.#effects.busy,
      failedEnis: this.#effects.failed,
      stumblingEnis: this.#effects.stumbling,
      readyEnis: new Set(this.#ready.keys()),
      emptyVSwitches: vSwitches.empty,
      noNewEni: this.#refused !== undefined || this.#choosing > 0 || vSwitches.allEmpty,
    }
  }

  #serve(): void {
    for (;;) {
      const first = this.#waiters.first()
      const lease = first === undefined ? undefined : this.#take(first.owner)
      if (lease === undefined) return
      this.#waiters.serve(lease)
    }
  }

  #turnAway(count: number): void {
    const { limits } = this.#options
    const [problem] = this.problems
    this.#waiters.turnAway(count, () => noAddress(limits, problem))
  }

  #wakeAt(coolingEnd: number | undefined): void {
    clearTimeout(this.#timer)
    const times = [coolingEnd, this.#effects.nextTry, this.#refused?.until, this.#options.vSwitches.nextTry].filter(
      (time) => time !== undefined,
    )
    const future = times.filter((time) => time > this.#options.now())
    if (future.length === 0) return
    const wait = Math.min(...future) - this.#options.now() + 1
    // A look too many is nothing; a clock that was set back must not make it sleep for hours.
    this.#timer = setTimeout(() => this.#step(), Math.min(wait, LONGEST_SLEEP))
    this.#timer.unref()
  }

  #carryOut(action: Action): void {
    const since = this.#options.now()
    switch (action.kind) {
      case 'create-eni':
        void this.#create(action.secondaryIps)
        return
      case 'assign': {
        const token = randomUUID() as AssignToken
        this.#commit([{ kind: 'put-assign', assign: { token, eni: action.eni, count: action.count, since } }])
        this.#noteTaken(action.eni, action.count)
        void this.#effects.start(action.eni)
        return
      }
      case 'unassign':
        this.#commit(action.ips.flatMap((ip) => this.#rephase(ip, { phase: 'unassigning', since })))
        void this.#effects.start(action.eni)
        return
      case 'release-eni': {
        const eni = this.#tables.enis.get(action.eni)
        if (eni === undefined || eni.phase === 'creating') return
        this.#commit([{ kind: 'put-eni', eni: { ...eni, phase: 'detaching', since } }])
        void this.#effects.start(action.eni)
        return
      }
      case 'end-cooling':
        this.#commit(action.ips.flatMap((ip) => this.#rephase(ip, { phase: 'warm', since })))
        // Free addresses may be too many, and nothing else would make the pool look again.
        this.#soon()
        return
    }
  }

  #noteTaken(key: EniKey, addresses: number): void {
    const eni = this.#tables.enis.get(key)
    if (eni !== undefined) this.#options.vSwitches.take(eni.vSwitchId, addresses)
  }

  #rephase(ip: Ipv4, to: { phase: 'warm' | 'unassigning'; since: number }): Change[] {
    const address = this.#tables.addresses.get(ip)
    if (address === undefined) return []
    const { eni, primary } = address
    return [{ kind: 'put-address', address: { ip, eni, primary, ...to } }]
  }

  /** Chooses a vSwitch, journals the intent and starts it. */
  async #create(secondaryIps: number): Promise<void> {
    const { vSwitches, now, log } = this.#options
    this.#choosing++
    try {
      const vSwitch = await vSwitches.choose(1 + secondaryIps, this.#priority())
      if (vSwitch === undefined) {
        const why = vSwitches.problems.map((problem) => `; ${problem}`).join('')
        this.#refuse(`no vSwitch of this zone has free addresses${why}`, REFUSAL_PAUSE)
        return
      }
      const key = newEniKey()
      // What is left of a vSwitch is better than nothing; the rest comes from the next one.
      const request = this.#creation(key, vSwitch.id, Math.min(secondaryIps, vSwitch.availableIps - 1))
      const eni = { phase: 'creating', key, vSwitchId: vSwitch.id, cidr: vSwitch.cidr, request, since: now() } as const
      this.#commit([{ kind: 'put-eni', eni }])
    } catch (error) {
      log.warn({ err: error }, 'cannot choose a vSwitch')
      this.#refuse(error instanceof Error ? error.message : String(error), CHOICE_PAUSE)
    } finally {
      this.#choosing--
      this.#step()
    }
  }

  #creation(key: EniKey, vSwitchId: VSwitchId, secondaryIps: number): CreatingEni['request'] {
    const { securityGroupIds, tags, instanceId } = this.#options
    const own = { [CREATOR_TAG.key]: CREATOR_TAG.value, [NODE_TAG]: instanceId, [INTENT_TAG]: key }
    const name = `terway-${instanceId}`.slice(0, 128)
    return { vSwitchId, securityGroupIds, secondaryIps, tags: { ...tags, ...own }, name, clientToken: key }
  }

  #refuse(problem: string, pause: number): void {
    this.#refusal = { problem, until: this.#options.now() + pause }
  }

  /** A refused growth is forgotten, so that the next decision can look elsewhere; a refused removal is tried again. */
  #giveUp(eni: EniRecord, error: unknown): void {
    const { vSwitches, now } = this.#options
    const code = error instanceof CloudError ? error.code : ''
    const problem = error instanceof Error ? error.message : String(error)
    const empty = /IpNotEnough|QuotaExceeded\.PrivateIpAddress/.test(code)
    if (empty) vSwitches.setAside(eni.vSwitchId)
    if (eni.phase === 'creating') {
      this.#commit([{ kind: 'drop-eni', key: eni.key }])
      if (!empty || vSwitches.allEmpty) this.#refuse(problem, ENI_LIMIT_PAUSE)
    } else if (eni.phase === 'attaching') {
      this.#commit([{ kind: 'put-eni', eni: { ...eni, phase: 'deleting', since: now() } }])
      this.#refuse(problem, ENI_LIMIT_PAUSE)
    } else if (eni.phase === 'in-use') {
      this.#commit(assignsOf(this.#tables, eni.key).map(({ token }) => ({ kind: 'drop-assign', token })))
    }
  }
}

function newEniKey(): EniKey {
  return randomUUID() as EniKey
}
