/**
 * The owner of the pool's state. It gives addresses out and takes them back, asks `decide` after every change, journals
 * what was decided and carries it out beside itself. Nobody else changes the state.
 */
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { CreateEni, Ecs } from '../../cloud/ecs.ts'
import { CloudError } from '../../cloud/error.ts'
import type { InstanceId, SecurityGroupId } from '../../cloud/ids.ts'
import type { Cidr, Ipv4 } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import { Backoff } from './backoff.ts'
import { type Action, decide, type PoolLimits } from './decide.ts'
import {
  assignAddresses,
  attachEni,
  bringUp,
  createEni,
  deleteEni,
  detachEni,
  type EffectContext,
  type EniLinks,
  isFinal,
  type ReadyEni,
  unassignAddresses,
} from './effects.ts'
import { PoolError } from './error.ts'
import {
  type AssignToken,
  addressesOf,
  assignsOf,
  type Change,
  type EniKey,
  type EniRecord,
  type Owner,
  type PoolState,
  PoolTables,
} from './model.ts'
import { CREATOR_TAG, INTENT_TAG, NO_SUSPICIONS, NODE_TAG, reconcile, type Suspicions } from './reconcile.ts'
import type { VSwitches } from './vswitches.ts'
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

/** A guest has its link 0 to 3 s after the cloud says InUse; ms. */
const LINK_TIMEOUT = 15_000
/** An attach that failed so often in a row will not succeed; with the back-off that is some 20 s. */
const ATTACH_ATTEMPTS = 5
/** Pause after the vSwitches could not be looked up, ms. */
const CHOICE_PAUSE = 10_000

/** Pause after a step that failed for a reason of this machine, ms. */
const STUMBLE_PAUSE = 1_000

interface Refusal {
  readonly until: number
  readonly problem: string
}

export class Pool {
  readonly #options: PoolOptions
  readonly #tables = new PoolTables()
  readonly #ready = new Map<EniKey, ReadyEni>()
  readonly #waiters = new Waiters<Lease>()
  readonly #busy = new Map<EniKey, Promise<void>>()
  readonly #backoff: Backoff<EniKey>
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
    this.#backoff = new Backoff(options.now)
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
    const { now } = this.#options
    const refused = this.#refusal !== undefined && this.#refusal.until > now() ? [this.#refusal.problem] : []
    return [...refused, ...this.#backoff.problems]
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
    const cidrs = new Map<EniRecord['vSwitchId'], Cidr>()
    for (const { vSwitchId } of enis.values()) {
      if (!cidrs.has(vSwitchId)) cidrs.set(vSwitchId, (await vSwitches.facts(vSwitchId)).cidr)
    }
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
    await Promise.all(records.map((eni) => this.#start(eni.key)))
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
    await Promise.allSettled(this.#busy.values())
  }

  #commit(changes: readonly Change[]): void {
    this.#options.journal.commitPool(changes)
    this.#tables.apply(changes)
  }

  /** Gives the address that has been free longest, from the ENI with the most pods, so that others can become empty. */
  #take(owner: Owner): Lease | undefined {
    const owned = new Map<EniKey, number>()
    for (const a of this.#tables.addresses.values()) {
      if (a.phase === 'owned') owned.set(a.eni, (owned.get(a.eni) ?? 0) + 1)
    }
    const warm = [...this.#tables.addresses.values()].filter((a) => a.phase === 'warm' && this.#ready.has(a.eni))
    const [best] = warm.sort((a, b) => (owned.get(b.eni) ?? 0) - (owned.get(a.eni) ?? 0) || a.since - b.since)
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
    for (const key of this.#tables.enis.keys()) void this.#start(key)
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

  /** What a clock that was set back or pods that ended have left behind. */
  #tidy(): void {
    const { now, coolDown } = this.#options
    const latest = now() + coolDown
    const frozen = [...this.#tables.addresses.values()].flatMap((address): Change[] =>
      address.phase === 'cooling' && address.until > latest
        ? [{ kind: 'put-address', address: { ...address, until: latest } }]
        : [],
    )
    const deserted = [...this.#tables.enis.values()].filter(
      (eni) => eni.phase === 'lost' && addressesOf(this.#tables, eni.key).length === 0,
    )
    this.#commit([...frozen, ...deserted.map(({ key }): Change => ({ kind: 'drop-eni', key }))])
    this.#backoff.keepOnly(this.#tables.enis)
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
    const { vSwitches, now } = this.#options
    const failedEnis = new Set([...this.#tables.enis.keys()].filter((key) => this.#backoff.blocks(key)))
    const refused = this.#refusal !== undefined && this.#refusal.until > now()
    const busyEnis = new Set(this.#busy.keys())
    const readyEnis = new Set(this.#ready.keys())
    return {
      busyEnis,
      readyEnis,
      failedEnis,
      emptyVSwitches: vSwitches.empty,
      noNewEni: refused || this.#choosing > 0 || vSwitches.allEmpty,
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
    const capacity = limits.maxEnis * limits.addressesPerEni
    this.#waiters.turnAway(count, () =>
      problem === undefined
        ? new PoolError(
            'pool-exhausted',
            `all ${capacity} pod addresses of this node are in use (${limits.maxEnis} ENIs with ${limits.addressesPerEni} each)`,
            'move pods to another node, or use an instance type with more ENIs or addresses',
          )
        : new PoolError(
            'cloud-refused',
            problem,
            'see the cause; "terway-cli show" lists what keeps the pool from growing',
          ),
    )
  }

  #wakeAt(coolingEnd: number | undefined): void {
    clearTimeout(this.#timer)
    const times = [coolingEnd, this.#backoff.nextEnd, this.#refusal?.until, this.#options.vSwitches.nextTry].filter(
      (time) => time !== undefined,
    )
    const future = times.filter((time) => time > this.#options.now())
    if (future.length === 0) return
    this.#timer = setTimeout(() => this.#step(), Math.min(...future) - this.#options.now() + 1)
    this.#timer.unref()
  }

  #carryOut(action: Action): void {
    const since = this.#options.now()
    switch (action.kind) {
      case 'create-eni':
        void this.#create(action.secondaryIps)
        return
      case 'assign':
        this.#commit([{ kind: 'put-assign', assign: { token: randomUUID() as AssignToken, ...action, since } }])
        void this.#start(action.eni)
        return
      case 'unassign':
        this.#commit(action.ips.flatMap((ip) => this.#rephase(ip, { phase: 'unassigning', since })))
        void this.#start(action.eni)
        return
      case 'release-eni': {
        const eni = this.#tables.enis.get(action.eni)
        if (eni === undefined || eni.phase === 'creating') return
        this.#commit([{ kind: 'put-eni', eni: { ...eni, phase: 'detaching', since } }])
        void this.#start(action.eni)
        return
      }
      case 'end-cooling':
        this.#commit(action.ips.flatMap((ip) => this.#rephase(ip, { phase: 'warm', since })))
        return
    }
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
      const vSwitch = await vSwitches.choose()
      if (vSwitch === undefined) {
        this.#refuse('no vSwitch of this zone has free addresses', REFUSAL_PAUSE)
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

  #creation(key: EniKey, vSwitchId: CreateEni['vSwitchId'], secondaryIps: number): CreateEni {
    const { securityGroupIds, tags, instanceId } = this.#options
    const own = { [CREATOR_TAG.key]: CREATOR_TAG.value, [NODE_TAG]: instanceId, [INTENT_TAG]: key }
    const name = `terway-${instanceId}`.slice(0, 128)
    return { vSwitchId, securityGroupIds, secondaryIps, tags: { ...tags, ...own }, name, clientToken: key }
  }

  #refuse(problem: string, pause: number): void {
    this.#refusal = { problem, until: this.#options.now() + pause }
  }

  /** Starts the ENI's next effect unless one runs or is in back-off; one at a time for an ENI. */
  #start(key: EniKey): Promise<void> {
    const running = this.#busy.get(key)
    if (running !== undefined) return running
    const effect = this.#stop.signal.aborted || this.#backoff.blocks(key) ? undefined : this.#nextEffect(key)
    if (effect === undefined) return Promise.resolve()
    const run = effect(this.#context())
      .then(() => this.#backoff.succeeded(key))
      .catch((error: unknown) => this.#failed(key, error))
      .finally(() => {
        this.#busy.delete(key)
        this.#step()
      })
    this.#busy.set(key, run)
    return run
  }

  #nextEffect(key: EniKey): ((context: EffectContext) => Promise<void>) | undefined {
    const eni = this.#tables.enis.get(key)
    switch (eni?.phase) {
      case undefined:
        return undefined
      case 'creating':
        return (context) => createEni(context, eni)
      case 'attaching':
        return (context) => attachEni(context, eni)
      case 'detaching':
        return (context) => detachEni(context, eni)
      case 'deleting':
        return (context) => deleteEni(context, eni)
      case 'lost':
        return undefined
      case 'in-use': {
        if (!this.#ready.has(key)) return (context) => bringUp(context, eni)
        const [assign] = assignsOf(this.#tables, key)
        if (assign !== undefined) return (context) => assignAddresses(context, assign)
        const leaving = addressesOf(this.#tables, key).some((address) => address.phase === 'unassigning')
        return leaving ? (context) => unassignAddresses(context, eni) : undefined
      }
    }
  }

  #context(): EffectContext {
    const { cloud, links, instanceId, now, linkTimeout = LINK_TIMEOUT } = this.#options
    return {
      ...{ state: this.#tables, cloud, links, instanceId, now, linkTimeout, signal: this.#stop.signal },
      commit: (changes) => this.#commit(changes),
      ready: (key) => this.#ready.get(key),
      setReady: (eni) => void this.#ready.set(eni.key, eni),
      unsetReady: (key) => void this.#ready.delete(key),
    }
  }

  /** Must not throw, as #step must not. */
  #failed(key: EniKey, error: unknown): void {
    if (this.#stop.signal.aborted) return
    try {
      this.#noteFailure(key, error)
    } catch (err) {
      this.#options.log.error({ err }, 'a failed change of an ENI cannot be recorded, the journal may be full')
    }
  }

  #noteFailure(key: EniKey, error: unknown): void {
    const eni = this.#tables.enis.get(key)
    const problem = error instanceof Error ? error.message : String(error)
    const name = eni === undefined || eni.phase === 'creating' ? key : eni.id
    this.#options.log.warn({ err: error, eni: name, phase: eni?.phase }, 'a change of an ENI failed')
    this.#backoff.failed(key, problem)
    if (eni !== undefined && (isFinal(error) || this.#isHopeless(eni))) this.#giveUp(eni, error)
  }

  /** An ENI that cannot be attached is made anew; one whose pods wait for it is tried for ever. */
  #isHopeless(eni: EniRecord): boolean {
    const pods = addressesOf(this.#tables, eni.key).some((address) => address.phase === 'owned')
    return eni.phase === 'attaching' && !pods && this.#backoff.failures(eni.key) >= ATTACH_ATTEMPTS
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
