/** What an access key may do: RAM, as far as actions go. */
import { ApiError } from '../cloud/error.ts'
import type { Policy } from '../region/region.ts'
import type { Action, Answer } from './action.ts'
import { PRODUCTS } from './actions.ts'
import { type Key, principalOf } from './temporary-keys.ts'

/** Why not: nothing allows it, or something denies it. */
export type Denial = 'ImplicitDeny' | 'ExplicitDeny'

/** `action` like `ecs:DescribeInstances`; patterns end with `*` or are the action. */
export function denialOf(policy: Policy, action: string): Denial | undefined {
  const covers = (pattern: string) =>
    pattern.endsWith('*') ? action.startsWith(pattern.slice(0, -1)) : action === pattern
  if (policy.deny.some(covers)) return 'ExplicitDeny'
  return policy.allow.some(covers) ? undefined : 'ImplicitDeny'
}

/** Carries what the answer says of who was denied what (`AccessDeniedDetail`). */
export class AccessDenied extends ApiError {
  readonly detail: Answer

  constructor(message: string, detail: Answer) {
    super('Forbidden.RAM', message)
    this.detail = detail
  }
}

export interface Permission {
  readonly key: Key
  readonly version: Action['version']
  readonly action: string
  /** Account number. */
  readonly account: string
  readonly requestId: string
}

/** @throws AccessDenied */
export function checkPermission({ key, version, action, account, requestId }: Permission): void {
  const authAction = `${PRODUCTS[version]}:${action}`
  const denial = denialOf(key.policy, authAction)
  if (denial === undefined) return
  const { type, displayName } = principalOf(key)
  throw new AccessDenied(`${displayName} is not authorized to perform ${authAction}.`, {
    AuthAction: authAction,
    AuthPrincipalType: type,
    AuthPrincipalOwnerId: account,
    AuthPrincipalDisplayName: displayName,
    NoPermissionType: denial,
    PolicyType: 'AccountLevelIdentityBasedPolicy',
    EncodedDiagnosticMessage: Buffer.from(requestId).toString('base64'),
  })
}
