/** Tokens of the metadata service, version 2. */
import { randomBytes } from 'node:crypto'
import type { InstanceId } from '../region/ids.ts'

/** Seconds a token may live (ECS documentation, "Instance metadata"). */
const MAX_TTL = 21_600
/** Tokens of one instance; a new one drops its oldest. */
const CAPACITY = 1000

/** When each token expires, milliseconds since the epoch; oldest first, since a Map keeps the order of insertion. */
type Tokens = Map<string, number>

export class MetadataTokens {
  readonly #capacity: number
  /** What one instance asks for costs no other one its tokens. */
  readonly #byInstance = new Map<InstanceId, Tokens>()

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity
  }

  /** @returns undefined when the life is not 1 to 21600 seconds. */
  issue(instance: InstanceId, { ttl, now }: { readonly ttl: string; readonly now: number }): string | undefined {
    const seconds = /^\d{1,6}$/.test(ttl) ? Number(ttl) : 0
    if (seconds < 1 || seconds > MAX_TTL) return undefined
    const tokens: Tokens = this.#byInstance.get(instance) ?? new Map()
    this.#byInstance.set(instance, tokens)
    for (const [old, expires] of tokens) {
      if (expires > now && tokens.size < this.#capacity) break
      tokens.delete(old)
    }
    const text = randomBytes(32).toString('base64url')
    tokens.set(text, now + seconds * 1000)
    return text
  }

  /** A token is worth nothing on another instance. */
  isValid(text: string, { instance, now }: { readonly instance: InstanceId; readonly now: number }): boolean {
    const expires = this.#byInstance.get(instance)?.get(text)
    return expires !== undefined && expires > now
  }
}
