/** Every call of the API, so that tests can count calls and find retry loops. */
import type { NodeName } from '../region/ids.ts'

export interface AuditEntry {
  /** From 1, in the order the calls ended. */
  readonly n: number
  /** When it came: RFC 3339, of the region's clock. */
  readonly time: string
  /** Until its answer, on the region's clock. */
  readonly milliseconds: number
  readonly action: string
  /** The RegionId that was asked for. */
  readonly region?: string
  /** Id of the access key; absent when the call was not authenticated. */
  readonly key?: string
  /** Absent when the call did not come through the VPC. */
  readonly node?: NodeName
  /** Where it came from. */
  readonly address?: string
  /** `OK`, the error code, or `None` when a fault kept the call from the service. */
  readonly code: string
  /** HTTP status; 0 for `None`. */
  readonly status: number
  /** What the caller got instead of the answer. */
  readonly delivery?: string
  /** It changed the state of the cloud. */
  readonly effect: boolean
  /** Ids of the faults that acted on it. */
  readonly faults?: readonly string[]
  readonly requestId: string
  readonly clientToken?: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Entries that are kept; older ones are forgotten. */
const KEPT = 100_000

export class Audit {
  readonly #entries: AuditEntry[] = []
  #calls = 0

  /** The oldest first; their numbers have no gaps. */
  get entries(): readonly AuditEntry[] {
    return this.#entries
  }

  add(entry: Omit<AuditEntry, 'n'>): void {
    this.#entries.push({ n: ++this.#calls, ...entry })
    if (this.#entries.length > KEPT) this.#entries.splice(0, KEPT / 10)
  }

  /** Those after the entry with the number. */
  since(n: number): readonly AuditEntry[] {
    return this.#entries.slice(Math.max(0, n + 1 - (this.#entries[0]?.n ?? 1)))
  }
}
