/** Gives pods addresses of the node's own prefixes, in VPC route mode: the owner of the allocation. */
import type { Logger } from 'pino'
import { type Cidr, familyOf, type Ip, type Ipv4, type Ipv6 } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import type { Addresses } from '../datapath/attachment.ts'
import type { LeaseSource, PodLease } from '../pod/leases.ts'
import type { AddressRequest } from '../pool/address-request.ts'
import type { PoolClock } from '../pool/clock.ts'
import { type Conntrack, CoolDown } from '../pool/cool-down.ts'
import { noAddress, noAddressInTime, PoolError } from '../pool/error.ts'
import type { Owner } from '../pool/model.ts'
import { KEEP_FOR } from '../pool/pool.ts'
import type { Shortage } from '../pool/report/exhaustion.ts'
import type { Places } from '../pool/report/places.ts'
import type { PoolReports } from '../pool/report/reports.ts'
import { Waiters } from '../pool/waiters.ts'
import { type Grant, grant, settle, takeBack, thaw } from './allocate.ts'
import { Allocation, type RouteAddress, type RouteChange } from './allocation.ts'
import { places } from './places.ts'

export interface RouteLeasesOptions {
  /** One of each family that pods have. */
  readonly prefixes: readonly Cidr[]
  readonly journal: {
    loadRouteAddresses(): RouteAddress[]
    commitRouteAddresses(changes: readonly RouteChange[]): void
  }
  readonly conntrack: Conntrack
  /** Addresses that pods' links carry on this node, whatever the journal says. */
  readonly podRoutes: () => ReadonlyMap<Ip, LinkName>
  /** Why no packet of other nodes would find a pod; undefined when the VPC leads all prefixes here. */
  readonly unreachable: () => Shortage | undefined
  /** ms between the release of an address and its next use */
  readonly coolDown: number
  readonly reports: Pick<PoolReports, 'event'>
  readonly clock: PoolClock
  readonly log: Logger
}

/** After the journal could not be written, ms. */
const RETRY = 1_000

export class RouteLeases implements LeaseSource {
  readonly #options: RouteLeasesOptions
  readonly #state: Allocation
  readonly #waiters = new Waiters<AddressRequest, Grant>()
  readonly #coolDown: CoolDown
  #cancelWake: () => void = () => undefined
  #stopped = false

  /** @throws what the journal throws, and what reading the node's routes does */
  constructor(options: RouteLeasesOptions) {
    this.#options = options
    const { prefixes, journal, conntrack, clock, log } = options
    this.#state = new Allocation(prefixes, journal.loadRouteAddresses())
    this.#coolDown = new CoolDown({
      ...{ conntrack, clock, log, until: (ip) => this.#state.cooling.get(ip)?.until },
      free: (ips) => this.#commit(thaw(this.#state, ips, clock.now())),
      ended: () => this.#step(),
    })
    const now = clock.now()
    const latest = now + Math.max(options.coolDown, KEEP_FOR)
    this.#commit(settle(this.#state, { podRoutes: options.podRoutes(), latest, now }))
    this.#step()
  }

  /** In pods. */
  get places(): Places {
    return places(this.#state)
  }

  /** ADDs that wait for an address. */
  get waiting(): number {
    return this.#waiters.length
  }

  get addresses(): ReadonlyMap<Ip, RouteAddress> {
    return this.#state.addresses
  }

  *held(): Iterable<{ readonly ip: Ip; readonly owner: Owner }> {
    for (const address of this.#state.addresses.values()) if (address.phase === 'owned') yield address
  }

  /**
   * Waits only for addresses that cool down: no others will come.
   * @throws PoolError when there is none to be had, or none before the signal's time-out; its reason when it aborts for
   * another one. What the owner has been given by then is for the caller to release.
   */
  async acquire(request: AddressRequest, signal: AbortSignal): Promise<PodLease> {
    signal.throwIfAborted()
    const unreachable = this.#options.unreachable()
    if (unreachable !== undefined) throw this.#turnedAway(request, noAddress(unreachable))
    const granted = this.#give(request) ?? (await this.#wait(request, signal))
    // The node would answer the pod with what it remembers of its last sandbox.
    if (granted.cooled.length > 0) await Promise.race([this.#coolDown.cutShort(granted.cooled), aborted(signal)])
    return { addresses: addressesOf(granted.ips) }
  }

  release(owner: Owner, keepFor: number): void {
    const { clock, coolDown } = this.#options
    const now = clock.now()
    const changes = takeBack(this.#state, owner, { now, until: now + Math.max(coolDown, keepFor) })
    if (changes.length === 0) return
    const ips = this.#state.heldBy(owner).map(({ ip }) => ip)
    this.#commit(changes)
    void this.#coolDown.began(ips)
    this.#step()
  }

  /** Who waits is turned away. */
  stop(): void {
    this.#stopped = true
    this.#cancelWake()
    const stopping = () => new PoolError('cancelled', 'terwayd is stopping', 'the runtime repeats the call')
    this.#waiters.turnAway(this.#waiters.length, stopping)
  }

  #give(request: AddressRequest): Grant | undefined {
    const granted = grant(this.#state, request, this.#options.clock.now())
    if (granted !== undefined) this.#commit(granted.changes)
    return granted
  }

  async #wait(request: AddressRequest, signal: AbortSignal): Promise<Grant> {
    if (this.#state.cooling.size === 0) throw this.#turnedAway(request, noAddress(this.#full()))
    try {
      return await this.#waiters.join(request, signal)
    } catch (error) {
      if (isTimeout(error)) throw this.#turnedAway(request, noAddressInTime(this.#full()))
      throw error instanceof PoolError ? this.#turnedAway(request, error) : error
    }
  }

  #turnedAway({ pod }: AddressRequest, error: PoolError): PoolError {
    const { reports, clock } = this.#options
    const { message, key } = error
    const who = pod === undefined ? {} : { pod }
    reports.event({ time: clock.now(), level: 'warning', reason: 'AllocIPFailed', message, key, ...who })
    return error
  }

  #full(): Shortage {
    const { total } = this.places
    const limit = `all ${total} pod addresses of ${this.#state.prefixes.join(' and ')} are in use or cool down`
    const advice = 'move pods to another node, or give the nodes larger pod CIDRs'
    return { resource: 'instance', key: 'full', limit, advice }
  }

  /** The intent first: what is not recorded has not happened. @throws what the journal throws */
  #commit(changes: readonly RouteChange[]): void {
    if (changes.length === 0) return
    this.#options.journal.commitRouteAddresses(changes)
    this.#state.apply(changes)
  }

  /** Must not throw: it runs at the end of timers, where nobody could catch it. */
  #step(): void {
    if (this.#stopped) return
    const { clock, log } = this.#options
    const now = clock.now()
    try {
      this.#coolDown.end([...this.#state.cooling.values()].flatMap(({ ip, until }) => (until <= now ? [ip] : [])))
      this.#waiters.serveWhere((request) => this.#give(request))
      if (this.#state.cooling.size === 0) this.#waiters.turnAway(this.#waiters.length, () => noAddress(this.#full()))
      this.#sleepUntil(
        Math.min(...[...this.#state.cooling.values()].map(({ until }) => until).filter((at) => at > now)),
      )
    } catch (err) {
      log.error({ err }, 'addresses cannot be given, the journal may be full; trying again')
      this.#sleepUntil(now + RETRY)
    }
  }

  #sleepUntil(at: number): void {
    const { clock } = this.#options
    this.#cancelWake()
    if (at < Number.POSITIVE_INFINITY) this.#cancelWake = clock.after(at - clock.now(), () => this.#step())
  }
}

/** What `AbortSignal.timeout` aborts with. */
function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError'
}

/** Rejects with the signal's reason. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function addressesOf(ips: readonly Ip[]): Addresses {
  const ipv4 = ips.find((ip) => familyOf(ip) === 'ipv4') as Ipv4 | undefined
  const ipv6 = ips.find((ip) => familyOf(ip) === 'ipv6') as Ipv6 | undefined
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) }
}
