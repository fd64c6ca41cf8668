/** Keys that RAM roles give out for a time, with the security token that belongs to each (STS). */
import { randomBytes } from 'node:crypto'
import { ApiError } from '../cloud/error.ts'
import type { AccessKeyId, RoleName } from '../region/ids.ts'
import type { AccessKey, RamRole } from '../region/region.ts'

export interface TemporaryKey extends AccessKey {
  readonly role: RoleName
  /** Who took the role, as it called itself. */
  readonly session: string
  readonly securityToken: string
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
}

export type Key = AccessKey | TemporaryKey

/** How denials name the two kinds of callers. */
export function principalOf(key: Key): { readonly type: string; readonly displayName: string } {
  return 'role' in key
    ? { type: 'AssumedRoleUser', displayName: `${key.role}:${key.session}` }
    : { type: 'SubUser', displayName: key.id }
}

/** Keys that expired are remembered that long, ms, to say of them that they expired; afterwards they are unknown. */
const REMEMBERED = 3_600_000
/** Keys that are known; a new one drops the oldest. */
const CAPACITY = 10_000
/** What all tokens begin with. */
const MARK = 'CAIS'

export interface IssueOptions {
  readonly session: string
  /** Seconds. */
  readonly life: number
}

export class TemporaryKeys {
  /** Oldest first: a Map keeps the order of insertion. */
  readonly #keys = new Map<AccessKeyId, TemporaryKey>()
  readonly #now: () => number
  readonly #capacity: number

  /** @param now milliseconds since the epoch, of the region's clock. */
  constructor(now: () => number, capacity = CAPACITY) {
    this.#now = now
    this.#capacity = capacity
  }

  issue(role: RamRole, { session, life }: IssueOptions): TemporaryKey {
    const now = this.#now()
    for (const [id, key] of this.#keys) {
      if (key.expiresAt + REMEMBERED > now && this.#keys.size < this.#capacity) break
      this.#keys.delete(id)
    }
    const key: TemporaryKey = {
      id: `STS.${randomBytes(15).toString('hex')}` as AccessKeyId,
      secret: randomBytes(30).toString('base64url'),
      securityToken: `${MARK}${randomBytes(60).toString('base64url')}`,
      policy: role.policy,
      role: role.name,
      session,
      issuedAt: now,
      expiresAt: now + life * 1000,
    }
    this.#keys.set(key.id, key)
    return key
  }

  find(id: AccessKeyId): TemporaryKey | undefined {
    return this.#keys.get(id)
  }
}

/**
 * The codes are those of the public error center; the documentation of ECS lists none of them.
 * @param token of the header `x-acs-security-token`. @param now milliseconds since the epoch, of the region's clock.
 * @throws ApiError
 */
export function checkSecurityToken(key: Key, token: string | undefined, now: number): void {
  const expected = 'securityToken' in key ? key.securityToken : undefined
  if (token === undefined) {
    if (expected === undefined) return
    throw new ApiError('MissingSecurityToken', `The key ${key.id} is temporary and needs its security token.`)
  }
  if (!/^CAIS[\w-]{40,}$/.test(token)) {
    throw new ApiError('InvalidSecurityToken.Malformed', 'The security token is not one.')
  }
  if (token !== expected) {
    const message = `The security token does not belong to the key ${key.id}.`
    throw new ApiError('InvalidSecurityToken.MismatchWithAccessKey', message)
  }
  if ('expiresAt' in key && key.expiresAt <= now) {
    const message = `The security token expired at ${new Date(key.expiresAt).toISOString()}.`
    throw new ApiError('InvalidSecurityToken.Expired', message)
  }
}

/** `2024-08-30T07:03:06Z`: the official credentials package accepts no other form. */
export function expirationText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z')
}
