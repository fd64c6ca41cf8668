/** `eni_conf`: what the operator configures, in the keys of Terway's documents, as one typed value. */
import { z } from 'zod'
import { burstWarnings, type RateLimitConf } from '../../cloud/budget/limits.ts'
import { parseCloudId, type SecurityGroupId, type VSwitchId } from '../../cloud/ids.ts'
import { VSWITCH_POLICIES, type VSwitchPolicy } from '../../cloud/vswitch/choose.ts'
import { DATAPATH_KEYS, type DatapathConf, datapathConf, type RouteConf, routeConf } from './datapath-conf.ts'
import { seconds } from './duration.ts'
import { type Findings, settingOf } from './findings.ts'
import { stripComments } from './json-comments.ts'
import { jsonFault } from './json-fault.ts'
import { type KnownKeys, keyWarnings } from './keys.ts'
import { modeOf } from './mode.ts'
import { parsedString } from './parsed-string.ts'
import { type PoolConf, poolConf } from './pool-conf.ts'
import { POOL_KEYS, POOL_SECTIONS } from './pool-keys.ts'
import { RATE_LIMIT } from './rate-limit.ts'
import { withoutUnset } from './unset.ts'

export interface EniConf {
  readonly accessKey?: { readonly id: string; readonly secret: string }
  /** File with a token that the cluster's add-on manager encrypts and renews. */
  readonly credentialPath: string | undefined
  readonly securityGroups: readonly SecurityGroupId[]
  /** By zone. */
  readonly vSwitches: ReadonlyMap<string, readonly VSwitchId[]>
  /** Where nothing is said of their zones: those of the node's count. */
  readonly vSwitchIds: readonly VSwitchId[]
  readonly vSwitchPolicy: VSwitchPolicy
  readonly rateLimit: RateLimitConf
  readonly eniTags: Readonly<Record<string, string>>
  readonly pool: PoolConf
  readonly datapath: DatapathConf
  /** In VPC route mode, where there is no pool. */
  readonly route: RouteConf | undefined
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

/** ms between a pod's end and the next use of its address. */
const DEFAULT_COOL_DOWN = 30_000

const HALF_A_KEY = 'of access_key and access_secret only one is set; without the other it has no effect'

const BOTH_VSWITCHES = 'vswitches and vswitch_ids are the same setting: leave one of them out'

const securityGroup = parsedString(parseCloudId<SecurityGroupId>)
const securityGroups = z.array(securityGroup).max(10, 'allows 10 security groups').optional()
const vSwitch = parsedString(parseCloudId<VSwitchId>)

const ENI_CONF = z.object({
  version: z.string().optional(),
  access_key: z.string().optional(),
  access_secret: z.string().optional(),
  credential_path: z.string().regex(/^\//, 'must be an absolute path').optional(),
  security_group: securityGroup.optional(),
  ...{ security_groups: securityGroups, security_group_ids: securityGroups },
  vswitches: z.preprocess(withoutUnset, z.record(z.string(), z.array(vSwitch))).optional(),
  vswitch_ids: z.array(vSwitch).optional(),
  vswitch_selection_policy: z
    .enum(VSWITCH_POLICIES, `must be one of ${VSWITCH_POLICIES.join(', ')}`)
    .default('ordered'),
  rate_limit: RATE_LIMIT.prefault({}),
  eni_tags: z.record(z.string(), z.string()).optional(),
  ip_cooldown_seconds: seconds.optional(),
  ...POOL_KEYS,
  ...DATAPATH_KEYS,
})
type Raw = z.infer<typeof ENI_CONF>

export const KNOWN_KEYS: KnownKeys = new Map([
  ['', Object.keys(ENI_CONF.shape)],
  ...Object.entries(POOL_SECTIONS).map(([section, { shape }]) => [section, Object.keys(shape)] as const),
])

/**
 * @param text the file's content: JSON, `//` and `#` comments allowed. A key with null or an empty text is not set.
 * @throws ConfigError that names every wrong key and what it may hold.
 */
export function parseEniConf(text: string): ParsedConf {
  const file = withoutUnset(parseJson(text))
  const { data, error } = ENI_CONF.safeParse(file)
  if (data === undefined) {
    throw refusal(error.issues.map((issue) => `${issue.path.join('.') || 'the file'} ${issue.message}`))
  }
  const findings: Findings = { problems: [], warnings: [] }
  const conf = normalise(data, findings)
  if (findings.problems.length > 0) throw refusal(findings.problems)
  const { access_key: id, access_secret: secret, rate_limit: rateLimit } = data
  const warnings = [
    ...keyWarnings(Object(file), KNOWN_KEYS),
    ...((id === undefined) === (secret === undefined) ? [] : [HALF_A_KEY]),
    ...[...rateLimit.warnings, ...burstWarnings(rateLimit.conf), ...findings.warnings],
  ]
  return { conf, warnings: warnings.map((warning) => `eni_conf: ${warning}`) }
}

function refusal(problems: readonly string[]): ConfigError {
  return new ConfigError(`eni_conf: ${problems.join('; ')}`)
}

function parseJson(text: string): unknown {
  const json = stripComments(text)
  const fault = jsonFault(json)
  if (fault !== undefined) throw new ConfigError(`eni_conf is not JSON: look at ${fault}`)
  return JSON.parse(json)
}

function normalise(raw: Raw, findings: Findings): EniConf {
  const { access_key: id, access_secret: secret } = raw
  const accessKey = id === undefined || secret === undefined ? undefined : { id, secret }
  const mode = modeOf(raw, findings)
  if (raw.vswitches !== undefined && raw.vswitch_ids !== undefined) findings.problems.push(BOTH_VSWITCHES)
  return {
    ...(accessKey === undefined ? {} : { accessKey }),
    securityGroups: groupsOf(raw, findings),
    credentialPath: raw.credential_path,
    vSwitchPolicy: raw.vswitch_selection_policy,
    rateLimit: raw.rate_limit.conf,
    vSwitches: new Map(Object.entries(raw.vswitches ?? {})),
    vSwitchIds: raw.vswitch_ids ?? [],
    eniTags: raw.eni_tags ?? {},
    pool: poolConf(raw, mode, findings),
    datapath: datapathConf(raw, mode, findings),
    route: routeConf(raw, mode, findings),
    coolDown: raw.ip_cooldown_seconds ?? DEFAULT_COOL_DOWN,
  }
}

function groupsOf({ security_group: one, security_groups, security_group_ids }: Raw, findings: Findings) {
  const asSet = (list?: readonly SecurityGroupId[]) => list && [...new Set(list)].sort().join()
  settingOf({ security_groups: asSet(security_groups), security_group_ids: asSet(security_group_ids) }, findings)
  const list = security_groups ?? security_group_ids ?? []
  return [...new Set(one === undefined ? list : [one, ...list])].sort()
}
