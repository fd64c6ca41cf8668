/** Every call of the API, so that tests can count calls and find retry loops. */
import type { NodeName } from '../region/ids.ts'

export interface AuditEntry {
  /** RFC 3339. */
  readonly time: string
  readonly action: string
  /** Id of the access key; absent when the call was not authenticated. */
  readonly key?: string
  /** Absent when the call did not come through the VPC. */
  readonly node?: NodeName
  /** `OK` or the error code. */
  readonly code: string
  /** HTTP status. */
  readonly status: number
  readonly requestId: string
  readonly clientToken?: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Entries that are kept; older ones are forgotten. */
const KEPT = 100_000

export class Audit {
  readonly #entries: AuditEntry[] = []

  get entries(): readonly AuditEntry[] {
    return this.#entries
  }

  add(entry: AuditEntry): void {
    this.#entries.push(entry)
    if (this.#entries.length > KEPT) this.#entries.splice(0, KEPT / 10)
  }
}
