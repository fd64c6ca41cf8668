/**
 * The end of cool-downs: an address is free again when its time is over and the node's kernel has forgotten its
 * connections, or the next pod would be sent packets of those of the last.
 */
import type { Logger } from 'pino'
import type { Ip } from '../../inet/address.ts'
import type { PoolClock } from './clock.ts'
import { type Change, factsOf } from './model.ts'
import type { PoolState } from './tables.ts'

export interface Conntrack {
  /** Resolves when no connection of one of the addresses is tracked any more that was when it was called. */
  forget(ips: readonly Ip[]): Promise<void>
}

/**
 * Without a word from the kernel an address is used again this long after its cool-down, ms: connections that see no
 * packet end by themselves within three minutes, apart from established TCP (nf_conntrack_udp_timeout_stream).
 */
const PATIENCE = 300_000
/** After the kernel refused, ms. */
const RETRY = 5_000

export interface CoolDownOptions {
  readonly state: PoolState
  readonly conntrack: Conntrack
  readonly clock: PoolClock
  readonly log: Logger
  readonly commit: (changes: readonly Change[]) => void
  /** Called when addresses have become free. */
  readonly ended: () => void
}

export class CoolDown {
  readonly #options: CoolDownOptions
  /** Of addresses whose end is under way, or was refused a moment ago. */
  readonly #busy = new Set<Ip>()

  constructor(options: CoolDownOptions) {
    this.#options = options
  }

  /** The pod has just gone: what its addresses have left behind goes as well. Never rejects. */
  async began(ips: readonly Ip[]): Promise<void> {
    const { conntrack, log } = this.#options
    try {
      await conntrack.forget(ips)
    } catch (err) {
      log.warn({ err, ips }, 'cannot forget the connections of an address; it is tried again before it is given away')
    }
  }

  /** Frees those whose time is over. Those that are being freed already are skipped. */
  end(ips: readonly Ip[]): void {
    const due = ips.filter((ip) => !this.#busy.has(ip))
    if (due.length === 0) return
    for (const ip of due) this.#busy.add(ip)
    void this.#end(due)
  }

  async #end(ips: readonly Ip[]): Promise<void> {
    const { conntrack, clock, log, ended } = this.#options
    try {
      await conntrack.forget(ips)
      this.#free(ips, 0)
      this.#leave(ips)
    } catch (err) {
      log.error({ err, ips }, 'cannot forget the connections of addresses; they are not given away yet')
      this.#free(ips, PATIENCE)
      clock.after(RETRY, () => {
        this.#leave(ips)
        ended()
      })
    }
    ended()
  }

  #leave(ips: readonly Ip[]): void {
    for (const ip of ips) this.#busy.delete(ip)
  }

  /** Looks again: the pod that had it may have it again by now. */
  #free(ips: readonly Ip[], patience: number): void {
    const { state, clock, commit, log } = this.#options
    const now = clock.now()
    const over = ips.flatMap((ip) => {
      const address = state.addresses.get(ip)
      return address?.phase === 'cooling' && address.until + patience <= now ? [address] : []
    })
    try {
      commit(
        over.map((address) => ({ kind: 'put-address', address: { ...factsOf(address), since: now, phase: 'warm' } })),
      )
    } catch (err) {
      log.error({ err }, 'the end of a cool-down cannot be recorded, the journal may be full; it is tried again')
    }
  }
}
