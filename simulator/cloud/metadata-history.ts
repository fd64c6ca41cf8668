/** What the metadata service knows of each instance: the ENIs it had a while ago. */
import type { InstanceId } from '../region/ids.ts'
import type { Eni } from './eni.ts'

interface Snapshot {
  readonly at: number
  readonly enis: readonly Eni[]
}

export class MetadataHistory {
  readonly #lag: number
  readonly #snapshots = new Map<InstanceId, Snapshot[]>()

  /** `lag` in milliseconds. */
  constructor(lag: number) {
    this.#lag = lag
  }

  record(instance: InstanceId, snapshot: Snapshot): void {
    const history = this.#snapshots.get(instance) ?? []
    const last = this.#visible(history, snapshot.at)
    this.#snapshots.set(instance, [...history.slice(Math.max(0, last)), snapshot])
  }

  /** The ENIs in use as of `now` minus the lag; before that, as first recorded. */
  enisOf(instance: InstanceId, now: number): readonly Eni[] {
    const history = this.#snapshots.get(instance) ?? []
    return (history[this.#visible(history, now)] ?? history[0])?.enis ?? []
  }

  /** Index of the newest snapshot that is old enough, -1 when there is none. */
  #visible(history: readonly Snapshot[], now: number): number {
    return history.findLastIndex((snapshot) => snapshot.at + this.#lag <= now)
  }
}
