/** Looking into a credential, and at everything that must not let one be seen. */
import { inspect } from 'node:util'
import type { TimedCredential } from '../../cloud/credentials/credential.ts'

/** A sealed credential shows its fields only to those who ask for them by name. */
export function reveal(credential: TimedCredential): TimedCredential {
  const { accessKeyId, accessKeySecret, securityToken, expiration } = credential
  return {
    accessKeyId,
    accessKeySecret,
    ...(securityToken === undefined ? {} : { securityToken }),
    ...(expiration === undefined ? {} : { expiration }),
  }
}

/** Every way in which a value, or an error with its causes, ends up in a log. */
export function visibleText(value: unknown): string {
  const own = typeof value === 'object' && value !== null ? { ...value } : {}
  const error = value instanceof Error ? [value.message, value.stack] : []
  const printed = [inspect(value, { depth: 10, showHidden: true }), JSON.stringify(value), String(value)]
  return [...printed, ...error, inspect(own), JSON.stringify(own)].join('\n')
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => {
      throw new Error('it was not rejected')
    },
    (error: unknown) => error,
  )
}
