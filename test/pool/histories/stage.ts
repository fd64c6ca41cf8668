/** A history's world: region, node, kubelet and neighbours in virtual time, and what happens to them. */
import { pino } from 'pino'
import type { PoolLimits } from '../../../daemon/pool/settings.ts'
import { seededRandom } from '../../../simulator/faults/random.ts'
import type { FaultRequest } from '../../cloud/region-under-test.ts'
import { faultsOf, type Odds, outage } from '../odds.ts'
import { BrokenInvariant, Dead, VirtualNode } from '../virtual-node.ts'
import { VirtualRegion } from '../virtual-region.ts'
import { VirtualTime } from '../virtual-time.ts'
import type { Happening, Scene, Spot } from './history.ts'
import { Kubelet } from './kubelet.ts'
import { Neighbours } from './neighbours.ts'
import { limitsOf, regionOf } from './scene.ts'

/** How long a limit may still be acted on after it was lowered, ms: a decision waits for the look at a vSwitch. */
const LIMIT_LAG = 60_000

/** A crash that is to come. */
interface Trap {
  readonly spot: Spot
  left: number
  readonly pause: number
}

/** The kernel does not do as it is told. */
class DeafKernel extends Error {
  override readonly name = 'DeafKernel'
}

/** Errors that the pool has to live with; any other one that it logs is a fault of its own. */
const EXPECTED: readonly string[] = ['CloudError', 'EniStateError', Dead.name, DeafKernel.name]

export class Stage {
  readonly time = new VirtualTime()
  readonly region: VirtualRegion
  readonly node: VirtualNode
  readonly kubelet: Kubelet
  readonly neighbours: Neighbours
  limits: PoolLimits
  readonly tally = new Map<string, number>()
  readonly #tell: (line: string) => void
  readonly #mostEnis: number
  readonly #began: number
  readonly #faults = new Map<string, string>()
  #traps: Trap[] = []
  #deafUntil = 0
  #formerMaxEnis = { until: 0, most: 0 }
  #broken: unknown

  /** @param tell hears all that happens, a line each */
  constructor(scene: Scene, tell: (line: string) => void = () => undefined) {
    this.#tell = (line) => tell(`${String(this.now).padStart(9)} ms  ${line}`)
    const { chance, transit, coolDown } = scene
    this.limits = limitsOf(scene)
    this.#mostEnis = this.limits.maxEnis
    this.#began = this.time.steady()
    this.region = new VirtualRegion({
      ...{ region: regionOf(scene), time: this.time, seed: chance, transit },
      observe: (moment) => {
        this.#tell(`${moment.moment} ${moment.call.action} ${JSON.stringify(moment.call.query)}`)
        const wrong = moment.moment === 'arrived' ? this.neighbours.judge(moment) : undefined
        if (wrong !== undefined) this.fail(new BrokenInvariant(wrong))
        this.#pass(moment.moment === 'arrived' ? 'call arrived' : 'call answered')
      },
    })
    const limits = () => this.limits
    this.node = new VirtualNode({
      ...{ time: this.time, region: this.region, coolDown, random: seededRandom(chance), log: this.#log() },
      get limits() {
        return limits()
      },
      onWrite: (moment) => this.#pass(moment === 'before' ? 'before write' : 'after write'),
      onForget: () => {
        this.#pass('forgetting')
        if (this.now < this.#deafUntil) throw new DeafKernel('the kernel is asked too much')
      },
    })
    const parts = { node: this.node, time: this.time }
    this.kubelet = new Kubelet({ ...parts, fail: (error) => this.fail(error) })
    this.neighbours = new Neighbours({ ...parts, region: this.region })
    this.count(`mode: ${scene.mode}`)
    this.count('histories')
  }

  /** ms since the beginning */
  get now(): number {
    return this.time.steady() - this.#began
  }

  /** The most that was allowed lately. */
  get maxEnis(): number {
    const { until, most } = this.#formerMaxEnis
    return this.now < until ? Math.max(most, this.limits.maxEnis) : this.limits.maxEnis
  }

  /** What must never happen has; the first is kept. */
  fail(error: unknown): void {
    this.#broken ??= error
  }

  throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken
  }

  count(name: string, by = 1): void {
    this.tally.set(name, (this.tally.get(name) ?? 0) + by)
  }

  start(): void {
    this.node.start().catch((error: unknown) => {
      if (!(error instanceof Dead)) this.fail(error)
    })
  }

  happen(what: Happening): void {
    this.count(`events: ${what.kind}`)
    this.#tell(JSON.stringify(what))
    switch (what.kind) {
      case 'run':
        for (let i = 0; i < what.count; i++) this.kubelet.run(what.pod + i, what.patience)
        return
      case 'end':
        for (let i = 0; i < what.count; i++) this.kubelet.end(what.pod + i)
        return
      case 'recreate':
        this.kubelet.recreate(what.pod)
        return
      case 'crash':
        if (what.spot === 'now') this.#crash(what.spot, what.pause)
        else this.#traps.push({ spot: what.spot, left: what.nth, pause: what.pause })
        return
      case 'reboot':
        this.node.powerOff()
        this.kubelet.machineDied()
        this.#startAfter(what.pause)
        return
      case 'jump':
        // No machine's clock is set to a time before 1970.
        if (this.time.now() + what.by > 0) this.time.jump(what.by)
        return
      case 'limits':
        this.#resize(what.sizing)
        return
      case 'deaf kernel':
        this.#deafUntil = this.now + what.for
        return
      default:
        this.#befall(what)
    }
  }

  /** From now on nothing goes wrong any more, and the daemon runs. */
  calm(): void {
    this.region.clearFaults()
    this.neighbours.finish()
    this.#traps = []
    this.#deafUntil = 0
  }

  #befall(
    what: Exclude<Happening, { kind: 'run' | 'end' | 'recreate' | 'crash' | 'reboot' | 'jump' | 'limits' }>,
  ): void {
    switch (what.kind) {
      case 'trouble':
        for (const [kind, chance] of Object.entries(what.odds)) {
          for (const fault of faultsOf({ [kind]: chance } satisfies Odds)) this.#fault(kind, fault, what.for)
        }
        return
      case 'outage':
        this.#fault('outage', outage(what.for), what.for)
        return
      case 'throttle':
        this.#fault('throttle', { effect: { throttle: what.for } }, what.for)
        return
      case 'dry':
        this.#dry(what.vSwitch, what.for)
        return
      case 'detach':
      case 'delete':
        this.neighbours.take(what.kind, what.which)
        return
      case 'unassign':
        this.neighbours.unassign(what.which)
        return
      case 'neighbour comes':
        this.neighbours.come(what.tagged)
        return
      case 'neighbour goes':
        this.neighbours.go()
        return
      case 'deaf kernel':
        this.#deafUntil = this.now + what.for
    }
  }

  #dry(index: number, milliseconds: number): void {
    const ids = [...this.region.region.vSwitches.keys()]
    const vSwitch = ids[index % ids.length]
    if (vSwitch !== undefined) this.#fault('dry', { effect: { vSwitch, availableIps: 0 } }, milliseconds)
  }

  #fault(kind: string, { select, effect }: FaultRequest, milliseconds: number): void {
    this.#faults.set(this.region.fault({ select: { ...select, for: milliseconds }, effect }), kind)
  }

  /** What has come of faults and neighbours, for the tally. */
  sumUp(): Map<string, number> {
    for (const { change, fault } of this.region.faultChanges) {
      if (change === 'acted') this.count(`faults: ${this.#faults.get(fault)}`)
    }
    for (const [act, times] of this.neighbours.acts) this.count(`others: ${act}`, times)
    for (const [name, times] of Object.entries(this.kubelet.counts)) this.count(`pods: ${name}`, times)
    for (const [action, times] of this.region.counts) this.count(`calls: ${action}`, times)
    this.count('virtual hours', this.now / 3_600_000)
    return this.tally
  }

  #resize(sizing: Partial<PoolLimits>): void {
    const until = this.now + LIMIT_LAG
    this.#formerMaxEnis = { until, most: this.maxEnis }
    const { maxEnis = this.limits.maxEnis } = sizing
    this.limits = { ...this.limits, ...sizing, maxEnis: Math.min(maxEnis, this.#mostEnis) }
    if (this.node.runs) this.node.pool.reconsider()
  }

  #pass(spot: Spot): void {
    for (const trap of this.#traps) if (trap.spot === spot) trap.left -= 1
    const sprung = this.#traps.find(({ left, spot: at }) => at === spot && left <= 0)
    if (sprung === undefined) return
    this.#traps = this.#traps.filter((trap) => trap !== sprung)
    this.#crash(spot, sprung.pause)
  }

  #crash(spot: Spot, pause: number): void {
    if (!this.node.runs) return
    this.count(`crashes: ${spot}`)
    this.#tell(`crash, ${spot}`)
    this.node.kill()
    // Not at this moment: what the runtime hears of it must not be in the middle of what the dead one was doing.
    this.time.after(0, () => this.kubelet.daemonDied())
    this.#startAfter(pause)
  }

  #startAfter(pause: number): void {
    this.time.after(pause, () => {
      if (this.node.runs) return
      this.count('starts')
      this.#tell('start')
      this.start()
    })
  }

  /** A real logger that only listens. */
  #log() {
    return pino({
      level: 'warn',
      hooks: { logMethod: ([fields]: readonly unknown[]) => this.#hear(fields) },
    })
  }

  #hear(fields: unknown): void {
    this.#tell(`log ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.message : value))}`)
    const error = typeof fields === 'object' && fields !== null && 'err' in fields ? fields.err : undefined
    if (!(error instanceof Error) || EXPECTED.includes(error.name)) return
    this.fail(new BrokenInvariant(`the pool has stumbled: ${error.name}: ${error.message}`, { cause: error }))
  }
}
