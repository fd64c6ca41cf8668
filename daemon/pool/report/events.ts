/** What the pool tells about itself, and the last of it, kept as Kubernetes keeps events: the same thing once, counted. */
import type { EniId } from '../../../cloud/ids.ts'
import type { PodKey } from '../model.ts'

/** Those that operators know from the original, and some of ours for the node as a whole. */
export type EventReason =
  /** A pod was turned away, or an ENI got no more addresses. */
  | 'AllocIPFailed'
  /** The cloud and the journal differ: what was lost, left behind, taken over, or is somebody else's. */
  | 'ResourceInvalid'
  /** An annotation of the node that cannot be gone by. */
  | 'ConfigError'
  | 'CreateENISucceed'
  | 'CreateENIFailed'
  | 'AttachENISucceed'
  | 'AttachENIFailed'
  | 'DetachENISucceed'
  | 'DetachENIFailed'
  | 'DeleteENISucceed'
  | 'DeleteENIFailed'
  /** Pods are turned away: there are no addresses and none to be had. */
  | 'IPExhausted'
  /** That is over. */
  | 'IPRestored'
  /** So few addresses are free as are to be told of. */
  | 'IPDepleted'
  /** VPC route mode: entries of the VPC's route tables lead the node's prefixes to it from now on. */
  | 'RouteEntryCreated'
  /** They do not: taken by others, refused by the cloud, or there is no room. */
  | 'RouteEntryFailed'
  /** A route table will soon have no room for more nodes. */
  | 'RouteTableFilling'

export interface PoolEvent {
  /** ms since the epoch */
  readonly time: number
  readonly level: 'normal' | 'warning'
  readonly reason: EventReason
  readonly message: string
  /** What it is about; the node when there is neither. */
  readonly pod?: PodKey
  readonly eni?: EniId
  /** The same each time it happens, where the message is not: it may hold a RequestId. */
  readonly key?: string
}

export interface LoggedEvent extends PoolEvent {
  /** Of the first of them; `time` is that of the last. */
  readonly first: number
  readonly count: number
}

/** Events that are kept. */
const KEPT = 100
/** Equal ones that come within this time of the last are one, ms: what the event recorder of Kubernetes does. */
const SAME = 600_000

export class EventLog {
  readonly #kept: LoggedEvent[] = []
  readonly #totals = new Map<EventReason, number>()

  /** The last ones; the latest is last. */
  get latest(): readonly LoggedEvent[] {
    return [...this.#kept]
  }

  /** How many there have been of each reason since the start, those that are not kept any more included. */
  get totals(): ReadonlyMap<EventReason, number> {
    return this.#totals
  }

  add(event: PoolEvent): void {
    this.#totals.set(event.reason, (this.#totals.get(event.reason) ?? 0) + 1)
    const index = this.#kept.findLastIndex((other) => isSame(other, event))
    const [last] = index < 0 ? [] : this.#kept.splice(index, 1)
    this.#kept.push({ ...event, first: last?.first ?? event.time, count: (last?.count ?? 0) + 1 })
    if (this.#kept.length > KEPT) this.#kept.shift()
  }
}

/** The newest message is shown. A clock that was set back makes nothing of them too old. */
function isSame(last: LoggedEvent, event: PoolEvent): boolean {
  return (
    event.time - last.time < SAME &&
    last.level === event.level &&
    last.reason === event.reason &&
    (last.key ?? last.message) === (event.key ?? event.message) &&
    last.pod === event.pod &&
    last.eni === event.eni
  )
}
