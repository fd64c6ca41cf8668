/** What happens by itself some time after a call: ENIs come to the state they are on the way to, or do not. */
import type { EniId } from '../region/ids.ts'
import type { Latencies } from '../region/region.ts'
import { type Eni, type EniState, withState } from './eni.ts'
import type { CloudFaults, TransitionKind } from './faults.ts'
import type { Ledger, What } from './ledger.ts'
import { Schedule } from './schedule.ts'

export interface TransitionOptions {
  readonly ledger: Ledger
  readonly latencies: Latencies
  /** Milliseconds since the epoch; never goes back. */
  readonly now: () => number
  readonly faults: CloudFaults | undefined
  /** Told of an ENI that has just been deleted. */
  readonly gone: (eni: Eni) => void
}

export class Transitions {
  readonly #options: TransitionOptions
  readonly #schedule = new Schedule()
  /** ENIs whose transition was due and did not end. */
  readonly #hanging = new Set<EniId>()
  /** Time of the transition that is running: it may run late, but it happens at its time. */
  #runningAt: number | undefined

  constructor(options: TransitionOptions) {
    this.#options = options
  }

  /** Milliseconds since the epoch. */
  get time(): number {
    return this.#runningAt ?? this.#options.now()
  }

  /** When `advance` has something to do next, milliseconds since the epoch. */
  get nextDue(): number | undefined {
    return this.#schedule.nextDue
  }

  /** Runs what is due. */
  advance(): void {
    for (;;) {
      const due = this.#schedule.takeDue(this.#options.now())
      if (due === undefined) return
      this.#runningAt = due.at
      due.run()
      this.#runningAt = undefined
    }
  }

  later(latency: keyof Latencies, run: () => void): void {
    this.#schedule.add(this.time + this.#options.latencies[latency], run)
  }

  put(eni: Eni, what: Omit<What, 'at'>): void {
    this.#options.ledger.put(eni, { at: this.time, ...what })
  }

  /** Puts the ENI on its way to where `kind` ends. No ENI is on two ways at a time. */
  begin(kind: TransitionKind, eni: Eni, state: EniState): void {
    this.#move(eni, state)
    this.#start(kind, eni.id)
  }

  /** The call was repeated: nothing happens unless the first one hangs. */
  repeat(kind: TransitionKind, { id }: Eni): void {
    if (this.#hanging.has(id)) this.#start(kind, id)
  }

  isHanging({ id }: Eni): boolean {
    return this.#hanging.has(id)
  }

  #start(kind: TransitionKind, id: EniId): void {
    this.#hanging.delete(id)
    const latency = kind !== 'delete' && this.#eni(id).type === 'Member' ? 'member' : kind
    this.later(latency, () => this.#end(kind, this.#eni(id)))
  }

  #end(kind: TransitionKind, eni: Eni): void {
    const fault = this.#options.faults?.transition(kind, eni)
    if (kind === 'attach' && fault === 'fail') {
      this.#move(eni, { status: 'Available' })
    } else if (fault !== undefined) {
      this.#hanging.add(eni.id)
      this.put(eni, { change: 'hangs' })
    } else {
      this.#finish(kind, eni)
    }
  }

  #finish(kind: TransitionKind, eni: Eni): void {
    if (kind === 'attach') {
      this.#finishAttach(eni)
    } else if (kind === 'detach') {
      this.#move(eni, { status: 'Available' })
    } else {
      this.#options.ledger.remove(eni.id, { at: this.time, change: 'gone' })
      this.#options.gone(eni)
    }
  }

  /** A member is a VLAN on a link that is there already. */
  #finishAttach(eni: Eni): void {
    if (eni.state.status !== 'Attaching') throw new Error(`${eni.id} is ${eni.state.status} when its attach ends`)
    const inUse: EniState = { ...eni.state, status: 'InUse', linked: eni.type === 'Member' }
    this.#move(eni, inUse)
    if (!inUse.linked) this.later('link', () => this.#link(eni.id, inUse))
  }

  /** Unless it was detached meanwhile; it may even be on its next attachment. */
  #link(id: EniId, attachment: EniState): void {
    const eni = this.#options.ledger.get(id)
    if (eni?.state !== attachment || attachment.status !== 'InUse') return
    this.put(withState(eni, { ...attachment, linked: true }), { change: 'linked' })
  }

  #move(eni: Eni, state: EniState): void {
    this.put(withState(eni, state), { change: state.status })
  }

  #eni(id: EniId): Eni {
    const eni = this.#options.ledger.get(id)
    if (eni === undefined) throw new Error(`${id} is gone while it is on its way`)
    return eni
  }
}
