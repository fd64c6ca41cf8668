/** The ENIs there are, what became of them, and what the metadata service has noticed of it. */
import type { Ipv4 } from '../../inet/address.ts'
import type { EniId, InstanceId } from '../region/ids.ts'
import { addressesOf, type Eni, instanceOf } from './eni.ts'
import { MetadataHistory } from './metadata-history.ts'

/** One line of the log of changes. */
export interface Change {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly eni: EniId
  /** `created`, `Attaching`, `InUse`, `linked`, `Detaching`, `Available`, `Deleting`, `gone`, `assigned`, … */
  readonly change: string
  readonly instanceId?: InstanceId
  readonly ips?: readonly Ipv4[]
}

type What = Pick<Change, 'at' | 'change' | 'ips'>

/** Changes that are kept; older ones are forgotten. */
const KEPT = 100_000

export class Ledger {
  readonly #enis = new Map<EniId, Eni>()
  readonly #changes: Change[] = []
  readonly #metadata: MetadataHistory
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
    return [...this.#enis.values()]
  }

  get(id: EniId): Eni | undefined {
    return this.#enis.get(id)
  }

  /** Those on the instance, or on their way to or from it. */
  ofInstance(instance: InstanceId): readonly Eni[] {
    return this.all().filter((eni) => instanceOf(eni) === instance)
  }

  byIp(ip: Ipv4): Eni | undefined {
    return this.all().find((eni) => addressesOf(eni).includes(ip))
  }

  /** What the metadata service of the instance shows at the time. */
  metadataOf(instance: InstanceId, now: number): readonly Eni[] {
    return this.#metadata.enisOf(instance, now)
  }

  /** Adds the ENI, or replaces what it was before. */
  put(eni: Eni, { at, change, ips }: What): void {
    const before = this.#enis.get(eni.id)
    this.#enis.set(eni.id, eni)
    const instanceId = instanceOf(eni)
    this.#log({
      at,
      eni: eni.id,
      change,
      ...(instanceId === undefined ? {} : { instanceId }),
      ...(ips === undefined ? {} : { ips }),
    })
    const touched = instanceId ?? (before === undefined ? undefined : instanceOf(before))
    if (touched === undefined) return
    const inUse = this.ofInstance(touched).filter((other) => other.state.status === 'InUse')
    this.#metadata.record(touched, { at, enis: inUse })
  }

  remove(id: EniId, { at, change }: What): void {
    this.#enis.delete(id)
    this.#log({ at, eni: id, change })
  }

  #log(change: Change): void {
    this.#version += 1
    this.#changes.push(change)
    if (this.#changes.length > KEPT) this.#changes.splice(0, KEPT / 10)
  }
}
