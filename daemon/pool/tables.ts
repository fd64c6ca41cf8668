/**
 * The pool's state as its one owner holds it, with what is asked of it all the time kept by the way: an ADD must not
 * walk through every address of the node.
 */
import { type Cidr, type Family, familyOf, type Ip } from '../../inet/address.ts'
import { Groups } from './groups.ts'
import {
  type AddressRecord,
  type AssignRecord,
  type AssignToken,
  type Change,
  type EniKey,
  type EniRecord,
  isLost,
  type Owner,
  type PodKey,
  type PrefixRecord,
} from './model.ts'
import { checkAddress, checkEni, IllegalTransition } from './transitions.ts'

/** Addresses of one family on one ENI, by phase. Ghosts count as owned and again as lost, and not any more when they cool. */
export interface Tally {
  readonly warm: number
  readonly owned: number
  readonly cooling: number
  readonly unassigning: number
  readonly lost: number
}

export interface PoolState {
  readonly enis: ReadonlyMap<EniKey, EniRecord>
  readonly addresses: ReadonlyMap<Ip, AddressRecord>
  readonly prefixes: ReadonlyMap<Cidr, PrefixRecord>
  readonly assigns: ReadonlyMap<AssignToken, AssignRecord>
  /** All that cool down. */
  readonly cooling: ReadonlyMap<Ip, AddressRecord>
  tally(eni: EniKey, family: Family): Tally
  /** Of the ENI. */
  addressesOf(eni: EniKey): Iterable<AddressRecord>
  prefixesOf(eni: EniKey): readonly PrefixRecord[]
  assignsOf(eni: EniKey): readonly AssignRecord[]
  /** The address of the family that has been free longest on the ENI. @param avoid not one of these */
  longestFree(eni: EniKey, family: Family, avoid?: { has(ip: Ip): boolean }): AddressRecord | undefined
  /** At most one of each family. */
  heldBy(owner: Owner): readonly AddressRecord[]
  /** Those that the pod has or had last. */
  lastOf(pod: PodKey): readonly AddressRecord[]
}

type Counts = { -readonly [Field in keyof Tally]: Tally[Field] }

/** What one ENI has of one family. */
class Shelf {
  readonly counts: Counts = { warm: 0, owned: 0, cooling: 0, unassigning: 0, lost: 0 }
  /** Free ones; who has become free last is last. */
  readonly warm = new Map<Ip, AddressRecord>()

  put(address: AddressRecord): void {
    this.#count(address, 1)
    if (address.phase === 'warm') this.warm.set(address.ip, address)
  }

  take(address: AddressRecord): void {
    this.#count(address, -1)
    if (address.phase === 'warm') this.warm.delete(address.ip)
  }

  #count(address: AddressRecord, by: 1 | -1): void {
    const lost = isLost(address)
    if (address.phase !== 'cooling' || !lost) this.counts[address.phase] += by
    if (address.phase === 'owned' && lost) this.counts.lost += by
  }
}

interface Place {
  readonly ipv4: Shelf
  readonly ipv6: Shelf
  readonly addresses: Map<Ip, AddressRecord>
}

const NOTHING: Tally = { warm: 0, owned: 0, cooling: 0, unassigning: 0, lost: 0 }

export class PoolTables implements PoolState {
  readonly enis = new Map<EniKey, EniRecord>()
  readonly addresses = new Map<Ip, AddressRecord>()
  readonly prefixes = new Map<Cidr, PrefixRecord>()
  readonly assigns = new Map<AssignToken, AssignRecord>()
  readonly cooling = new Map<Ip, AddressRecord>()
  readonly #places = new Map<EniKey, Place>()
  readonly #byOwner = new Groups<Owner, Ip>()
  readonly #byPod = new Groups<PodKey, Ip>()

  /** A copy of another state, for what is only looked at there. */
  static of(state: Pick<PoolState, 'enis' | 'addresses' | 'prefixes' | 'assigns'>): PoolTables {
    const tables = new PoolTables()
    for (const eni of state.enis.values()) tables.enis.set(eni.key, eni)
    for (const prefix of state.prefixes.values()) tables.prefixes.set(prefix.cidr, prefix)
    for (const assign of state.assigns.values()) tables.assigns.set(assign.token, assign)
    // Those free longest come first, which no journal keeps.
    for (const address of [...state.addresses.values()].sort((a, b) => a.since - b.since)) tables.#putAddress(address)
    return tables
  }

  tally(eni: EniKey, family: Family): Tally {
    return this.#places.get(eni)?.[family].counts ?? NOTHING
  }

  addressesOf(eni: EniKey): Iterable<AddressRecord> {
    return this.#places.get(eni)?.addresses.values() ?? []
  }

  prefixesOf(eni: EniKey): readonly PrefixRecord[] {
    return this.prefixes.size === 0 ? [] : [...this.prefixes.values()].filter((prefix) => prefix.eni === eni)
  }

  assignsOf(eni: EniKey): readonly AssignRecord[] {
    return this.assigns.size === 0 ? [] : [...this.assigns.values()].filter((assign) => assign.eni === eni)
  }

  longestFree(eni: EniKey, family: Family, avoid?: { has(ip: Ip): boolean }): AddressRecord | undefined {
    for (const address of this.#places.get(eni)?.[family].warm.values() ?? []) {
      if (avoid?.has(address.ip) !== true) return address
    }
    return undefined
  }

  heldBy(owner: Owner): readonly AddressRecord[] {
    return this.#records(this.#byOwner.of(owner))
  }

  lastOf(pod: PodKey): readonly AddressRecord[] {
    return this.#records(this.#byPod.of(pod))
  }

  /** @throws IllegalTransition; the changes before it in the list are made then. Use `check` first. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) this.#applyOne(change)
  }

  /** Whether `apply` would make all of them, one after the other. @throws IllegalTransition */
  check(changes: readonly Change[]): void {
    const review = new Review(this)
    for (const change of changes) review.look(change)
  }

  #applyOne(change: Change): void {
    switch (change.kind) {
      case 'put-eni':
        this.enis.set(change.eni.key, change.eni)
        return
      case 'drop-eni':
        this.#dropEni(change.key)
        return
      case 'put-address':
        this.#putAddress(change.address)
        return
      case 'drop-address':
        this.#dropAddress(change.ip)
        return
      case 'put-prefix':
        this.prefixes.set(change.prefix.cidr, change.prefix)
        return
      case 'drop-prefix':
        this.prefixes.delete(change.cidr)
        return
      case 'put-assign':
        this.assigns.set(change.assign.token, change.assign)
        return
      case 'drop-assign':
        this.assigns.delete(change.token)
        return
    }
  }

  #dropEni(key: EniKey): void {
    this.enis.delete(key)
    for (const { ip } of [...this.addressesOf(key)]) this.#dropAddress(ip)
    for (const { cidr } of this.prefixesOf(key)) this.prefixes.delete(cidr)
    for (const { token } of this.assignsOf(key)) this.assigns.delete(token)
    this.#places.delete(key)
  }

  #putAddress(address: AddressRecord): void {
    this.#dropAddress(address.ip)
    const { ip, eni, pod } = address
    this.addresses.set(ip, address)
    const place = this.#place(eni)
    place.addresses.set(ip, address)
    place[familyOf(ip)].put(address)
    if (address.phase === 'cooling') this.cooling.set(ip, address)
    if (address.phase === 'owned') this.#byOwner.add(address.owner, ip)
    if (pod !== undefined) this.#byPod.add(pod, ip)
  }

  #dropAddress(ip: Ip): void {
    const address = this.addresses.get(ip)
    if (address === undefined) return
    this.addresses.delete(ip)
    const place = this.#place(address.eni)
    place.addresses.delete(ip)
    place[familyOf(ip)].take(address)
    this.cooling.delete(ip)
    if (address.phase === 'owned') this.#byOwner.delete(address.owner, ip)
    if (address.pod !== undefined) this.#byPod.delete(address.pod, ip)
  }

  #place(eni: EniKey): Place {
    const known = this.#places.get(eni)
    if (known !== undefined) return known
    const place = { ipv4: new Shelf(), ipv6: new Shelf(), addresses: new Map<Ip, AddressRecord>() }
    this.#places.set(eni, place)
    return place
  }

  #records(ips: readonly Ip[]): AddressRecord[] {
    return ips.flatMap((ip) => this.addresses.get(ip) ?? [])
  }
}

/** Goes through a list of changes as if they were made. */
class Review {
  readonly #tables: PoolTables
  readonly #enis = new Map<EniKey, EniRecord | undefined>()
  readonly #addresses = new Map<Ip, AddressRecord | undefined>()

  constructor(tables: PoolTables) {
    this.#tables = tables
  }

  /** @throws IllegalTransition */
  look(change: Change): void {
    switch (change.kind) {
      case 'put-eni':
        this.#eni(change.eni.key, change.eni)
        return
      case 'drop-eni':
        this.#dropEni(change.key)
        return
      case 'put-address':
        this.#address(change.address.ip, change.address)
        return
      case 'drop-address':
        this.#address(change.ip, undefined)
        return
      default:
        return
    }
  }

  #eni(key: EniKey, after: EniRecord | undefined): void {
    checkEni(this.#enis.has(key) ? this.#enis.get(key) : this.#tables.enis.get(key), after)
    this.#enis.set(key, after)
  }

  #address(ip: Ip, after: AddressRecord | undefined): void {
    checkAddress(this.#now(ip), after)
    this.#addresses.set(ip, after)
  }

  #now(ip: Ip): AddressRecord | undefined {
    return this.#addresses.has(ip) ? this.#addresses.get(ip) : this.#tables.addresses.get(ip)
  }

  #dropEni(key: EniKey): void {
    this.#eni(key, undefined)
    const moved = [...this.#addresses.values()].filter((address) => address?.eni === key)
    for (const { ip } of [...this.#tables.addressesOf(key), ...moved.flatMap((address) => address ?? [])]) {
      const address = this.#now(ip)
      if (address?.eni !== key) continue
      if (address.phase === 'owned' && !address.lost) {
        throw new IllegalTransition(`an ENI is forgotten although ${address.owner} has ${ip} of it`)
      }
      this.#addresses.set(ip, undefined)
    }
  }
}
