/** The cloud as the rivals' models see it: ENIs, their addresses, who holds them, and every call that was made. */
import { LATENCIES, NODE, UNREACHABLE } from './node.ts'
import type { Step } from './score.ts'
import type { Outage } from './trace.ts'
import type { Process, VirtualTime } from './virtual-time.ts'

export type CallName = 'describe' | 'create' | 'attach' | 'modify' | 'assign' | 'unassign' | 'detach' | 'delete'

export interface Call {
  readonly at: number
  readonly name: CallName
  /** Addresses asked for or given back, the primary one of a new ENI included. */
  readonly addresses: number
  readonly isFailed: boolean
}

export class ModelAddress {
  readonly eni: ModelEni
  readonly isPrimary: boolean

  constructor(eni: ModelEni, isPrimary: boolean) {
    this.eni = eni
    this.isPrimary = isPrimary
  }
}

export class ModelEni {
  readonly addresses = new Set<ModelAddress>()
  state: 'available' | 'attaching' | 'in-use' | 'detaching' | 'deleting' | 'gone' = 'available'
  /** When the guest has its link and the metadata service shows it, ms; nothing before it is attached. */
  usableAt: number | undefined
}

/** One pod's time on an address. */
export interface Holding {
  readonly address: ModelAddress
  readonly from: number
  until: number | undefined
}

/** An address is missing, taken twice or left twice: the model that did it is wrong. */
export class ImpossibleError extends Error {
  override readonly name = 'ImpossibleError'
}

export class ModelCloud {
  readonly calls: Call[] = []
  readonly holdings: Holding[] = []
  readonly idle: Step[] = []
  readonly enis: Step[] = []
  readonly #time: VirtualTime
  readonly #outages: readonly Outage[]
  readonly #holders = new Map<ModelAddress, Holding>()
  readonly #enis = new Set<ModelEni>()

  constructor(time: VirtualTime, outages: readonly Outage[]) {
    this.#time = time
    this.#outages = outages
  }

  /** A new ENI of so many addresses, its primary one included; none if the API is away. */
  *create(addresses: number): Process<ModelEni | undefined> {
    if (!(yield* this.#reach('create', addresses))) return undefined
    const eni = new ModelEni()
    this.#enis.add(eni)
    this.#grow(eni, addresses, true)
    yield LATENCIES.create
    return eni
  }

  /** The attaching begins: the ENI is usable later. False if the API is away or the node has no room for it. */
  *attach(eni: ModelEni): Process<boolean> {
    const attached = [...this.#enis].filter(({ state }) => state !== 'available' && state !== 'deleting').length
    if (attached >= NODE.enis) {
      this.refuse('attach')
      return false
    }
    if (!(yield* this.#reach('attach'))) return false
    this.#move(eni, ['available'], 'attaching')
    const inUseAt = this.#time.now + LATENCIES.attach
    eni.usableAt = inUseAt + Math.max(LATENCIES.link, LATENCIES.metadata)
    this.#time.at(inUseAt, () => this.#move(eni, ['attaching'], 'in-use'))
    return true
  }

  *assign(eni: ModelEni, addresses: number): Process<readonly ModelAddress[] | undefined> {
    if (!(yield* this.#reach('assign', addresses))) return undefined
    if (eni.addresses.size + addresses > NODE.addressesPerEni) throw new ImpossibleError('the ENI is full')
    const assigned = this.#grow(eni, addresses, false)
    yield LATENCIES.assign
    return assigned
  }

  *unassign(addresses: readonly ModelAddress[]): Process<boolean> {
    if (!(yield* this.#reach('unassign', addresses.length))) return false
    for (const address of addresses) {
      if (address.isPrimary || this.#holders.has(address) || !address.eni.addresses.delete(address)) {
        throw new ImpossibleError('this address cannot be unassigned')
      }
    }
    this.#record()
    yield LATENCIES.unassign
    return true
  }

  *detach(eni: ModelEni): Process<boolean> {
    if (!(yield* this.#reach('detach'))) return false
    this.#move(eni, ['in-use'], 'detaching')
    this.#time.at(this.#time.now + LATENCIES.detach, () => this.#move(eni, ['detaching'], 'available'))
    return true
  }

  /** False if the API is away or the ENI is not detached yet. */
  *delete(eni: ModelEni): Process<boolean> {
    if (eni.state === 'detaching') {
      this.refuse('delete')
      return false
    }
    if (!(yield* this.#reach('delete'))) return false
    this.#move(eni, ['available'], 'deleting')
    this.#time.at(this.#time.now + LATENCIES.delete, () => this.#remove(eni))
    return true
  }

  /** A call that only reads. */
  *describe(): Process<boolean> {
    return yield* this.#reach('describe')
  }

  /** A call that changes what nobody measures. */
  *modify(): Process<boolean> {
    return yield* this.#reach('modify')
  }

  /** A call that the cloud answers at once: not possible. */
  refuse(name: CallName, addresses = 0): void {
    this.#log(name, addresses, true)
  }

  hold(address: ModelAddress): void {
    const { eni } = address
    const isUsable = eni.state === 'in-use' && eni.usableAt !== undefined && eni.usableAt <= this.#time.now
    if (!isUsable || !eni.addresses.has(address)) throw new ImpossibleError('this address cannot be used')
    if (this.#holders.has(address)) throw new ImpossibleError('one address for two pods')
    const holding = { address, from: this.#time.now, until: undefined }
    this.#holders.set(address, holding)
    this.holdings.push(holding)
    this.#record()
  }

  release(address: ModelAddress): void {
    const holding = this.#holders.get(address)
    if (holding === undefined) throw new ImpossibleError('nobody holds this address')
    holding.until = this.#time.now
    this.#holders.delete(address)
    this.#record()
  }

  *#reach(name: CallName, addresses = 0): Process<boolean> {
    const { now } = this.#time
    const isAway = this.#outages.some(({ from, until }) => from <= now && now < until)
    this.#log(name, addresses, isAway)
    if (isAway) yield UNREACHABLE
    return !isAway
  }

  #log(name: CallName, addresses: number, isFailed: boolean): void {
    this.calls.push({ at: this.#time.now, name, addresses, isFailed })
  }

  #grow(eni: ModelEni, count: number, isNew: boolean): readonly ModelAddress[] {
    const addresses = Array.from({ length: count }, (_, index) => new ModelAddress(eni, isNew && index === 0))
    for (const address of addresses) eni.addresses.add(address)
    this.#record()
    return addresses
  }

  #move(eni: ModelEni, from: readonly ModelEni['state'][], to: ModelEni['state']): void {
    if (!from.includes(eni.state)) throw new ImpossibleError(`an ENI that is ${eni.state} cannot become ${to}`)
    eni.state = to
  }

  #remove(eni: ModelEni): void {
    this.#move(eni, ['deleting'], 'gone')
    this.#enis.delete(eni)
    this.#record()
  }

  #record(): void {
    const assigned = [...this.#enis].reduce((total, { addresses }) => total + addresses.size, 0)
    note(this.idle, { at: this.#time.now, value: assigned - this.#holders.size })
    note(this.enis, { at: this.#time.now, value: this.#enis.size })
  }
}

/** Of several values at one moment the last one counts. */
function note(steps: Step[], step: Step): void {
  if (steps.at(-1)?.at === step.at) steps.pop()
  if (steps.at(-1)?.value !== step.value) steps.push(step)
}
