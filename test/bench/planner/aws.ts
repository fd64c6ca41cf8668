/**
 * The warm targets of the AWS VPC CNI (amazon-vpc-cni-k8s, pkg/ipamd/ipamd.go, datastore/data_store.go and
 * pkg/awsutils) on this cloud: one loop looks at the totals every five seconds and does one thing at a time.
 */
import { AwsCloud } from './aws-cloud.ts'
import { AwsStore, type StoredEni } from './aws-store.ts'
import type { ModelAddress } from './model-cloud.ts'
import { NODE } from './node.ts'
import { modelStrategy, type PoolModel, Request, type World } from './simulation.ts'
import type { Strategy } from './strategy.ts'
import type { Process } from './virtual-time.ts'

/** `ipPoolMonitorInterval`, ms: half of it before the work, half after it. */
const MONITOR_INTERVAL = 5000
/** `decreaseIPPoolInterval`, ms between two returns of addresses. */
const DECREASE_INTERVAL = 30_000
/** `nodeIPPoolReconcileInterval`, `ipReconcileCooldown`, ms: then what was forgotten but is still there is found again. */
const RECONCILE = 60_000
/** `GetENIIPv4Limit`: pods get no primary address. */
const PER_ENI = NODE.addressesPerEni - 1

export type AwsSettings =
  | { readonly kind: 'eni'; readonly warmEnis: number }
  | { readonly kind: 'ip'; readonly warmIps: number; readonly minimumIps: number }

export class AwsPool implements PoolModel {
  readonly #world: World
  readonly #settings: AwsSettings
  readonly #cloud: AwsCloud
  readonly #store: AwsStore
  #decreasedAt = Number.NEGATIVE_INFINITY

  constructor(world: World, settings: AwsSettings) {
    this.#world = world
    this.#settings = settings
    this.#cloud = new AwsCloud(world)
    this.#store = new AwsStore(world)
  }

  get processes(): readonly Process[] {
    return [this.#managing()]
  }

  /** No address, no waiting: the call fails at once. */
  add(): Request {
    const request = new Request(this.#world.time)
    request.end(this.#store.hold())
    return request
  }

  remove(address: ModelAddress): void {
    this.#store.release(address)
  }

  *#managing(): Process {
    if (this.#isLow()) yield* this.#increase()
    for (;;) {
      yield MONITOR_INTERVAL / 2
      yield* this.#update()
      yield MONITOR_INTERVAL / 2
    }
  }

  *#update(): Process {
    const { now } = this.#world.time
    if (this.#isLow()) {
      yield* this.#increase()
    } else if (this.#over() > 0 && now - this.#decreasedAt > DECREASE_INTERVAL) {
      yield* this.#decrease()
      this.#decreasedAt = this.#world.time.now
    }
    if (this.#mayRemoveEni()) yield* this.#freeEni()
  }

  #isLow(): boolean {
    if (this.#settings.kind === 'ip') return this.#short() > 0
    const { warmEnis } = this.#settings
    const { available } = this.#store
    return available < warmEnis * PER_ENI || (warmEnis === 0 && available === 0)
  }

  /** Addresses missing to the targets; without targets a whole ENI. */
  #short(): number {
    if (this.#settings.kind === 'eni') return PER_ENI
    const { warmIps, minimumIps } = this.#settings
    return Math.max(0, warmIps - this.#store.available, minimumIps - this.#store.total)
  }

  #over(): number {
    if (this.#settings.kind === 'eni') return 0
    const { warmIps, minimumIps } = this.#settings
    return Math.max(0, Math.min(this.#store.available - warmIps, this.#store.total - minimumIps))
  }

  #mayRemoveEni(): boolean {
    return this.#settings.kind === 'ip' || this.#store.available >= (this.#settings.warmEnis + 1) * PER_ENI
  }

  /** Fills the first ENI that has room, or creates one: never two in one round. */
  *#increase(): Process {
    const roomy = this.#store.enis.find((stored) => stored.addresses.size < PER_ENI)
    if (roomy !== undefined) {
      const count = Math.min(PER_ENI - roomy.addresses.size, this.#short())
      const addresses = yield* this.#cloud.assign(roomy.eni, count)
      this.#store.add(roomy, addresses)
    } else if (this.#store.size < NODE.enis) {
      const eni = yield* this.#cloud.allocate(Math.min(this.#short(), PER_ENI))
      if (eni !== undefined) this.#store.addEni(eni)
    }
  }

  *#decrease(): Process {
    let over = this.#over()
    for (const stored of this.#store.enis) {
      const addresses = this.#store.freeOf(stored).slice(0, over)
      if (addresses.length === 0) continue
      for (const address of addresses) stored.addresses.delete(address)
      over -= addresses.length
      if (!(yield* this.#world.cloud.unassign(addresses))) this.#later(() => this.#store.add(stored, addresses))
    }
  }

  *#freeEni(): Process {
    const stored = this.#store.enis.find(
      (candidate) => this.#store.isDeletable(candidate) && !this.#isNeeded(candidate),
    )
    if (stored === undefined) return
    this.#store.removeEni(stored)
    const isFree = yield* this.#cloud.free(stored.eni)
    if (!isFree && stored.eni.state === 'in-use') this.#later(() => this.#store.addEni(stored.eni))
  }

  /** Without the ENI the targets would be missed. */
  #isNeeded(stored: StoredEni): boolean {
    if (this.#settings.kind === 'eni') return false
    const { warmIps, minimumIps } = this.#settings
    const held = this.#store.heldOf(stored)
    const { total, available } = this.#store
    return available - (stored.addresses.size - held) < warmIps || total - stored.addresses.size < minimumIps
  }

  /** What the call left in the cloud comes back with the reconciliation. */
  #later(restore: () => void): void {
    const { time } = this.#world
    time.at(time.now + RECONCILE, restore)
  }
}

/** With the defaults, and with the targets that its documents recommend where addresses are scarce. */
export const AWS: readonly Strategy[] = [
  aws('aws WARM_ENI=1', { kind: 'eni', warmEnis: 1 }),
  aws('aws WARM_IP=10', { kind: 'ip', warmIps: 10, minimumIps: 10 }),
]

function aws(name: string, settings: AwsSettings): Strategy {
  const remark = 'no address: CNI ADD fails and kubelet asks again 10-15 s later; pods get no primary addresses'
  return modelStrategy(name, remark, (world) => new AwsPool(world, settings))
}
