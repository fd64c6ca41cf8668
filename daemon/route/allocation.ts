/**
 * The node's own prefixes and who has which address of them. Of an address that is not on record nobody knows anything:
 * it was never given, or so long ago that it is as good as new. Records are values; a change is journaled and applied.
 */
import { addressAt, type Cidr, cidrContains, cidrSize, type Family, familyOf, type Ip } from '../../inet/address.ts'
import { Groups } from '../pool/groups.ts'
import type { Owner, PodKey } from '../pool/model.ts'

export type RouteAddressPhase =
  | { readonly phase: 'owned'; readonly owner: Owner }
  /** Not to be given away before `until`, ms since the epoch. */
  | { readonly phase: 'cooling'; readonly until: number }
  | { readonly phase: 'free' }

export interface RouteAddressFacts {
  readonly ip: Ip
  /** ms since the epoch, of the phase */
  readonly since: number
  /** Who has it, or had it last. */
  readonly pod?: PodKey
  /** The one of that name: another sandbox of it is still the same pod. */
  readonly podUid?: string
}

export type RouteAddress = RouteAddressFacts & RouteAddressPhase

export type RouteChange =
  | { readonly kind: 'put-address'; readonly address: RouteAddress }
  | { readonly kind: 'drop-address'; readonly ip: Ip }

/**
 * Neither the network's address, which is the subnet-router anycast address in IPv6 (RFC 4291, 2.6.1), nor the first one:
 * the bridge of a plugin that the node had before, or of one that is chained, has it as the pods' gateway.
 */
const FIRST_OFFSET = 2n
/** The broadcast address, in IPv4. */
const LEFT_OUT_AT_END = 1n

/** Addresses of the prefix that pods can have. */
export function podsIn(prefix: Cidr): bigint {
  const count = cidrSize(prefix) - FIRST_OFFSET - LEFT_OUT_AT_END
  return count > 0n ? count : 0n
}

/** What is on record of one prefix. */
class Shelf {
  readonly prefix: Cidr
  readonly #notForPods: ReadonlySet<Ip>
  /** Who has become free last is last. */
  readonly free = new Map<Ip, RouteAddress>()
  /** On record, of those that pods can have. */
  #count = 0n
  /** Offsets below it are on record, or were dropped. */
  #lowest = FIRST_OFFSET
  /** Once on record; who was dropped last is last. */
  readonly #dropped = new Set<Ip>()

  constructor(prefix: Cidr) {
    this.prefix = prefix
    const offsets = podsIn(prefix) === 0n ? [] : [0n, 1n, -LEFT_OUT_AT_END]
    this.#notForPods = new Set(offsets.map((offset) => addressAt(prefix, offset)))
  }

  isForPods(ip: Ip): boolean {
    return this.#notForPods.size > 0 && cidrContains(this.prefix, ip) && !this.#notForPods.has(ip)
  }

  put(address: RouteAddress): void {
    if (!this.isForPods(address.ip)) return
    this.#count += 1n
    this.#dropped.delete(address.ip)
    if (address.phase === 'free') this.free.set(address.ip, address)
  }

  take({ ip }: RouteAddress): void {
    if (!this.isForPods(ip)) return
    this.#count -= 1n
    this.#dropped.add(ip)
    this.free.delete(ip)
  }

  unused(known: { has(ip: Ip): boolean }): Ip | undefined {
    const [dropped] = this.#dropped
    if (dropped !== undefined) return dropped
    if (this.#count >= podsIn(this.prefix)) return undefined
    for (;;) {
      const ip = addressAt(this.prefix, this.#lowest)
      if (!known.has(ip)) return ip
      this.#lowest += 1n
    }
  }
}

/** As its one owner holds it, with what every ADD asks kept by the way. */
export class Allocation {
  readonly #shelves: ReadonlyMap<Family, Shelf>
  readonly #addresses = new Map<Ip, RouteAddress>()
  readonly #cooling = new Map<Ip, RouteAddress & { readonly phase: 'cooling' }>()
  readonly #byOwner = new Groups<Owner, Ip>()
  readonly #byPod = new Groups<PodKey, Ip>()

  /** @param prefixes one of each family that pods have */
  constructor(prefixes: readonly Cidr[], records: Iterable<RouteAddress> = []) {
    this.#shelves = new Map(prefixes.map((prefix) => [familyOf(prefix), new Shelf(prefix)]))
    for (const address of [...records].sort((a, b) => a.since - b.since)) this.#put(address)
  }

  get prefixes(): readonly Cidr[] {
    return [...this.#shelves.values()].map(({ prefix }) => prefix)
  }

  get addresses(): ReadonlyMap<Ip, RouteAddress> {
    return this.#addresses
  }

  /** All that cool down. */
  get cooling(): ReadonlyMap<Ip, RouteAddress & { readonly phase: 'cooling' }> {
    return this.#cooling
  }

  heldBy(owner: Owner): readonly RouteAddress[] {
    return this.#records(this.#byOwner.of(owner))
  }

  /** Those that the pod has or had last. */
  lastOf(pod: PodKey): readonly RouteAddress[] {
    return this.#records(this.#byPod.of(pod))
  }

  /** Whether it is an address that pods can have: a node may have had other prefixes before. */
  isForPods(ip: Ip): boolean {
    return this.#shelves.get(familyOf(ip))?.isForPods(ip) === true
  }

  /** An address of the family that is not on record. */
  unused(family: Family): Ip | undefined {
    return this.#shelves.get(family)?.unused(this.#addresses)
  }

  /** Free addresses of the family, those first that have been so longest. */
  free(family: Family): ReadonlyMap<Ip, RouteAddress> {
    return this.#shelves.get(family)?.free ?? new Map()
  }

  apply(changes: readonly RouteChange[]): void {
    for (const change of changes) {
      if (change.kind === 'put-address') this.#put(change.address)
      else this.#take(change.ip)
    }
  }

  #put(address: RouteAddress): void {
    this.#take(address.ip)
    const { ip, pod } = address
    this.#addresses.set(ip, address)
    this.#shelves.get(familyOf(ip))?.put(address)
    if (address.phase === 'cooling') this.#cooling.set(ip, address)
    if (address.phase === 'owned') this.#byOwner.add(address.owner, ip)
    if (pod !== undefined) this.#byPod.add(pod, ip)
  }

  #take(ip: Ip): void {
    const address = this.#addresses.get(ip)
    if (address === undefined) return
    this.#addresses.delete(ip)
    this.#shelves.get(familyOf(ip))?.take(address)
    this.#cooling.delete(ip)
    if (address.phase === 'owned') this.#byOwner.delete(address.owner, ip)
    if (address.pod !== undefined) this.#byPod.delete(address.pod, ip)
  }

  #records(ips: readonly Ip[]): RouteAddress[] {
    return ips.flatMap((ip) => this.#addresses.get(ip) ?? [])
  }
}
