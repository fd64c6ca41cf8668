/** `rate_limit` of eni_conf: calls a second of a kind of change, or calls a minute of an action of the API. */
import { z } from 'zod'
import type { RateLimitConf } from '../../cloud/budget/limits.ts'

const rate = z.number('must be a number').positive('must be above 0')

/** The names in the users' documents; each stands for the actions that `cloud/budget/limits.ts` lists. */
const PER_SECOND = {
  eni_create_qps: 'eniCreateQps',
  eni_delete_qps: 'eniDeleteQps',
  ip_assign_qps: 'ipAssignQps',
  ip_unassign_qps: 'ipUnassignQps',
} as const satisfies Readonly<Record<string, keyof RateLimitConf>>

/** Actions are written as the API has them: `CreateNetworkInterface`. */
const ACTION = /^[A-Z][A-Za-z0-9]+$/

export const RATE_LIMIT = z.record(z.string(), rate, 'must be an object').transform((given, context): RateLimitConf => {
  const perAction: Record<string, number> = {}
  const conf: { -readonly [key in keyof RateLimitConf]: RateLimitConf[key] } = {}
  for (const [key, value] of Object.entries(given)) {
    if (isPerSecond(key)) conf[PER_SECOND[key]] = value
    else if (key === 'burst_size') conf.burstSize = Math.max(1, Math.floor(value))
    else if (ACTION.test(key)) perAction[key] = value
    else {
      const allowed = [...Object.keys(PER_SECOND), 'burst_size'].join(', ')
      context.addIssue({ code: 'custom', message: `has no ${key}: there are ${allowed} and the names of actions` })
    }
  }
  return Object.keys(perAction).length === 0 ? conf : { ...conf, perAction }
})

function isPerSecond(key: string): key is keyof typeof PER_SECOND {
  return Object.hasOwn(PER_SECOND, key)
}
