/** RRSA (RAM roles for service accounts) as ACK's webhook describes it in a pod's environment. */
import { hostOf, schemeOf } from '../endpoint.ts'
import type { RegionId } from '../ids.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface OidcSettings {
  readonly roleArn: string
  readonly providerArn: string
  readonly tokenFile: string
  readonly sessionName: string
  /** Of STS: scheme, host and port. */
  readonly endpoint: string
}

export const OIDC_VARIABLES = {
  roleArn: 'ALIBABA_CLOUD_ROLE_ARN',
  providerArn: 'ALIBABA_CLOUD_OIDC_PROVIDER_ARN',
  tokenFile: 'ALIBABA_CLOUD_OIDC_TOKEN_FILE',
} as const

/** Appears in ActionTrail as the caller's name. */
const DEFAULT_SESSION = 'terway'

export type OidcEnvironment =
  | { readonly kind: 'absent' }
  | { readonly kind: 'incomplete'; readonly missing: readonly string[] }
  | { readonly kind: 'complete'; readonly settings: OidcSettings }

/** @param regionId of the node: STS is asked there unless the environment names another region. */
export function readOidcEnvironment(env: Environment, regionId?: RegionId): OidcEnvironment {
  const { roleArn, providerArn, tokenFile } = OIDC_VARIABLES
  const values = { roleArn: env[roleArn] ?? '', providerArn: env[providerArn] ?? '', tokenFile: env[tokenFile] ?? '' }
  const missing = Object.values(OIDC_VARIABLES).filter((name) => !env[name])
  if (missing.length === Object.keys(OIDC_VARIABLES).length) return { kind: 'absent' }
  if (missing.length > 0) return { kind: 'incomplete', missing }
  const sessionName = env.ALIBABA_CLOUD_ROLE_SESSION_NAME || DEFAULT_SESSION
  return { kind: 'complete', settings: { ...values, sessionName, endpoint: stsEndpoint(env, regionId) } }
}

/**
 * STS is always asked by https: the token is all it takes to be the role. Only an endpoint that the operator names with
 * STS_ENDPOINT, as a host or a URL of which the host counts, follows ALICLOUD_CLIENT_SCHEME like the other endpoints.
 */
function stsEndpoint(env: Environment, regionId: RegionId | undefined): string {
  if (env.STS_ENDPOINT) return `${schemeOf(env)}://${hostOf(env.STS_ENDPOINT)}`
  const region = env.ALIBABA_CLOUD_STS_REGION || regionId
  if (region === undefined) return 'https://sts.aliyuncs.com'
  const inVpc = env.ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED?.toLowerCase() === 'true'
  return `https://${inVpc ? 'sts-vpc' : 'sts'}.${region}.aliyuncs.com`
}
