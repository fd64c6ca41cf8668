/** What signs the calls, and where it comes from. */
import { inspect } from 'node:util'
import type { Credential } from '../transport.ts'

export interface TimedCredential extends Credential {
  /** ms since the epoch; without it the credential is good until somebody revokes it. */
  readonly expiration?: number
}

export interface CredentialProvider {
  /** For errors and the log: `RAM role of the instance`. */
  readonly name: string
  /** A new credential is wanted this long before the old one expires, ms; a quarter of an hour unless given. */
  readonly refreshMargin?: number
  /** A new credential is wanted this often even if the old one has not expired, ms. */
  readonly refreshInterval?: number
  /** @throws CloudError that says what failed and what to do, and quotes nothing of a file or an answer. */
  fetch(): Promise<TimedCredential>
}

/**
 * The same credential as a value that gives away nothing when it is logged, printed, spread or made JSON: its fields
 * are not enumerable and have to be asked for by name.
 */
export function sealCredential(credential: TimedCredential): TimedCredential {
  const { accessKeyId, accessKeySecret, securityToken, expiration } = credential
  const redacted = { value: () => '[credential]' }
  const field = (name: string, value: unknown) => (value === undefined ? {} : { [name]: { value } })
  return Object.defineProperties({} as TimedCredential, {
    accessKeyId: { value: accessKeyId },
    accessKeySecret: { value: accessKeySecret },
    ...field('securityToken', securityToken),
    ...field('expiration', expiration),
    toString: redacted,
    toJSON: redacted,
    [inspect.custom]: redacted,
  })
}
