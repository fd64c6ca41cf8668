/** The ENIs there are, what became of them, and what the metadata service has noticed of it. */
import { type Cidr, cidrOf, type Ip, type Ipv4 } from '../../inet/address.ts'
import type { EniId, InstanceId } from '../region/ids.ts'
import { addressesOf, type Eni, instanceOf } from './eni.ts'
import { EniHistory, KEPT as HISTORY } from './eni-history.ts'
import { MetadataHistory } from './metadata-history.ts'
import { PREFIX_LENGTH } from './vswitch-addresses.ts'

/** One line of the log of changes. */
export interface Change {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly eni: EniId
  /** `created`, `Attaching`, `InUse`, `linked`, `Detaching`, `Available`, `Deleting`, `gone`, `assigned`, … */
  readonly change: string
  readonly instanceId?: InstanceId
  readonly ips?: readonly Ip[]
  readonly prefixes?: readonly Cidr[]
}

export type What = Pick<Change, 'at' | 'change' | 'ips' | 'prefixes'>

/** Changes that are kept; older ones are forgotten. */
const KEPT = 100_000

export class Ledger {
  readonly #enis = new Map<EniId, Eni>()
  readonly #changes: Change[] = []
  readonly #metadata: MetadataHistory
  readonly #history = new EniHistory()
  /** Who has an IPv4 address, or a prefix with it. */
  readonly #owners = new Map<Ipv4 | Cidr, EniId>()
  /** The answer of `all` until the next change. */
  #all: readonly Eni[] | undefined
  #version = 0

  /** @param metadataLag how far the metadata service is behind, ms. */
  constructor(metadataLag: number) {
    this.#metadata = new MetadataHistory(metadataLag)
  }

  get changes(): readonly Change[] {
    return this.#changes
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version
  }

  /** In the order of creation. */
  all(): readonly Eni[] {
    this.#all ??= [...this.#enis.values()]
    return this.#all
  }

  /** As `all` was at `time`; times before the history are taken for its start. */
  allAt(time: number, now: number): readonly Eni[] {
    return this.#history.at(Math.max(time, now - HISTORY))
  }

  get(id: EniId): Eni | undefined {
    return this.#enis.get(id)
  }

  /** Those on the instance, or on their way to or from it. */
  ofInstance(instance: InstanceId): readonly Eni[] {
    return this.all().filter((eni) => instanceOf(eni) === instance)
  }

  byIp(ip: Ipv4): Eni | undefined {
    const owner = this.#owners.get(ip) ?? this.#owners.get(cidrOf(ip, PREFIX_LENGTH.ipv4))
    return owner === undefined ? undefined : this.#enis.get(owner)
  }

  /** What the metadata service of the instance shows at the time. */
  metadataOf(instance: InstanceId, now: number): readonly Eni[] {
    return this.#metadata.enisOf(instance, now)
  }

  /** Adds the ENI, or replaces what it was before. `since`: from when on callers see it, ms. */
  put(eni: Eni, { at, change, ips, prefixes }: What, since = at): void {
    const before = this.#enis.get(eni.id)
    this.#keep(eni.id, since, eni)
    const instanceId = instanceOf(eni)
    this.#log({
      at,
      eni: eni.id,
      change,
      ...(instanceId === undefined ? {} : { instanceId }),
      ...(ips === undefined || ips.length === 0 ? {} : { ips }),
      ...(prefixes === undefined || prefixes.length === 0 ? {} : { prefixes }),
    })
    const touched = instanceId ?? (before === undefined ? undefined : instanceOf(before))
    if (touched === undefined) return
    const inUse = this.ofInstance(touched).filter((other) => other.state.status === 'InUse')
    this.#metadata.record(touched, { at, enis: inUse })
  }

  remove(id: EniId, { at, change }: What): void {
    this.#keep(id, at, undefined)
    this.#log({ at, eni: id, change })
  }

  #keep(id: EniId, at: number, eni: Eni | undefined): void {
    const before = this.#enis.get(id)
    if (before !== undefined) for (const owned of ownedBy(before)) this.#owners.delete(owned)
    if (eni === undefined) {
      this.#enis.delete(id)
    } else {
      this.#enis.set(id, eni)
      for (const owned of ownedBy(eni)) this.#owners.set(owned, id)
    }
    this.#all = undefined
    this.#history.record(id, at, eni)
  }

  #log(change: Change): void {
    this.#version += 1
    this.#changes.push(change)
    if (this.#changes.length > KEPT) this.#changes.splice(0, KEPT / 10)
  }
}

function ownedBy(eni: Eni): readonly (Ipv4 | Cidr)[] {
  return [...addressesOf(eni), ...eni.ipv4Prefixes]
}
