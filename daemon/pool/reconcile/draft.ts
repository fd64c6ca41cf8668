/** What a comparison has found so far. */
import type { EniId } from '../../../cloud/ids.ts'
import type { Cidr, Ip } from '../../../inet/address.ts'
import type { Change } from '../model.ts'
import { type PoolState, PoolTables } from '../tables.ts'
import type { ForeignEni } from './ownership.ts'
import type { Suspicion, Suspicions, World } from './world.ts'

export type FindingKind =
  /** Taken into the journal. */
  | 'adopted'
  /** Seen once; acted on when it is seen again. */
  | 'suspected'
  /** On its way back to the cloud. */
  | 'released'
  /** Gone in the cloud, and no pod has it. */
  | 'lost'
  /** Gone in the cloud although a pod has it. */
  | 'ghost'
  /** Lost, and there again. */
  | 'regained'
  /** Somebody else's, attached here. */
  | 'foreign'
  /** Of ours, and not whole: deleted by its id. */
  | 'stray'
  /** To be attached again. */
  | 'reattached'

export interface Finding {
  readonly kind: FindingKind
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  /** `eni` and `ip` or `prefix` name what it is about. */
  readonly fields: Readonly<Record<string, string>>
  /** The comparison before has found it too: of interest to who asks, not to the log. */
  readonly repeated: boolean
}

/** A record, and the addresses and prefixes that are lost if it is. */
export interface Doubtful {
  readonly since: number
  readonly what: Iterable<Ip | Cidr>
}

/** Changes are made on a copy at once, so that what is found later does not contradict them. */
export class Draft {
  readonly world: World
  readonly changes: Change[] = []
  readonly findings: Finding[] = []
  readonly foreign: ForeignEni[] = []
  readonly strays: EniId[] = []
  /** Addresses, and prefixes, that are perhaps gone. */
  readonly doubted = new Set<Ip | Cidr>()
  readonly #tables: PoolTables
  readonly #seen = new Map<Suspicion, number>()

  constructor(world: World) {
    this.world = world
    this.#tables = PoolTables.of(world.state)
  }

  /** With the changes made. */
  get state(): PoolState {
    return this.#tables
  }

  get suspicions(): Suspicions {
    return this.#seen
  }

  change(...changes: readonly Change[]): void {
    this.#tables.apply(changes)
    this.changes.push(...changes)
  }

  report(finding: Omit<Finding, 'repeated'> & Partial<Finding>): void {
    this.findings.push({ repeated: false, ...finding })
  }

  /** Notes what this answer shows. @returns whether the one before has shown it as well */
  note(suspicion: Suspicion): boolean {
    const { suspicions, now } = this.world
    const before = suspicions.get(suspicion)
    // A clock that was set back makes nothing wait for longer.
    this.#seen.set(suspicion, Math.min(before ?? now, now))
    return before !== undefined
  }

  /**
   * Whether the answers before have shown it as well, for so long; if not, it is noted and told. What is confirmed must be
   * acted on: it is not noted, so that after that a single answer, an old one, would not do it again.
   * @param age ms
   */
  confirms(suspicion: Suspicion, told: Pick<Finding, 'message' | 'fields'>, age = 0): boolean {
    const { suspicions, now } = this.world
    const before = suspicions.get(suspicion)
    if (before !== undefined && now - before >= age) return true
    const repeated = this.note(suspicion)
    this.report({ kind: 'suspected', level: 'info', ...told, repeated })
    return false
  }

  /**
   * The same of a loss: until it is confirmed nothing of what may be lost is to be given away.
   * @param of the record that the answer lacks. One that has just changed is not judged, but stays as doubtful as it was.
   */
  confirmsLoss(suspicion: Suspicion, told: Pick<Finding, 'message' | 'fields'>, of: Doubtful): boolean {
    if (this.isSettled(of)) {
      if (this.confirms(suspicion, told)) return true
    } else {
      if (!this.world.suspicions.has(suspicion)) return false
      this.note(suspicion)
    }
    for (const what of of.what) this.doubted.add(what)
    return false
  }

  /** Whether a record of that time can be younger than the cloud's answer. */
  isSettled({ since }: { readonly since: number }): boolean {
    return since <= this.world.settledBefore
  }
}
