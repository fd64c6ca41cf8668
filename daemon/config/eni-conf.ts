/** `eni_conf`: what the operator configures, in the keys of Terway's documents, as one typed value. */
import { z } from 'zod'
import { burstWarnings, type RateLimitConf } from '../../cloud/budget/limits.ts'
import { parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { VSWITCH_POLICIES, type VSwitchPolicy } from '../../cloud/vswitch/choose.ts'
import { parseCidr } from '../../inet/address.ts'
import { stripComments } from './json-comments.ts'
import { jsonFault } from './json-fault.ts'
import { hintAt } from './nearest.ts'
import { parsedString } from './parsed-string.ts'
import { RATE_LIMIT } from './rate-limit.ts'
import { withoutUnset } from './unset.ts'

export interface EniConf {
  readonly accessKey?: { readonly id: string; readonly secret: string }
  /** File with a token that the cluster's add-on manager encrypts and renews. */
  readonly credentialPath: string | undefined
  readonly securityGroups: readonly SecurityGroupId[]
  /** By zone; a zone that is missing uses the vSwitch of the node. */
  readonly vSwitches: ReadonlyMap<string, readonly VSwitchId[]>
  readonly vSwitchPolicy: VSwitchPolicy
  readonly rateLimit: RateLimitConf
  readonly eniTags: Readonly<Record<string, string>>
  /** Free addresses kept ready. */
  readonly minPoolSize: number
  /** Free addresses above this go back. */
  readonly maxPoolSize: number
  /** Secondary ENIs at most; undefined for what the instance type allows. */
  readonly maxEni: number | undefined
  /** ms */
  readonly coolDown: number
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export interface ParsedConf {
  readonly conf: EniConf
  /** Of keys that are not known, with the nearest known one, and of what has another effect than it seems. */
  readonly warnings: readonly string[]
}

/** Defaults of the configuration table in the user's documents. */
const DEFAULT_MIN_POOL = 10
const DEFAULT_MAX_POOL = 25
/** Seconds between a pod's end and the next use of its address. */
const DEFAULT_COOL_DOWN = 30

const HALF_A_KEY = 'of access_key and access_secret only one is set; without the other it has no effect'

const count = z.int('must be a whole number').min(0, 'must not be negative')
const securityGroup = parsedString(parseCloudId<SecurityGroupId>)
const vSwitch = parsedString(parseCloudId<VSwitchId>)
const cidrs = z.string('must be a list of prefixes').refine((text) => text.split(',').every(isCidr), {
  message: 'must be prefixes like 172.16.0.0/16, separated by commas',
})

const ENI_CONF = z.object({
  version: z.string().optional(),
  access_key: z.string().optional(),
  access_secret: z.string().optional(),
  credential_path: z.string().regex(/^\//, 'must be an absolute path').optional(),
  security_group: securityGroup.optional(),
  security_groups: z.array(securityGroup).max(10, 'allows 10 security groups').optional(),
  service_cidr: cidrs.optional(),
  vswitches: z.preprocess(withoutUnset, z.record(z.string(), z.array(vSwitch))).optional(),
  vswitch_selection_policy: z
    .enum(VSWITCH_POLICIES, `must be one of ${VSWITCH_POLICIES.join(', ')}`)
    .default('ordered'),
  rate_limit: RATE_LIMIT.prefault({}),
  eni_tags: z.record(z.string(), z.string()).optional(),
  min_pool_size: count.optional(),
  max_pool_size: count.optional(),
  max_eni: count.optional(),
  ip_cooldown_seconds: z.number('must be a number of seconds').min(0, 'must not be negative').optional(),
  network_mode: z.literal('ENIIP', 'must be "ENIIP": other modes are not available yet').optional(),
  ip_stack: z.literal('ipv4', 'must be "ipv4": other stacks are not available yet').optional(),
})
type Raw = z.infer<typeof ENI_CONF>

/**
 * @param text the file's content: JSON, `//` and `#` comments allowed. A key with null or an empty text is not set.
 * @throws ConfigError that names every wrong key and what it may hold.
 */
export function parseEniConf(text: string): ParsedConf {
  const value = parseJson(text)
  const result = ENI_CONF.safeParse(withoutUnset(value))
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'the file'} ${issue.message}`)
    throw new ConfigError(`eni_conf: ${problems.join('; ')}`)
  }
  const conf = normalise(result.data)
  const known = Object.keys(ENI_CONF.shape)
  const unknown = Object.keys(Object(value)).filter((key) => !known.includes(key))
  const { access_key: id, access_secret: secret, rate_limit: rateLimit } = result.data
  const warnings = [
    ...unknown.map((key) => `${key} is not known and has no effect${hintAt(key, known)}`),
    ...((id === undefined) === (secret === undefined) ? [] : [HALF_A_KEY]),
    ...[...rateLimit.warnings, ...burstWarnings(rateLimit.conf)],
  ]
  return { conf, warnings: warnings.map((warning) => `eni_conf: ${warning}`) }
}

function parseJson(text: string): unknown {
  const json = stripComments(text)
  const fault = jsonFault(json)
  if (fault !== undefined) throw new ConfigError(`eni_conf is not JSON: look at ${fault}`)
  return JSON.parse(json)
}

function normalise(raw: Raw): EniConf {
  const maxPoolSize = raw.max_pool_size ?? Math.max(DEFAULT_MAX_POOL, raw.min_pool_size ?? 0)
  const minPoolSize = raw.min_pool_size ?? Math.min(DEFAULT_MIN_POOL, maxPoolSize)
  if (minPoolSize > maxPoolSize) {
    throw new ConfigError(`eni_conf: min_pool_size ${minPoolSize} must not exceed max_pool_size ${maxPoolSize}`)
  }
  const { access_key: id, access_secret: secret } = raw
  const accessKey = id === undefined || secret === undefined ? undefined : { id, secret }
  const groups = [...(raw.security_group === undefined ? [] : [raw.security_group]), ...(raw.security_groups ?? [])]
  return {
    ...(accessKey === undefined ? {} : { accessKey }),
    securityGroups: [...new Set(groups)].sort(),
    credentialPath: raw.credential_path,
    vSwitchPolicy: raw.vswitch_selection_policy,
    rateLimit: raw.rate_limit.conf,
    vSwitches: new Map(Object.entries(raw.vswitches ?? {})),
    eniTags: raw.eni_tags ?? {},
    minPoolSize,
    maxPoolSize,
    maxEni: raw.max_eni || undefined,
    coolDown: (raw.ip_cooldown_seconds ?? DEFAULT_COOL_DOWN) * 1000,
  }
}

function isCidr(text: string): boolean {
  try {
    parseCidr(text.trim())
    return true
  } catch {
    return false // the caller reports it with the key's name
  }
}
