/** Which identity the client has: decided once, from what is configured and mounted. */
import { join } from 'node:path'
import type { RegionId } from '../ids.ts'
import type { Credential } from '../transport.ts'
import { ADDON_TOKEN_PATH } from './addon-token.ts'
import { sealCredential } from './credential.ts'
import { KEY_DIRECTORY, KEY_ID_FILE, KEY_SECRET_FILE } from './key-files.ts'
import { type Environment, type OidcSettings, readOidcEnvironment } from './oidc-environment.ts'
import { URI_VARIABLE } from './uri.ts'

export interface CredentialConfig {
  /** `access_key` and `access_secret`. */
  readonly accessKey?: { readonly id: string; readonly secret: string; readonly securityToken?: string }
  /** `credential_path`, of the encrypted add-on token. */
  readonly credentialPath?: string
}

export interface Surroundings {
  readonly config: CredentialConfig
  readonly env: Environment
  /** Whether there is a file at a path. */
  readonly exists: (path: string) => boolean
  /** Of the node, when it is known. */
  readonly regionId?: RegionId
  /** Of the key files; where the original has it unless given. */
  readonly keyDirectory?: string
}

export type CredentialSource =
  | { readonly kind: 'key-files'; readonly directory: string }
  | { readonly kind: 'static-key'; readonly credential: Credential }
  | { readonly kind: 'addon-token'; readonly path: string }
  | { readonly kind: 'oidc'; readonly settings: OidcSettings }
  | { readonly kind: 'uri'; readonly uri: string }
  | { readonly kind: 'ram-role' }

export interface Choice {
  readonly source: CredentialSource
  /** For the log: what is there by halves, or for nothing. */
  readonly warnings: readonly string[]
}

/**
 * The first that is there: key files (the original has them override the configuration), access_key, the add-on token,
 * RRSA, a credentials URI, the instance's RAM role. When the chosen one fails that is an error: calls made under
 * another identity would fail, or succeed, for reasons that nobody can see.
 */
export function chooseSource(around: Surroundings): Choice {
  const warnings: string[] = []
  const source =
    keyFiles(around, warnings) ?? staticKey(around) ?? addonToken(around) ?? oidc(around, warnings) ?? uri(around)
  return { source: source ?? { kind: 'ram-role' }, warnings }
}

type Found = CredentialSource | undefined

function keyFiles(
  { config, exists, keyDirectory: directory = KEY_DIRECTORY }: Surroundings,
  warnings: string[],
): Found {
  const missing = [KEY_ID_FILE, KEY_SECRET_FILE].filter((name) => !exists(join(directory, name)))
  if (missing.length === 1) warnings.push(`${directory} is not used for a credential: ${missing[0]} is missing`)
  if (missing.length > 0) return undefined
  if (config.accessKey !== undefined) warnings.push(`access_key of the configuration is overridden by ${directory}`)
  return { kind: 'key-files', directory }
}

function staticKey({ config: { accessKey } }: Surroundings): Found {
  if (accessKey === undefined) return undefined
  const { id, secret, securityToken } = accessKey
  const token = securityToken === undefined ? {} : { securityToken }
  return { kind: 'static-key', credential: sealCredential({ accessKeyId: id, accessKeySecret: secret, ...token }) }
}

/** A configured path counts although nothing is there: the Secret is late or missing, and the error will say so. */
function addonToken({ config, exists }: Surroundings): Found {
  if (config.credentialPath) return { kind: 'addon-token', path: config.credentialPath }
  return exists(ADDON_TOKEN_PATH) ? { kind: 'addon-token', path: ADDON_TOKEN_PATH } : undefined
}

function oidc({ env, regionId }: Surroundings, warnings: string[]): Found {
  const found = readOidcEnvironment(env, regionId)
  if (found.kind === 'complete') return { kind: 'oidc', settings: found.settings }
  if (found.kind === 'incomplete')
    warnings.push(`RRSA is not used for a credential: ${found.missing.join(' and ')} not set`)
  return undefined
}

function uri({ env }: Surroundings): Found {
  const value = env[URI_VARIABLE]
  return value ? { kind: 'uri', uri: value } : undefined
}
