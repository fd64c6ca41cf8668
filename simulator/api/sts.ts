/** STS: a temporary key for a token of the cluster's OIDC provider. */
import type { Cloud } from '../cloud/cloud.ts'
import { ApiError } from '../cloud/error.ts'
import type { RoleName } from '../region/ids.ts'
import type { RamRole } from '../region/region.ts'
import { type Action, type Answer, type CallContext, STS } from './action.ts'
import type { Parameters } from './parameters.ts'
import { expirationText } from './temporary-keys.ts'

/** AssumeRoleWithOIDC documentation: characters of a token, seconds of a session. */
const TOKEN_LENGTH = { min: 4, max: 20_000 }
const MIN_DURATION = 900
const DEFAULT_DURATION = 3600
const SESSION_NAME = /^[\w.@-]{2,64}$/

function assumeRole(cloud: Cloud, parameters: Parameters, { temporaryKeys, wall }: CallContext): Answer {
  const role = roleOf(cloud, parameters)
  const provider = parameters.required('OIDCProviderArn')
  if (!new RegExp(`^acs:ram::${cloud.region.account}:oidc-provider/.+$`).test(provider)) {
    throw new ApiError('InvalidParameter', `OIDCProviderArn ${JSON.stringify(provider)} is not of this account.`)
  }
  const claims = checkOidcToken(parameters.required('OIDCToken'), wall)
  const session = parameters.optional('RoleSessionName') ?? 'session'
  if (!SESSION_NAME.test(session)) throw new ApiError('InvalidParameter', 'RoleSessionName has a wrong form.')
  const limits = { min: MIN_DURATION, max: Math.max(DEFAULT_DURATION, role.keyLife) }
  const asked = parameters.integer('DurationSeconds', limits) ?? DEFAULT_DURATION
  // A role with shorter lives than any real one is there to see keys expire.
  const key = temporaryKeys.issue(role, { session, life: Math.min(asked, role.keyLife) })
  return {
    Credentials: {
      AccessKeyId: key.id,
      AccessKeySecret: key.secret,
      SecurityToken: key.securityToken,
      Expiration: expirationText(key.expiresAt),
    },
    AssumedRoleUser: {
      AssumedRoleId: `${role.name}:${session}`,
      Arn: `acs:ram::${cloud.region.account}:role/${role.name}/${session}`,
    },
    OIDCTokenInfo: { Subject: textOf(claims.sub), Issuer: textOf(claims.iss), ClientIds: textOf(claims.aud) },
  }
}

function roleOf(cloud: Cloud, parameters: Parameters): RamRole {
  const { account, ramRoles } = cloud.region
  const arn = parameters.required('RoleArn')
  const [, owner, name] = /^acs:ram::(\d+):role\/([\w.-]{1,64})$/.exec(arn) ?? []
  if (name === undefined) throw new ApiError('InvalidParameter', `RoleArn ${JSON.stringify(arn)} is not one.`)
  const role = owner === account ? ramRoles.get(name as RoleName) : undefined
  if (role === undefined) throw new ApiError('EntityNotExist.Role', `The role ${arn} does not exist.`)
  return role
}

type Claims = Readonly<Record<string, unknown>>

/** A JWT is believed unless it has expired: there is no provider whose key could be asked for. */
function checkOidcToken(token: string, now: number): Claims {
  if (token.length < TOKEN_LENGTH.min || token.length > TOKEN_LENGTH.max) {
    const message = `OIDCToken must have ${TOKEN_LENGTH.min} to ${TOKEN_LENGTH.max} characters.`
    throw new ApiError('AuthenticationFail.OIDCToken.Invalid', message)
  }
  const claims = claimsOf(token)
  if (typeof claims.exp === 'number' && claims.exp * 1000 <= now) {
    throw new ApiError('AuthenticationFail.OIDCToken.Expired', 'This JsonWebToken is expired.')
  }
  return claims
}

/** None for a token that is no JWT. */
function claimsOf(token: string): Claims {
  const [, payload] = token.split('.')
  if (payload === undefined) return {}
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? { ...claims } : {}
  } catch {
    throw new ApiError('AuthenticationFail.OIDCToken.Invalid', 'The payload of the OIDCToken is not JSON.')
  }
}

function textOf(claim: unknown): string {
  return Array.isArray(claim) ? claim.join(',') : typeof claim === 'string' ? claim : ''
}

/** The actions are not signed: the token is what proves who calls. */
export const STS_ACTIONS: Readonly<Record<string, Action>> = {
  AssumeRoleWithOIDC: {
    version: STS,
    unsigned: true,
    regionId: 'optional',
    // A session's own Policy is not simulated.
    parameters: ['RoleArn', 'OIDCProviderArn', 'OIDCToken', 'RoleSessionName', 'DurationSeconds'],
    handle: assumeRole,
  },
}
