/** A simulated region without links, and clients of it through the real SDK core. */
import { pino } from 'pino'
import { z } from 'zod'
import { Budget } from '../../cloud/budget/budget.ts'
import type { RateLimitConf } from '../../cloud/budget/limits.ts'
import { fastClock } from '../../cloud/clock.ts'
import { type Cloud, createCloud } from '../../cloud/cloud.ts'
import { type Credential, createTransport, type FinishedCall } from '../../cloud/transport.ts'
import type { Region } from '../../simulator/region/region.ts'
import { type Simulator, startSimulator } from '../../simulator/simulator.ts'

export interface ClientOptions {
  readonly rateLimit?: RateLimitConf
  /** Milliseconds of the region's clock. */
  readonly attemptTimeout?: number
  readonly callTimeout?: number
  readonly credential?: () => Promise<Credential>
}

export interface Client {
  readonly cloud: Cloud
  readonly budget: Budget
  /** Every attempt so far, in the order they ended. */
  readonly calls: readonly FinishedCall[]
}

const KEY: Credential = { accessKeyId: 'LTAIsim', accessKeySecret: 'sim-secret' }

/** One call as the audit has it. */
const ENTRY = z.object({
  time: z.string(),
  action: z.string(),
  code: z.string(),
  clientToken: z.string().optional(),
  parameters: z.record(z.string(), z.string()),
})
export type AuditEntry = z.infer<typeof ENTRY>
const AUDIT = z.object({ calls: z.array(ENTRY) })

const STATE = z.object({
  enis: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      status: z.string(),
      ips: z.array(z.string()),
      tags: z.record(z.string(), z.string()),
    }),
  ),
})
export type EniState = z.infer<typeof STATE>['enis'][number]

/** A fault as `POST /faults` takes it. */
export interface FaultRequest {
  readonly select?: Readonly<Record<string, unknown>>
  readonly effect: Readonly<Record<string, unknown>>
}

export class RegionUnderTest {
  readonly region: Region
  readonly speed: number
  readonly #simulator: Simulator

  private constructor(region: Region, speed: number, simulator: Simulator) {
    this.region = region
    this.speed = speed
    this.#simulator = simulator
  }

  /** @param speed seconds of the region in a real one */
  static async start(region: Region, speed = 1): Promise<RegionUnderTest> {
    const simulator = await startSimulator({
      ...{ region, speed, fabricPrefix: undefined, listen: { host: '127.0.0.1', port: 0 } },
      log: pino({ level: 'silent' }),
    })
    return new RegionUnderTest(region, speed, simulator)
  }

  get url(): string {
    return this.#simulator.ready.api
  }

  /** A client whose clock runs as fast as the region's. */
  client({ rateLimit = {}, attemptTimeout = 20_000, callTimeout = 60_000, credential }: ClientOptions = {}): Client {
    const clock = fastClock(this.speed)
    const budget = new Budget({ conf: rateLimit, clock })
    const calls: FinishedCall[] = []
    const host = new URL(this.url).host
    const transport = createTransport({
      ...{ endpoints: { ecs: host, vpc: host }, scheme: 'http', regionId: this.region.id },
      ...{ budget, clock, attemptTimeout, callTimeout, onCall: (call) => calls.push(call) },
      credential: credential ?? (async () => KEY),
    })
    return { cloud: createCloud(transport, { clock }), budget, calls }
  }

  /** Adds a fault; from the next call on it acts. */
  async fault(request: FaultRequest): Promise<void> {
    const answer = await fetch(`${this.url}/faults`, { method: 'POST', body: JSON.stringify(request) })
    if (answer.status !== 201) throw new Error(`the fault was refused: ${await answer.text()}`)
  }

  async clearFaults(): Promise<void> {
    await fetch(`${this.url}/faults`, { method: 'DELETE' })
  }

  /** Calls so far, oldest first; all of them, or those of one action. */
  async audit(action?: string): Promise<AuditEntry[]> {
    const { calls } = AUDIT.parse(await this.#read('/audit?limit=100000'))
    return calls.filter((call) => action === undefined || call.action === action)
  }

  /** ENIs of the region, primary ones left out. */
  async enis(): Promise<EniState[]> {
    const { enis } = STATE.parse(await this.#read('/state'))
    return enis.filter((eni) => eni.type !== 'Primary')
  }

  async stop(): Promise<void> {
    await this.#simulator.stop()
  }

  async #read(path: string): Promise<unknown> {
    return await (await fetch(`${this.url}${path}`)).json()
  }
}
