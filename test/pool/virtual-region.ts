/**
 * The simulated region in virtual time and in this process: the whole of the simulator behind its HTTP server, and
 * transports to it for processes that can be killed at any moment.
 *
 * Nothing of the cloud is made up here: latencies, client tokens, throttling, listings that lag and faults are the
 * gateway's. Only signatures are left out.
 */
import openapi from '@alicloud/openapi-core'
import { type Cloud, createCloud } from '../../cloud/cloud.ts'
import { CloudError } from '../../cloud/error.ts'
import type { CloudCall, Service, Transport } from '../../cloud/transport.ts'
import { ECS, VPC } from '../../simulator/api/action.ts'
import { Audit, type AuditEntry } from '../../simulator/api/audit.ts'
import { Gateway } from '../../simulator/api/gateway.ts'
import type { SignedRequest } from '../../simulator/api/signature.ts'
import { Cloud as SimulatedCloud } from '../../simulator/cloud/cloud.ts'
import { type FaultChange, Faults } from '../../simulator/faults/faults.ts'
import { parseFault } from '../../simulator/faults/parse.ts'
import { seededRandom, seedOf } from '../../simulator/faults/random.ts'
import type { Region } from '../../simulator/region/region.ts'
import type { FaultRequest } from '../cloud/region-under-test.ts'
import type { VirtualProcess, VirtualTime } from './virtual-time.ts'
import { bodyOf } from './wire-answer.ts'

export interface VirtualRegionOptions {
  readonly region: Region
  readonly time: VirtualTime
  /** Of everything random; the region's own unless given. */
  readonly seed?: number
  /**
   * The longest way of a call to the API, ms; each takes a random part of it. A call whose process dies meanwhile arrives
   * or not, by chance; one that has arrived is carried out. 0 unless given: all arrive at once.
   */
  readonly transit?: number
  /** Told of every call twice; the place to kill its process in. Must not throw. */
  readonly observe?: (moment: CallMoment) => void
}

export interface CallMoment {
  readonly process: VirtualProcess
  readonly call: CloudCall
  /** `arrived`: it will be carried out whatever happens; `answered`: the answer is about to leave. */
  readonly moment: 'arrived' | 'answered'
}

const VERSIONS: Readonly<Record<Service, string>> = { ecs: ECS, vpc: VPC }
const NO_BODY = new Uint8Array()
/** As long as the client waits for one answer, ms. */
const ATTEMPT_TIMEOUT = 20_000
const TIME_UP = `not done within ${ATTEMPT_TIMEOUT} ms`

export class VirtualRegion {
  readonly cloud: SimulatedCloud
  readonly region: Region
  readonly #time: VirtualTime
  readonly #transit: number
  readonly #random: () => number
  readonly #audit = new Audit()
  readonly #faults: Faults
  readonly #gateway: Gateway
  readonly #observe: (moment: CallMoment) => void
  readonly #counts = new Map<string, number>()
  #disarm: () => void = () => undefined

  constructor({ region, time, seed = region.seed, transit = 0, observe }: VirtualRegionOptions) {
    const [caller] = region.accessKeys.values()
    if (caller === undefined) throw new Error('the region has no access key')
    this.region = { ...region, seed }
    this.#time = time
    this.#transit = transit
    this.#observe = observe ?? (() => undefined)
    this.#random = seededRandom(seedOf(`${seed} transit`))
    const now = () => time.steady()
    this.#faults = new Faults({ region: this.region, now })
    this.cloud = new SimulatedCloud({ region: this.region, now, faults: this.#faults })
    this.#gateway = new Gateway({
      ...{ cloud: this.cloud, audit: this.#audit, faults: this.#faults, now, caller },
      sleep: (milliseconds) => (milliseconds > 0 ? time.sleep(milliseconds) : Promise.resolve()),
      changed: async () => this.#arm(),
      onInternalError: (cause) => void time.after(0, () => breakOff(cause)),
    })
  }

  /** How often each action was called, in vain too: also calls that a fault kept from the service. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  /** The last calls that were answered, in the order of their answers; the oldest of very many are forgotten. */
  get answered(): readonly AuditEntry[] {
    return this.#audit.entries
  }

  /** From now on it acts. @returns its id @throws FaultError when it is none */
  fault(request: FaultRequest): string {
    return this.#faults.add(parseFault(request, { region: this.region, actions: this.#gateway.actions })).id
  }

  /** What faults have done so far, those that were taken back included. */
  get faultChanges(): readonly FaultChange[] {
    return this.#faults.changes
  }

  clearFaults(): void {
    this.#faults.removeAll()
  }

  /** What somebody does to the cloud behind the API: at once, and no fault is in the way. @throws ApiError */
  change<T>(act: (cloud: SimulatedCloud) => T): T {
    this.cloud.advance()
    const done = act(this.cloud)
    this.#arm()
    return done
  }

  /** The typed client of a process. */
  client(process: VirtualProcess): Cloud {
    return createCloud(this.transport(process), { clock: process })
  }

  /** Each call is one attempt: nothing is repeated, no budget holds it back. A dead process sends nothing. */
  transport(process: VirtualProcess): Transport {
    return async (call, { signal } = {}) => {
      signal?.throwIfAborted()
      if (!process.alive) return await Promise.withResolvers().promise
      const { promise: noAnswer, reject } = Promise.withResolvers<never>()
      const timeUp = () => reject(new CloudError(TIME_UP, { action: call.action, code: 'Timeout' }))
      const abort = () => reject(signal?.reason)
      const cancel = process.after(ATTEMPT_TIMEOUT, timeUp)
      signal?.addEventListener('abort', abort, { once: true })
      try {
        return await process.hear(Promise.race([this.#answer(process, call), noAnswer]))
      } finally {
        cancel()
        signal?.removeEventListener('abort', abort)
      }
    }
  }

  /** Goes on without the process. @throws CloudError */
  async #answer(process: VirtualProcess, call: CloudCall): Promise<unknown> {
    if (this.#transit > 0) {
      await this.#time.sleep(this.#random() * this.#transit)
      const isLost = this.#random() < 0.5
      if (isLost && !process.alive) return await Promise.withResolvers().promise
    }
    this.#counts.set(call.action, (this.#counts.get(call.action) ?? 0) + 1)
    this.#observe({ process, call, moment: 'arrived' })
    const response = await this.#gateway.answer(this.#request(call))
    this.#observe({ process, call, moment: 'answered' })
    return await bodyOf(call.action, response)
  }

  #request({ service, action, query }: CloudCall): SignedRequest {
    const parameters = openapi.OpenApiUtil.query({ RegionId: this.region.id, ...query })
    return {
      ...{ method: 'POST', path: '/', body: NO_BODY, query: new Map(Object.entries(parameters)) },
      headers: new Map([
        ['x-acs-action', action],
        ['x-acs-version', VERSIONS[service]],
      ]),
    }
  }

  /** What the cloud does by itself happens at its time, whether or not somebody calls. */
  #arm(): void {
    this.#disarm()
    const { nextDue } = this.cloud
    if (nextDue === undefined) return
    this.#disarm = this.#time.after(nextDue - this.#time.steady(), () => {
      this.cloud.advance()
      this.#arm()
    })
  }
}

/** A defect of the simulator is no answer that a pool has to live with: it ends the run. */
function breakOff(cause: unknown): never {
  throw new Error('the simulated cloud has failed', { cause })
}
