/** The original's pool (terway, pkg/eni/manager.go) with its per-ENI back-ends, without control plane. */
import { ImpossibleError, type ModelAddress } from './model-cloud.ts'
import { NODE } from './node.ts'
import { OriginalFactory } from './original-factory.ts'
import { OriginalSlot, SlotRequest } from './original-slot.ts'
import { modelStrategy, type PoolModel, type World } from './simulation.ts'
import type { Strategy } from './strategy.ts'
import type { Process } from './virtual-time.ts'

/** `ip_pool_sync_period`, ms; each pause is lengthened by up to the whole of it. */
const SYNC_PERIOD = 120_000
/** ms for all requests of one sync. */
const SYNC_TIMEOUT = 120_000
/** The daemon's own deadline of a CNI call, ms. */
const CALL_TIMEOUT = 118_000
const CAPACITY = NODE.enis * NODE.addressesPerEni

export interface OriginalSettings {
  /** `min_pool_size`, `max_pool_size`: addresses that no pod holds. */
  readonly min: number
  readonly max: number
}

export class OriginalPool implements PoolModel {
  readonly #world: World
  readonly #settings: OriginalSettings
  readonly #slots: readonly OriginalSlot[]

  constructor(world: World, settings: OriginalSettings) {
    this.#world = world
    this.#settings = settings
    const factory = new OriginalFactory(world)
    this.#slots = Array.from({ length: NODE.enis }, () => new OriginalSlot(world, factory))
  }

  get processes(): readonly Process[] {
    return [...this.#slots.flatMap((slot) => slot.processes), this.#syncing()]
  }

  add(end: number): SlotRequest {
    const request = new SlotRequest('pod', this.#world.time)
    // No slot has room: the call fails at once.
    if (!this.#ask(request, Math.min(end, this.#world.time.now + CALL_TIMEOUT))) request.end()
    return request
  }

  remove(address: ModelAddress): void {
    const slot = this.#slots.find((candidate) => candidate.release(address))
    if (slot === undefined) throw new ImpossibleError('a pod leaves an address that nobody knows')
  }

  /** Offers the request to the slots, the fullest first. @returns whether one took it. */
  #ask(request: SlotRequest, deadline: number): boolean {
    const slots = this.#slots.toSorted((a, b) => b.priority - a.priority)
    const taker = slots.find((slot) => slot.accept(request))
    if (taker !== undefined && !request.isOver) this.#world.time.at(deadline, () => taker.giveUp(request))
    return taker !== undefined
  }

  *#syncing(): Process {
    for (;;) {
      yield* this.#sync()
      yield Math.round(SYNC_PERIOD * (1 + this.#world.random.next()))
    }
  }

  *#sync(): Process {
    const slots = this.#slots.toSorted((a, b) => a.priority - b.priority)
    const usages = slots.map((slot) => slot.usage)
    const idle = usages.reduce((total, usage) => total + usage.idle, 0)
    const held = usages.reduce((total, usage) => total + usage.held, 0)
    let surplus = idle - this.#settings.max
    for (const slot of slots) if (surplus > 0) surplus -= slot.dispose(surplus)
    if (idle + held >= CAPACITY) return
    const missing = Math.max(0, this.#settings.min - idle)
    const deadline = this.#world.time.now + SYNC_TIMEOUT
    const requests = Array.from({ length: missing }, () => new SlotRequest('pool', this.#world.time))
    const accepted = requests.filter((request) => this.#ask(request, deadline))
    for (const request of accepted) if (!request.isOver) yield request.ended
  }
}

/** Under the minimum and maximum of the documents, and of its Helm chart. */
export const ORIGINALS: readonly Strategy[] = [original({ min: 10, max: 25 }), original({ min: 0, max: 5 })]

function original(settings: OriginalSettings): Strategy {
  const name = `original ${settings.min}/${settings.max}`
  const remark = 'min/max pool size; no cool-down: an address goes from pod to pod at once'
  return modelStrategy(name, remark, (world) => new OriginalPool(world, settings))
}
