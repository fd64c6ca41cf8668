/** The pool's effects by themselves: on records that a test puts down, against the simulated cloud in virtual time. */
import { pino } from 'pino'
import type { Priority } from '../../cloud/budget/priority.ts'
import type { CreateEni } from '../../cloud/ecs.ts'
import { type InstanceId, parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { EffectRunner, type EffectRunnerOptions } from '../../daemon/pool/effect-runner.ts'
import type { EniLinks, ReadyEni } from '../../daemon/pool/effects.ts'
import type {
  AssignKind,
  AssignToken,
  Change,
  EniKey,
  EniRecord,
  EniRole,
  KnownEni,
  NewAddresses,
} from '../../daemon/pool/model.ts'
import { PoolTables } from '../../daemon/pool/tables.ts'
import { INTENT_TAG } from '../../daemon/pool/tags.ts'
import { parseCidr } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import { addressesOf, type Eni, instanceOf } from '../../simulator/cloud/eni.ts'
import { DUAL_STACK } from '../simulator/dual-stack.ts'
import { testRegion } from '../simulator/region.ts'
import { VirtualRegion } from './virtual-region.ts'
import { type VirtualProcess, VirtualTime } from './virtual-time.ts'

export const HERE = parseCloudId<InstanceId>('i-sim-a')
const VSWITCH = parseCloudId<VSwitchId>('vsw-sim-h')
const CIDR = parseCidr('10.0.1.0/24')
const CIDR6 = parseCidr('2001:db8:0:1a01::/64')
const GROUP = parseCloudId<SecurityGroupId>('sg-sim')

/** ms; no two kinds alike. */
export const LATENCIES = {
  ...{ create: 500, attach: 3_000, detach: 2_700, delete: 1_400, assign: 600, unassign: 400, metadata: 0 },
  ...{ link: 1_300, member: 1_600 },
}

export interface BenchOptions {
  readonly region?: Readonly<Record<string, unknown>>
  readonly links?: Partial<EniLinks>
  readonly linkTimeout?: number
  readonly attachAttempts?: number
  readonly priority?: Priority
}

export class EffectBench {
  readonly time = new VirtualTime()
  readonly region: VirtualRegion
  readonly tables = new PoolTables()
  readonly ready = new Map<EniKey, ReadyEni>()
  readonly gaveUp: string[] = []
  readonly options: BenchOptions
  process: VirtualProcess
  runner: EffectRunner
  #keys = 0
  #stop = new AbortController()

  constructor(options: BenchOptions = {}) {
    this.options = options
    const region = testRegion({ ...DUAL_STACK, latencies: LATENCIES, ...options.region })
    this.region = new VirtualRegion({ region, time: this.time })
    this.process = this.time.process()
    this.runner = this.#newRunner()
  }

  /** The process dies and starts again on what is recorded. */
  restart(): void {
    this.process.kill()
    this.ready.clear()
    this.process = this.time.process()
    this.#stop = new AbortController()
    this.runner = this.#newRunner()
    this.step()
  }

  stop(): void {
    this.#stop.abort(new Error('stopped'))
  }

  commit(changes: readonly Change[]): void {
    this.tables.check(changes)
    this.tables.apply(changes)
  }

  /** Puts a record down that asks for an ENI. */
  create(role: EniRole, wanted: NewAddresses = { secondaryIps: 0 }): EniKey {
    const key = `eni-key-${++this.#keys}` as EniKey
    const request: CreateEni & NewAddresses = {
      ...{ vSwitchId: VSWITCH, securityGroupIds: [GROUP], tags: { [INTENT_TAG]: key }, clientToken: key },
      ...(role === 'trunk' ? { type: 'Trunk' as const } : {}),
      ...wanted,
    }
    const since = this.process.now()
    const eni = { phase: 'creating', key, role, vSwitchId: VSWITCH, cidr: CIDR, cidr6: CIDR6, request, since } as const
    this.commit([{ kind: 'put-eni', eni }])
    this.step()
    return key
  }

  assign(eni: EniKey, what: AssignKind, count: number): AssignToken {
    const token = `token-${++this.#keys}` as AssignToken
    this.commit([{ kind: 'put-assign', assign: { token, eni, what, count, since: this.process.now() } }])
    this.step()
    return token
  }

  /** Marks the ENI's secondary addresses and its prefixes. */
  unassign(key: EniKey): void {
    const since = this.process.now()
    const leaving = [...this.tables.addressesOf(key)].filter(({ primary }) => !primary)
    this.commit([
      ...leaving.map(({ ip, eni, primary, prefix }): Change => {
        const facts = { ip, eni, primary, since, ...(prefix === undefined ? {} : { prefix }) }
        return { kind: 'put-address', address: { ...facts, phase: 'unassigning' } }
      }),
      ...this.tables
        .prefixesOf(key)
        .map((prefix): Change => ({ kind: 'put-prefix', prefix: { ...prefix, phase: 'unassigning' } })),
    ])
    this.step()
  }

  rephase(key: EniKey, phase: KnownEni['phase']): void {
    this.commit([{ kind: 'put-eni', eni: { ...this.known(key), phase, since: this.process.now() } }])
    this.step()
  }

  known(key: EniKey): KnownEni {
    const eni = this.tables.enis.get(key)
    if (eni === undefined || eni.phase === 'creating') throw new Error(`${key} is ${eni?.phase ?? 'not on record'}`)
    return eni
  }

  phaseOf(key: EniKey): EniRecord['phase'] | undefined {
    return this.tables.enis.get(key)?.phase
  }

  /** As the pool does whenever something has happened. */
  step(): void {
    for (const key of [...this.tables.enis.keys()]) void this.runner.start(key)
  }

  /** Until nothing runs and nothing waits for its next try. @returns ms that it took */
  async settle(limit = 600_000): Promise<number> {
    const begin = this.time.steady()
    const isQuiet = () => this.runner.busy.size === 0 && this.runner.nextTry === undefined
    if (!(await this.time.runUntil(isQuiet, limit))) throw new Error('it does not come to rest')
    return this.time.steady() - begin
  }

  /** Until the ENI can be used. */
  async untilReady(key: EniKey, limit = 600_000): Promise<void> {
    const isReady = () => this.phaseOf(key) === 'in-use' && this.ready.has(key)
    if (!(await this.time.runUntil(isReady, limit))) throw new Error(`${key} is not ready`)
  }

  /** The ENI of the cloud that the record is of. */
  eni(key: EniKey): Eni {
    const id: string = this.known(key).id
    const eni = this.region.cloud.enis().find((other) => other.id === id)
    if (eni === undefined) throw new Error(`${id} is not in the cloud`)
    return eni
  }

  /** Since the last time it was asked, by action. */
  calls(): Readonly<Record<string, number>> {
    const now = new Map(this.region.counts)
    const before = this.#counted
    this.#counted = now
    const counts = [...now].map(([action, count]) => [action, count - (before.get(action) ?? 0)] as const)
    return Object.fromEntries(counts.filter(([, count]) => count > 0))
  }

  #counted: ReadonlyMap<string, number> = new Map()

  /** The pool's addresses and prefixes of each ENI. */
  recorded() {
    return [...this.tables.enis.values()].map(({ key }) => ({
      id: String(this.known(key).id),
      ips: [...this.tables.addressesOf(key)].flatMap(({ ip, prefix }) => (prefix === undefined ? [ip] : [])).sort(),
      prefixes: this.tables
        .prefixesOf(key)
        .map(({ cidr }) => cidr)
        .sort(),
    }))
  }

  /** The same of the cloud; its primary ENIs left out. */
  actual() {
    return this.region.cloud.enis().flatMap((eni) =>
      eni.type === 'Primary'
        ? []
        : [
            {
              id: String(eni.id),
              ips: [...addressesOf(eni), ...eni.ipv6s].sort(),
              prefixes: [...eni.ipv4Prefixes, ...eni.ipv6Prefixes].sort(),
            },
          ],
    )
  }

  #newRunner(): EffectRunner {
    const { process, tables, ready, options } = this
    const giveUp: EffectRunnerOptions['giveUp'] = (eni, error, assign) => {
      this.gaveUp.push(`${assign?.what ?? eni.phase}: ${error instanceof Error ? error.message : String(error)}`)
      if (assign !== undefined) this.commit([{ kind: 'drop-assign', token: assign.token }])
      else if (eni.phase === 'creating') this.commit([{ kind: 'drop-eni', key: eni.key }])
      else if (eni.phase === 'attaching') this.commit([{ kind: 'put-eni', eni: { ...eni, phase: 'deleting' } }])
    }
    return new EffectRunner({
      context: {
        ...{ state: tables, cloud: this.region.client(process), links: this.#links(), instanceId: HERE },
        ...{ clock: process, signal: this.#stop.signal, linkTimeout: options.linkTimeout ?? 15_000 },
        priority: () => options.priority ?? 'prewarm',
        commit: (changes) => this.commit(changes),
        ready: (key) => ready.get(key),
        setReady: (eni) => void ready.set(eni.key, eni),
        unsetReady: (key) => void ready.delete(key),
      },
      log: pino({ level: 'silent' }),
      ended: () => {
        this.step()
        this.#wakeUp()
      },
      giveUp,
      refused: (error) => void this.gaveUp.push(String(error)),
      random: () => 0.5,
      ...(options.attachAttempts === undefined ? {} : { attachAttempts: options.attachAttempts }),
    })
  }

  #wakeUp(): void {
    const { nextTry } = this.runner
    if (nextTry !== undefined) this.process.after(nextTry - this.process.now() + 1, () => this.step())
  }

  /** As the guest has them: each device that the cloud has plugged in. */
  #links(): EniLinks {
    const find: EniLinks['find'] = (mac) => {
      const eni = this.region.cloud.enis().find((other) => other.mac === mac && String(instanceOf(other)) === HERE)
      if (eni?.state.status !== 'InUse' || !eni.state.linked || eni.type === 'Member') return undefined
      return { name: parseLinkName(`eth${eni.state.deviceIndex}`), ifindex: 10 + eni.state.deviceIndex }
    }
    return { find, program: () => undefined, clear: async () => undefined, ...this.options.links }
  }
}
