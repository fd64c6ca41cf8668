/** What went wrong with a call to the cloud, in one class with the fields an operator needs to open a ticket. */
import { adviceFor } from './error-advice.ts'

/** How the caller should react. */
export type CloudErrorKind =
  /** Too many calls; the same call may work later. */
  | 'throttled'
  /** A fault of the service or of the way to it; the same call may work later. */
  | 'transient'
  /** The named resource does not exist (any more). */
  | 'not-found'
  /** A limit of the account, the instance type, the ENI or the vSwitch. */
  | 'exhausted'
  /**
   * The API does not know who asks or does not let them: credential, signature, clock, account, RAM policy, region. Nothing
   * is said about the resource: what is known of it stays. The same call works when that is put right, which takes longer
   * than a retry.
   */
  | 'identity'
  /**
   * A fault of this process or this machine. Nothing is said about the resource, nor whether the call was carried out.
   */
  | 'local'
  /**
   * The API's verdict: the call is wrong, or not allowed in the state that the resource is in. Look at it again before
   * another try. Repeating the call changes nothing.
   */
  | 'permanent'

export interface CloudErrorFields {
  readonly action: string
  /**
   * Code of the API, or one of ours for what never got that far: `Timeout`, `Network`, `BadAnswer`, `BudgetTimeout` (no
   * turn in the request budget came in time), `Client` (a fault on our side), `Credential…` (no credential to sign with).
   */
  readonly code: string
  readonly requestId?: string
  readonly httpStatus?: number
  /** The answer asks not to be called again before, ms. */
  readonly retryAfter?: number
  /** What a denied identity would have to be allowed, e.g. `ecs:CreateNetworkInterface`. */
  readonly authAction?: string
  /** What the operator can do, where the code alone does not tell. */
  readonly advice?: string
  readonly cause?: unknown
}

export class CloudError extends Error {
  override readonly name = 'CloudError'
  readonly action: string
  readonly code: string
  readonly kind: CloudErrorKind
  readonly requestId: string | undefined
  readonly httpStatus: number | undefined
  readonly retryAfter: number | undefined
  /** What the operator can do. */
  readonly advice: string

  constructor(message: string, fields: CloudErrorFields) {
    const { action, code, requestId, httpStatus, retryAfter, cause } = fields
    const id = requestId === undefined ? '' : ` (RequestId ${requestId})`
    super(`${action} failed with ${code}: ${message}${id}`, cause === undefined ? {} : { cause })
    this.action = action
    this.code = code
    this.kind = kindOf(code, httpStatus)
    this.requestId = requestId
    this.httpStatus = httpStatus
    this.retryAfter = retryAfter
    this.advice = fields.advice ?? adviceFor({ kind: this.kind, ...fields })
  }
}

/** Codes of ECS and VPC that name a limit that may be lifted by others: error tables of the API references. */
const EXHAUSTED = new Set([
  'InvalidVSwitchId.IpNotEnough',
  'QuotaExceeded',
  'QuotaExceeded.PrivateIpAddress',
  'EniPerInstanceLimitExceeded',
  'MaxEniCountExceeded',
  'InvalidOperation.Ipv4CountExceeded',
  'InvalidOperation.Ipv6CountExceeded',
  'MaxEniIpv6IpsCountExceeded',
  'SecurityGroupInstanceLimitExceed',
])

/**
 * `Incorrect…Status` and the conflicts are VPC's way to say that another change is under way; `Incorrcet` and `Distibute`
 * are spelt as VPC spells them. `InvalidOperation.InvalidEniState` is not among them: an ENI leaves its state by itself or
 * never, and whoever looks at it knows which.
 */
const TRANSIENT = new Set([
  ...['Timeout', 'Network', 'BadAnswer', 'InternalError', 'SystemBusy', 'LastTokenProcessing', 'TaskConflict'],
  'SignatureNonceUsed',
  ...['OperationConflict', 'Operation.Conflict', 'OperationFailed.DistibuteLock', 'IncorrectStatus'],
  ...['IncorrectRouteEntryStatus', 'IncorrcetRouteEntryStatus', 'IncorrectVpcStatus', 'IncorrectVSwitchStatus'],
  'VPC_ROUTE_ENTRY_STATUS_ERROR',
])

/** Codes that end as those of a missing resource do and speak of the call: no "gone already" for a delete. */
const NO_RESOURCE = new Set(['InvalidAction.NotFound', 'InvalidResourceType.NotFound'])

/** The identity is known and may not do this action: RAM. */
const DENIED = new Set(['Forbidden.RAM', 'Forbidden.SubUser', 'Forbidden.NotSupportRAM', 'Forbidden', 'NoPermission'])

/** Of the tables of codes common to all actions; `AuthenticationFail…` is STS's. */
const IDENTITY = new Set([
  ...DENIED,
  ...['SignatureDoesNotMatch', 'IncompleteSignature', 'Forbidden.AccessKeyDisabled', 'Abs.InvalidAccount.NotFound'],
  ...['InvalidUserType.NotSupported', 'Forbidden.RegionId', 'InvalidRegionId.NotFound'],
])
const IDENTITY_PREFIX = /^(Credential|InvalidAccessKeyId|InvalidSecurityToken|InvalidTimeStamp|AuthenticationFail)/

/**
 * The reaction to a code of the ECS or VPC API. Any code that contains `Throttling` is a throttle whatever its status,
 * and any other answer with a status of 500 and above is a fault of the service.
 */
export function kindOf(code: string, httpStatus = 0): CloudErrorKind {
  if (code.includes('Throttling') || code === 'BudgetTimeout') return 'throttled'
  if (httpStatus >= 500 || TRANSIENT.has(code) || code.startsWith('ServiceUnavailable')) return 'transient'
  if (code === 'Client') return 'local'
  if (IDENTITY.has(code) || IDENTITY_PREFIX.test(code)) return 'identity'
  if (EXHAUSTED.has(code)) return 'exhausted'
  if (/\.NotFound$|_NOT_EXIST$/.test(code) && !NO_RESOURCE.has(code)) return 'not-found'
  return 'permanent'
}

/** True for a CloudError of one of the kinds. */
export function isCloudError(error: unknown, ...kinds: CloudErrorKind[]): error is CloudError {
  return error instanceof CloudError && (kinds.length === 0 || kinds.includes(error.kind))
}

/**
 * True when the RAM policy does not allow the action: who asks is known, and their other actions may work. All other
 * errors of kind `identity` befall every action.
 */
export function isDenied(error: unknown): error is CloudError {
  return error instanceof CloudError && DENIED.has(error.code)
}

/** Codes that another credential may mend: this one was taken back, has expired, or was read in the middle of a rotation. */
const REFUSED_CREDENTIAL =
  /^(InvalidSecurityToken|InvalidAccessKeyId|SignatureDoesNotMatch$|Forbidden\.AccessKeyDisabled$)/

/** True when the API did not accept the credential that the call was signed with. */
export function refusesCredential(error: unknown): error is CloudError {
  return isCloudError(error, 'identity') && REFUSED_CREDENTIAL.test(error.code)
}
