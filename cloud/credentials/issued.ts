/** Temporary credentials as the metadata service, STS and a credentials URI issue them: the same four fields of JSON. */
import { z } from 'zod'
import { badAnswer } from '../http-exchange.ts'
import { sealCredential, type TimedCredential } from './credential.ts'
import { isSecretWord } from './secret-file.ts'

export interface Issuer {
  /** Of the errors. */
  readonly action: string
  /** How the errors name the other side. */
  readonly peer: string
}

const word = z.string().refine(isSecretWord)
const ISSUED = z.object({
  AccessKeyId: word,
  AccessKeySecret: word,
  SecurityToken: word,
  Expiration: z.string().transform(parseExpiration).pipe(z.number()),
})

/** @throws CloudError (`BadAnswer`) that names the fields which are missing or malformed. */
export function parseIssued(value: unknown, issuer: Issuer): TimedCredential {
  const result = ISSUED.safeParse(value)
  if (!result.success) {
    throw wrongAnswer(issuer, `a credential with missing or malformed fields: ${badFields(result.error)}`)
  }
  const { AccessKeyId, AccessKeySecret, SecurityToken, Expiration } = result.data
  return sealCredential({
    accessKeyId: AccessKeyId,
    accessKeySecret: AccessKeySecret,
    securityToken: SecurityToken,
    expiration: Expiration,
  })
}

/** @throws CloudError (`BadAnswer`) */
export function parseAnswer(text: string, issuer: Issuer): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes the text.
    throw wrongAnswer(issuer, 'something that is not JSON')
  }
}

/** `2024-08-30T07:03:06Z` in ms since the epoch; undefined when it is not a time in UTC. */
export function parseExpiration(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}

/** The fields that are wrong, each by its name only: zod's own text quotes what stands in them. */
export function badFields({ issues }: z.ZodError): string {
  return [...new Set(issues.map(({ path }) => path.join('.') || 'all of it'))].join(', ')
}

function wrongAnswer(issuer: Issuer, what: string): Error {
  return badAnswer({ ...issuer, advice: 'is it the service itself that answers?' }, `answered ${what}`)
}
