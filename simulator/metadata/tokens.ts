/** Tokens of the metadata service, version 2. */
import { randomBytes } from 'node:crypto'
import type { InstanceId } from '../region/ids.ts'

/** Seconds a token may live (ECS documentation, "Instance metadata"). */
const MAX_TTL = 21_600

interface Token {
  readonly instance: InstanceId
  /** Milliseconds since the epoch. */
  readonly expires: number
}

export class MetadataTokens {
  readonly #tokens = new Map<string, Token>()

  /** @returns undefined when the life is not 1 to 21600 seconds. */
  issue(instance: InstanceId, { ttl, now }: { readonly ttl: string; readonly now: number }): string | undefined {
    const seconds = /^\d{1,6}$/.test(ttl) ? Number(ttl) : 0
    if (seconds < 1 || seconds > MAX_TTL) return undefined
    for (const [text, token] of this.#tokens) if (token.expires <= now) this.#tokens.delete(text)
    const text = randomBytes(32).toString('base64url')
    this.#tokens.set(text, { instance, expires: now + seconds * 1000 })
    return text
  }

  /** A token is worth nothing on another instance. */
  isValid(text: string, { instance, now }: { readonly instance: InstanceId; readonly now: number }): boolean {
    const token = this.#tokens.get(text)
    return token !== undefined && token.instance === instance && token.expires > now
  }
}
