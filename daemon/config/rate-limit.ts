/** `rate_limit` of eni_conf: calls a second of a kind of change, or calls a minute of an action of the API. */
import { z } from 'zod'
import { ACTIONS } from '../../cloud/actions.ts'
import type { RateLimitConf } from '../../cloud/budget/limits.ts'
import { hintAt } from './nearest.ts'
import { withoutUnset } from './unset.ts'

export interface RateLimit {
  readonly conf: RateLimitConf
  readonly warnings: readonly string[]
}

/** The names in the users' documents; each stands for the actions that `cloud/budget/limits.ts` lists. */
const PER_SECOND = {
  eni_create_qps: 'eniCreateQps',
  eni_delete_qps: 'eniDeleteQps',
  ip_assign_qps: 'ipAssignQps',
  ip_unassign_qps: 'ipUnassignQps',
} as const satisfies Readonly<Record<string, keyof RateLimitConf>>
const BURST = 'burst_size'
const KNOWN: readonly string[] = [...Object.keys(PER_SECOND), BURST, ...ACTIONS]

const rate = z.number('must be a number').min(0, 'must not be negative')

/** With a rate of 0 the original could not make a single call of the action, which nobody can have meant. */
export const RATE_LIMIT = z
  .preprocess(withoutUnset, z.record(z.string(), rate, 'must be an object'))
  .transform((given): RateLimit => {
    const keys = Object.keys(given)
    const unknown = keys.filter((key) => !KNOWN.includes(key))
    const zero = keys.filter((key) => KNOWN.includes(key) && given[key] === 0)
    return {
      conf: confOf(Object.entries(given).filter(([key, value]) => KNOWN.includes(key) && value > 0)),
      warnings: [
        ...unknown.map((key) => `rate_limit.${key} is not known and has no effect${hintAt(key, KNOWN)}`),
        ...zero.map((key) => `rate_limit.${key} is 0, which would allow no call: the default is used`),
      ],
    }
  })

function confOf(given: readonly (readonly [string, number])[]): RateLimitConf {
  const perAction: Record<string, number> = {}
  const conf: { -readonly [key in keyof RateLimitConf]: RateLimitConf[key] } = {}
  for (const [key, value] of given) {
    if (isPerSecond(key)) conf[PER_SECOND[key]] = value
    else if (key === BURST) conf.burstSize = Math.max(1, Math.floor(value))
    else perAction[key] = value
  }
  return Object.keys(perAction).length === 0 ? conf : { ...conf, perAction }
}

function isPerSecond(key: string): key is keyof typeof PER_SECOND {
  return Object.hasOwn(PER_SECOND, key)
}
