/**
 * When connections of addresses are forgotten: many at once, since a pass goes through all that the node tracks, whatever
 * it looks for; and not all the time, since a node may track hundreds of thousands.
 */
import type { Ip } from '../../inet/address.ts'
import type { PoolClock } from './clock.ts'
import type { Conntrack, Forgetting } from './cool-down.ts'

/** What is asked for within this time is one pass, ms: far less than a cool-down. */
const GATHER = 200
/** Of the time passes take one part in so many. */
const SHARE = 50
/** From the begin of a pass to the next at most, ms: an address must not wait for long where passes are slow. */
const LONGEST_REST = 5_000

export interface ConntrackSweeperOptions {
  readonly clock: PoolClock
  /** One pass. @returns how many connections there were */
  readonly forget: (ips: readonly Ip[]) => Promise<number>
}

interface Batch {
  readonly ips: Set<Ip>
  readonly over: PromiseWithResolvers<void>
  isGathered: boolean
}

export class ConntrackSweeper implements Conntrack {
  readonly #options: ConntrackSweeperOptions
  #batch: Batch | undefined
  /** A pass runs, or the rest after it. */
  #isBusy = false
  #forgotten = 0

  constructor(options: ConntrackSweeperOptions) {
    this.#options = options
  }

  /** Connections forgotten so far. */
  get forgotten(): number {
    return this.#forgotten
  }

  /** Resolves when a pass that began after the call is over; rejects with what it failed for. */
  forget(ips: readonly Ip[], { urgent = false }: Forgetting = {}): Promise<void> {
    if (ips.length === 0) return Promise.resolve()
    if (urgent) return this.#now(ips)
    this.#batch ??= this.#open()
    for (const ip of ips) this.#batch.ips.add(ip)
    return this.#batch.over.promise
  }

  /** Beside what runs or rests; the batch that waits must not end what whoever is waiting begins afterwards. */
  async #now(ips: readonly Ip[]): Promise<void> {
    for (const ip of ips) this.#batch?.ips.delete(ip)
    this.#forgotten += await this.#options.forget(ips)
  }

  #open(): Batch {
    const batch: Batch = { ips: new Set(), over: Promise.withResolvers(), isGathered: false }
    this.#options.clock.after(GATHER, () => {
      batch.isGathered = true
      this.#next()
    })
    return batch
  }

  #next(): void {
    const batch = this.#batch
    if (batch === undefined || !batch.isGathered || this.#isBusy) return
    this.#batch = undefined
    this.#isBusy = true
    void this.#pass(batch)
  }

  /** Never rejects: who asked is told. */
  async #pass({ ips, over }: Batch): Promise<void> {
    const { clock, forget } = this.#options
    const began = clock.now()
    try {
      if (ips.size > 0) this.#forgotten += await forget([...ips])
      over.resolve()
    } catch (error) {
      over.reject(error)
    }
    clock.after(restAfter(clock.now() - began), () => {
      this.#isBusy = false
      this.#next()
    })
  }
}

/** @param took ms, of any size and sign when the machine's clock was set meanwhile */
function restAfter(took: number): number {
  return Math.max(0, Math.min(SHARE * took, LONGEST_REST) - Math.max(0, took))
}
