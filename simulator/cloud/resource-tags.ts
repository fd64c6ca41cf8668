/** Tags of resources. Every refusal throws ApiError and has changed nothing. */
import { ApiError } from './error.ts'

export type Tags = ReadonlyMap<string, string>

/** Tags of a resource (ECS documentation, "Tag"). */
const TAGS_PER_RESOURCE = 20
/** Changes that are kept; older ones are forgotten. */
const KEPT = 10_000

/** ECS documentation, "Tag": lengths, reserved prefixes, no links. @throws ApiError InvalidTagKey.Malformed */
export function checkTagKey(key: string): void {
  const reserved = /^(aliyun|acs:)/i.test(key)
  if (key.length < 1 || key.length > 128 || reserved || /https?:\/\//.test(key)) {
    throw new ApiError('InvalidTagKey.Malformed', `${JSON.stringify(key)} cannot be the key of a tag.`)
  }
}

/** As `checkTagKey`. @throws ApiError InvalidTagValue.Malformed */
export function checkTagValue(value: string): void {
  if (value.length > 128 || /^acs:|https?:\/\//.test(value)) {
    throw new ApiError('InvalidTagValue.Malformed', `${JSON.stringify(value)} cannot be the value of a tag.`)
  }
}

/** @throws ApiError QuotaExceed.Tags; a tag that is there gets the new value. */
export function withTags(id: string, before: Tags, added: Tags): Tags {
  const all = new Map([...before, ...added])
  if (all.size <= TAGS_PER_RESOURCE) return all
  throw new ApiError('QuotaExceed.Tags', `${id} would have ${all.size} tags of ${TAGS_PER_RESOURCE}.`)
}

/** Keys that are not there are fine. */
export function withoutTags(before: Tags, keys: readonly string[] | 'all'): Tags {
  return new Map(keys === 'all' ? [] : [...before].filter(([key]) => !keys.includes(key)))
}

/** A call that would change nothing has no effect. */
export function sameTags(a: Tags, b: Tags): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

/** One line of the log of changes. */
export interface TagChange {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly resource: string
  readonly change: 'tagged'
}

/** Tags of the resources of one kind, which are there for as long as the simulator is. */
export class ResourceTags<Id extends string> {
  readonly #tags: Map<Id, Tags>
  readonly #now: () => number
  readonly #changes: TagChange[] = []
  #version = 0

  /** @param initial every resource there is. @param now milliseconds since the epoch. */
  constructor(initial: Iterable<readonly [Id, Tags]>, now: () => number) {
    this.#tags = new Map(initial)
    this.#now = now
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version
  }

  get changes(): readonly TagChange[] {
    return this.#changes
  }

  all(): ReadonlyMap<Id, Tags> {
    return this.#tags
  }

  /** @throws ApiError InvalidResourceId.NotFound */
  of(id: Id): Tags {
    const tags = this.#tags.get(id)
    if (tags === undefined) throw new ApiError('InvalidResourceId.NotFound', `The resource ${id} does not exist.`)
    return tags
  }

  /** Changes the tags of every resource, or of none; those that stay as they are do not count as changed. */
  change(ids: readonly Id[], next: (id: Id, before: Tags) => Tags): void {
    const wanted = ids.map((id) => [id, next(id, this.of(id))] as const)
    const changed = wanted.filter(([id, tags]) => !sameTags(this.of(id), tags))
    for (const [id, tags] of changed) {
      this.#tags.set(id, tags)
      this.#version += 1
      this.#changes.push({ at: this.#now(), resource: id, change: 'tagged' })
    }
    if (this.#changes.length > KEPT) this.#changes.splice(0, this.#changes.length - KEPT)
  }
}
