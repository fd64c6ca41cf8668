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

export interface Capacity {
  readonly entries: number
  /** Characters of all entries together, as JSON. */
  readonly characters: number
}

/** What is kept; the oldest entries are forgotten first. */
const CAPACITY: Capacity = { entries: 100_000, characters: 64 * 1024 * 1024 }
/** Characters of one text; the rest of it is not kept. */
const LONGEST = 1024

export class Audit {
  readonly #capacity: Capacity
  readonly #entries: AuditEntry[] = []
  /** Characters of each entry. */
  readonly #sizes: number[] = []
  #size = 0
  #calls = 0

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity
  }

  /** The oldest first; their numbers have no gaps. */
  get entries(): readonly AuditEntry[] {
    return this.#entries
  }

  add(entry: Omit<AuditEntry, 'n'>): void {
    // Through JSON, since a part of a text would keep the whole of it in memory.
    const text = JSON.stringify({ n: ++this.#calls, ...entry }, cut)
    this.#entries.push(JSON.parse(text) as AuditEntry)
    this.#sizes.push(text.length)
    this.#size += text.length
    while (this.#entries.length > this.#capacity.entries || this.#size > this.#capacity.characters) this.#forget()
  }

  /** Those after the entry with the number. */
  since(n: number): readonly AuditEntry[] {
    return this.#entries.slice(Math.max(0, n + 1 - (this.#entries[0]?.n ?? 1)))
  }

  /** Some at once: taking one from the front of a long list is slow. */
  #forget(): void {
    const count = Math.ceil(this.#entries.length / 10)
    this.#entries.splice(0, count)
    for (const size of this.#sizes.splice(0, count)) this.#size -= size
  }
}

function cut(_: string, value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= LONGEST) return value
  return `${value.slice(0, LONGEST)}… (${value.length} characters)`
}
