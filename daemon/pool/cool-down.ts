/**
 * The end of cool-downs: an address is free again when its time is over and the node's kernel has forgotten its
 * connections, or the next pod would be sent packets of those of the last.
 */
import type { Logger } from 'pino'
import type { Ip } from '../../inet/address.ts'
import type { PoolClock } from './clock.ts'
import { type AddressPhase, type Change, factsOf } from './model.ts'
import type { PoolState } from './tables.ts'

export interface Conntrack {
  /** Resolves when no connection of one of the addresses is tracked any more that was when it was called. */
  forget(ips: readonly Ip[], how?: Forgetting): Promise<void>
}

export interface Forgetting {
  /** At once, and not again by what was asked for before: somebody is about to use them. */
  readonly urgent?: boolean
}

/**
 * Without a word from the kernel an address is used again this long after its cool-down, ms: connections that see no
 * packet end by themselves within three minutes, apart from established TCP (nf_conntrack_udp_timeout_stream).
 */
const PATIENCE = 300_000
/** After the kernel refused, ms. */
const RETRY = 5_000
/** A pass that takes longer has failed, ms: the slowest that was seen took half a second. */
const PASS_TIMEOUT = 30_000
/** An ADD waits this long for a pass, ms. */
const URGENT_TIMEOUT = 1_000

export interface CoolDownOptions {
  /** The end of an address's time, ms since the epoch; undefined of one that does not cool down. */
  readonly until: (ip: Ip) => number | undefined
  /** Records that they are free. Throws what the journal throws. */
  readonly free: (ips: readonly Ip[]) => void
  readonly conntrack: Conntrack
  readonly clock: PoolClock
  readonly log: Logger
  /** Called when addresses have become free. */
  readonly ended: () => void
}

export class CoolDown {
  readonly #options: CoolDownOptions
  /** Of addresses whose end is under way, or was refused a moment ago. */
  readonly #busy = new Set<Ip>()
  readonly #held = new Set<Ip>()

  constructor(options: CoolDownOptions) {
    this.#options = options
  }

  /** Addresses whose time is over and that are not free, because the kernel has not forgotten their connections. */
  get held(): ReadonlySet<Ip> {
    return this.#held
  }

  /** The pod itself has them again, before their time is over. Never rejects, and does not take long. */
  async cutShort(ips: readonly Ip[]): Promise<void> {
    const { log } = this.#options
    try {
      await this.#forget(ips, URGENT_TIMEOUT, { urgent: true })
    } catch (err) {
      log.warn({ err, ips }, 'a pod has its address again, and the node may still know connections of its last sandbox')
    }
  }

  /** The pod has just gone: what its addresses have left behind goes as well. Never rejects. */
  async began(ips: readonly Ip[]): Promise<void> {
    const { log } = this.#options
    try {
      await this.#forget(ips, PASS_TIMEOUT)
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
    const { clock, log, ended } = this.#options
    try {
      await this.#forget(ips, PASS_TIMEOUT)
      this.#free(ips, 0)
      this.#leave(ips)
    } catch (err) {
      log.error({ err, ips }, 'cannot forget the connections of addresses; they are not given away yet')
      for (const ip of ips) this.#held.add(ip)
      this.#free(ips, PATIENCE)
      clock.after(RETRY, () => {
        this.#leave(ips)
        ended()
      })
    }
    ended()
  }

  /** @throws what the kernel says, or that it says nothing in time */
  async #forget(ips: readonly Ip[], timeout: number, how: Forgetting = {}): Promise<void> {
    const { conntrack, clock } = this.#options
    const { promise: late, reject } = Promise.withResolvers<never>()
    const cancel = clock.after(timeout, () => reject(new Error(`the kernel has not answered for ${timeout} ms`)))
    try {
      await Promise.race([conntrack.forget(ips, how), late])
    } finally {
      cancel()
    }
  }

  #leave(ips: readonly Ip[]): void {
    for (const ip of ips) this.#busy.delete(ip)
  }

  /** Looks again: the pod that had it may have it again by now. */
  #free(ips: readonly Ip[], patience: number): void {
    const { until, clock, free, log } = this.#options
    const now = clock.now()
    const over = ips.filter((ip) => (until(ip) ?? Number.POSITIVE_INFINITY) + patience <= now)
    for (const ip of over) this.#held.delete(ip)
    try {
      free(over)
    } catch (err) {
      log.error({ err }, 'the end of a cool-down cannot be recorded, the journal may be full; it is tried again')
    }
  }
}

/** ms since the epoch; undefined when it does not cool down. */
export function coolsUntil(address: AddressPhase | undefined): number | undefined {
  return address?.phase === 'cooling' ? address.until : undefined
}

/** Those of the pool whose time is over, as they are afterwards. */
export function thawed({ addresses }: Pick<PoolState, 'addresses'>, ips: readonly Ip[], now: number): Change[] {
  return ips.flatMap((ip): Change[] => {
    const address = addresses.get(ip)
    if (address?.phase !== 'cooling') return []
    if (address.lost) return [{ kind: 'drop-address', ip: address.ip }]
    return [{ kind: 'put-address', address: { ...factsOf(address), since: now, phase: 'warm' } }]
  })
}
