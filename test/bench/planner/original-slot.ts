/** One ENI slot of the original (terway, pkg/eni/local.go): it creates, grows and deletes its ENI on its own. */
import type { ModelAddress, ModelEni } from './model-cloud.ts'
import { NODE } from './node.ts'
import type { OriginalFactory } from './original-factory.ts'
import { Request, type World } from './simulation.ts'
import { type Process, Signal, type VirtualTime } from './virtual-time.ts'

/** ms that a slot waits for further requests before it calls the cloud. */
const BATCHING = 300
/** Addresses of one call. */
const BATCH = 10
/** A slot's calls of one kind: ten a minute, two at once. */
const CALL_INTERVAL = 6000
const CALL_BURST = 2

/** What a slot has been asked for: an address for a pod, or one more for the pool. */
export class SlotRequest extends Request {
  readonly kind: 'pod' | 'pool'

  constructor(kind: 'pod' | 'pool', time: VirtualTime) {
    super(time)
    this.kind = kind
  }
}

/** A token bucket as Go's golang.org/x/time/rate has it: one may take a token in advance and wait for it. */
class Limiter {
  #tokens = CALL_BURST
  #since = 0

  /** Takes a token. @returns ms to wait for it. */
  take(now: number): number {
    this.#tokens = Math.min(CALL_BURST, this.#tokens + (now - this.#since) / CALL_INTERVAL) - 1
    this.#since = now
    return Math.max(0, Math.ceil(-this.#tokens * CALL_INTERVAL))
  }
}

type AddressState = 'valid' | 'held' | 'deleting'

export class OriginalSlot {
  readonly #world: World
  readonly #factory: OriginalFactory
  readonly #changed: Signal
  readonly #eniLimiter = new Limiter()
  readonly #addressLimiter = new Limiter()
  #state: 'init' | 'creating' | 'in-use' | 'deleting' = 'init'
  #eni: ModelEni | undefined
  readonly #addresses = new Map<ModelAddress, AddressState>()
  /** No call has been made for these yet. */
  #pending: SlotRequest[] = []
  /** The pods among them, and those whose address somebody else took: no call will be made for them. */
  #line: SlotRequest[] = []

  constructor(world: World, factory: OriginalFactory) {
    this.#world = world
    this.#factory = factory
    this.#changed = new Signal(world.time)
  }

  get processes(): readonly Process[] {
    return [this.#allocating(), this.#disposing()]
  }

  /** The fuller the better; an empty slot comes after every ENI. */
  get priority(): number {
    const base = { deleting: -100, init: 0, creating: 10, 'in-use': 50 }[this.#state]
    return base + this.#addresses.size
  }

  /** Not bound to a pod, whatever else they are, and bound; of an ENI in use only. */
  get usage(): { readonly idle: number; readonly held: number } {
    if (this.#state !== 'in-use') return { idle: 0, held: 0 }
    const held = [...this.#addresses.values()].filter((state) => state === 'held').length
    return { idle: this.#addresses.size - held, held }
  }

  /** @returns whether the slot takes the request on. */
  accept(request: SlotRequest): boolean {
    if (this.#state === 'deleting') return false
    if (request.kind === 'pod') {
      const address = this.#pick((state) => state === 'valid')
      if (address !== undefined) {
        this.#bind(request, address)
        return true
      }
    }
    if (this.#addresses.size + this.#pending.length >= NODE.addressesPerEni) return false
    this.#pending.push(request)
    if (request.kind === 'pod') this.#line.push(request)
    this.#changed.fire()
    return true
  }

  /** Its time is up. */
  giveUp(request: SlotRequest): void {
    if (request.isOver) return
    this.#pending = this.#pending.filter((other) => other !== request)
    this.#line = this.#line.filter((other) => other !== request)
    request.end()
  }

  /** @returns whether the address was one of this slot's. */
  release(address: ModelAddress): boolean {
    if (!this.#addresses.has(address)) return false
    this.#addresses.set(address, 'valid')
    this.#world.cloud.release(address)
    this.#serve()
    return true
  }

  /** Marks up to `count` addresses for deletion. @returns how many it believes to have marked: the primary one counts. */
  dispose(count: number): number {
    if (this.#state !== 'in-use') return 0
    const { idle, held } = this.usage
    this.#changed.fire()
    if (count >= this.#addresses.size && held === 0 && this.#pending.length === 0) {
      this.#state = 'deleting'
      return this.#addresses.size
    }
    const marks = Math.min(idle, count)
    for (let i = 0; i < marks; i++) {
      const address = this.#pick((state) => state === 'valid')
      if (address?.isPrimary === false) this.#addresses.set(address, 'deleting')
    }
    return marks
  }

  *#allocating(): Process {
    for (;;) {
      const isBusy = this.#state === 'creating' || this.#state === 'deleting'
      if (this.#pending.length === 0 || isBusy) {
        yield this.#changed
        continue
      }
      yield BATCHING
      if (this.#eni === undefined) yield* this.#create()
      else if (this.#state === 'in-use') yield* this.#assign(this.#eni)
    }
  }

  *#create(): Process {
    const count = Math.min(BATCH, Math.max(this.#pending.length, 1))
    this.#state = 'creating'
    yield this.#eniLimiter.take(this.#world.time.now)
    const created = yield* this.#factory.create(count)
    this.#eni = created?.eni
    if (created?.isUsable === true) {
      this.#state = 'in-use'
      this.#add(count, [...created.eni.addresses])
    } else {
      this.#state = created === undefined ? 'init' : 'deleting'
    }
    this.#changed.fire()
  }

  *#assign(eni: ModelEni): Process {
    const count = Math.min(BATCH, this.#pending.length)
    if (count === 0) return
    yield this.#addressLimiter.take(this.#world.time.now)
    const addresses = yield* this.#factory.assign(eni, count)
    if (addresses !== undefined) this.#add(count, addresses)
  }

  *#disposing(): Process {
    for (;;) {
      if (this.#eni !== undefined && this.#state === 'deleting') {
        yield* this.#delete(this.#eni)
        continue
      }
      const marked = [...this.#addresses].filter(([, state]) => state === 'deleting').slice(0, BATCH)
      const addresses = marked.map(([address]) => address)
      if (addresses.length > 0 && (yield* this.#factory.unassign(addresses))) {
        for (const address of addresses) this.#addresses.delete(address)
      } else {
        yield this.#changed
      }
    }
  }

  *#delete(eni: ModelEni): Process {
    yield this.#eniLimiter.take(this.#world.time.now)
    if (!(yield* this.#factory.delete(eni))) return
    this.#eni = undefined
    this.#addresses.clear()
    this.#state = 'init'
    this.#changed.fire()
  }

  /** The requests that were first in line when the call was made are paid for; those of the pool end with it. */
  #add(count: number, addresses: readonly ModelAddress[]): void {
    for (const address of addresses) this.#addresses.set(address, 'valid')
    for (const request of this.#pending.splice(0, count)) if (request.kind === 'pool') request.end()
    this.#serve()
  }

  /** Whoever is first takes what there is; if its own call is still to come, that is made for one whose call was in vain. */
  #serve(): void {
    for (;;) {
      const [request] = this.#line
      const address = request && this.#pick((state) => state === 'valid')
      if (request === undefined || address === undefined) return
      this.#line.shift()
      const place = this.#pending.indexOf(request)
      if (place >= 0) {
        this.#pending.splice(place, 1)
        const robbed = this.#line.find((other) => !this.#pending.includes(other))
        if (robbed !== undefined) this.#pending.push(robbed)
      }
      this.#bind(request, address)
    }
  }

  #bind(request: SlotRequest, address: ModelAddress): void {
    this.#addresses.set(address, 'held')
    this.#world.cloud.hold(address)
    request.end(address)
  }

  /** Any: the original goes by the order of a Go map. */
  #pick(isWanted: (state: AddressState) => boolean): ModelAddress | undefined {
    const wanted = [...this.#addresses].filter(([, state]) => isWanted(state))
    return wanted[this.#world.random.below(wanted.length)]?.[0]
  }
}
