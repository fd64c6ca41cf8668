/** This project's own pool on a trace: the daemon's code, in virtual time, on the simulated cloud. */

import { type PoolLimits, poolLimits } from '../../../daemon/pool/settings.ts'
import { seededRandom } from '../../../simulator/faults/random.ts'
import { BrokenInvariant, VirtualNode } from '../../pool/virtual-node.ts'
import { VirtualRegion } from '../../pool/virtual-region.ts'
import { VirtualTime } from '../../pool/virtual-time.ts'
import { testRegion } from '../../simulator/region.ts'
import { COOL_DOWN, KUBELET_RETRY, LATENCIES, NODE } from './node.ts'
import { type Score, type Step, score } from './score.ts'
import type { Strategy } from './strategy.ts'
import type { Arrival, Trace } from './trace.ts'

/** As the daemon's, ms. */
const ACQUIRE_TIMEOUT = 30_000
/** `resource_gc.interval_seconds` of the defaults, with the mean of its jitter, ms. */
const GC_INTERVAL = 330_000

export function terway(name: string, limits: Partial<PoolLimits>, remark: string): Strategy {
  return { name, remark, run: (trace, seed) => new Run(trace, seed, limits).score() }
}

export const OURS: readonly Strategy[] = [
  terway('terway-ts fixed 10/25', { minFree: 10, maxFree: 25 }, 'the defaults of eni_conf; cool-down 30 s'),
  terway(
    'terway-ts adaptive',
    { minFree: 10, maxFree: 25, strategy: 'adaptive' },
    'warm_strategy: adaptive, the other defaults; cool-down 30 s',
  ),
]

class Run {
  readonly #trace: Trace
  readonly #time = new VirtualTime()
  readonly #region: VirtualRegion
  readonly #node: VirtualNode
  readonly #start: number
  readonly #random: () => number
  readonly #waits: number[] = []
  readonly #idle: Step[] = [{ at: 0, value: 0 }]
  readonly #enis: Step[] = [{ at: 0, value: 0 }]
  #unserved = 0
  #seen = -1
  #broken: unknown

  constructor(trace: Trace, seed: number, limits: Partial<PoolLimits>) {
    const { create, attach, link, assign, unassign, detach, delete: gone, metadata } = LATENCIES
    const region = testRegion({
      latencies: { create, attach, link, assign, unassign, detach, delete: gone, metadata },
      nodes: [
        {
          name: 'node-a',
          instanceId: 'i-sim-a',
          instanceType: 'ecs.g7.4xlarge',
          vSwitch: 'vsw-sim-h',
          primaryIp: '10.0.1.10',
        },
      ],
    })
    this.#trace = trace
    this.#random = seededRandom(seed)
    this.#region = new VirtualRegion({ region, time: this.#time, seed })
    this.#node = new VirtualNode({
      ...{
        time: this.#time,
        region: this.#region,
        coolDown: COOL_DOWN,
        random: seededRandom(seed),
        interval: GC_INTERVAL,
      },
      limits: poolLimits({
        maxEnis: NODE.enis,
        addressesPerEni: NODE.addressesPerEni,
        minFree: 10,
        maxFree: 25,
        ...limits,
      }),
    })
    this.#start = this.#time.steady()
  }

  async score(): Promise<Score> {
    const { arrivals, outages, horizon } = this.#trace
    void this.#node.start().catch((error: unknown) => this.#fail(error))
    for (const [index, arrival] of arrivals.entries())
      this.#time.after(arrival.at, () => this.#arrive(`p${index}`, arrival))
    for (const { from, until } of outages) {
      this.#time.after(from, () => void this.#region.fault({ effect: { error: 'ServiceUnavailable', status: 503 } }))
      this.#time.after(until, () => this.#region.clearFaults())
    }
    await this.#time.runUntil(() => this.#look(), horizon)
    this.#node.kill()
    if (this.#broken !== undefined) throw this.#broken
    const calls = Object.fromEntries(this.#region.counts)
    return score({ waits: this.#waits, unserved: this.#unserved, idle: this.#idle, enis: this.#enis, calls, horizon })
  }

  get #now(): number {
    return this.#time.steady() - this.#start
  }

  #arrive(name: string, arrival: Arrival): void {
    const gone = new AbortController()
    this.#time.after(arrival.until - this.#now, () => {
      gone.abort(new Error('the pod has ended'))
      this.#node.remove(name)
    })
    void this.#ask(name, arrival, gone.signal).catch((error: unknown) => this.#fail(error))
  }

  async #ask(name: string, { at }: Arrival, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        // An ADD of ours waits for up to half a minute by itself; then the runtime is told.
        await this.#node.add(name, { signal: AbortSignal.any([signal, this.#timeout()]) })
        this.#waits.push(this.#now - at)
        return
      } catch (error) {
        if (error instanceof BrokenInvariant) throw error
      }
      if (signal.aborted) {
        this.#waits.push(this.#now - at)
        this.#unserved += 1
        return
      }
      await this.#time.sleep(KUBELET_RETRY.pause * (1 + KUBELET_RETRY.jitter * this.#random()))
    }
  }

  #timeout(): AbortSignal {
    const expired = new AbortController()
    this.#time.after(ACQUIRE_TIMEOUT, () => expired.abort(new Error('nothing came in time')))
    return expired.signal
  }

  #fail(error: unknown): void {
    this.#broken ??= error
  }

  /** After everything that happens. Ends the run when something is wrong. */
  #look(): boolean {
    const version = this.#region.cloud.version * 100_000 + this.#node.pods.size
    if (version === this.#seen) return this.#broken !== undefined
    this.#seen = version
    const enis = this.#node.enis()
    const assigned = enis.reduce((sum, eni) => sum + 1 + eni.secondaryIps.length, 0)
    this.#idle.push({ at: this.#now, value: Math.max(0, assigned - this.#node.pods.size) })
    this.#enis.push({ at: this.#now, value: enis.length })
    return this.#broken !== undefined
  }
}
