/** What went wrong with a call to the cloud, in one class with the fields an operator needs to open a ticket. */

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
  /** The call is wrong or not allowed; repeating it changes nothing. */
  | 'permanent'

export interface CloudErrorFields {
  readonly action: string
  /** Code of the API, or `Timeout`, `Network`, `BadAnswer` for what never got that far. */
  readonly code: string
  readonly requestId?: string
  readonly cause?: unknown
}

export class CloudError extends Error {
  override readonly name = 'CloudError'
  readonly action: string
  readonly code: string
  readonly kind: CloudErrorKind
  readonly requestId: string | undefined

  constructor(message: string, fields: CloudErrorFields) {
    const id = fields.requestId === undefined ? '' : ` (RequestId ${fields.requestId})`
    super(`${fields.action} failed with ${fields.code}: ${message}${id}`, { cause: fields.cause })
    this.action = fields.action
    this.code = fields.code
    this.kind = kindOf(fields.code)
    this.requestId = fields.requestId
  }
}

/** Codes of ECS and VPC that name a limit that may be lifted by others: error tables of the ECS API reference. */
const EXHAUSTED = new Set([
  'InvalidVSwitchId.IpNotEnough',
  'QuotaExceeded.PrivateIpAddress',
  'EniPerInstanceLimitExceeded',
  'MaxEniCountExceeded',
  'InvalidOperation.Ipv4CountExceeded',
  'InvalidOperation.Ipv6CountExceeded',
  'MaxEniIpv6IpsCountExceeded',
  'SecurityGroupInstanceLimitExceed',
])

const TRANSIENT =
  /^(Timeout|Network|BadAnswer|InternalError|ServiceUnavailable.*|Operation\.?Conflict|LastTokenProcessing|TaskConflict|OperationFailed\.DistibuteLock|SystemBusy)$/

/** The reaction to a code of the ECS or VPC API. Any code that *contains* `Throttling` is a throttle. */
export function kindOf(code: string): CloudErrorKind {
  if (code.includes('Throttling')) return 'throttled'
  if (TRANSIENT.test(code)) return 'transient'
  if (EXHAUSTED.has(code)) return 'exhausted'
  if (/\.NotFound$/.test(code)) return 'not-found'
  return 'permanent'
}

/** True for a CloudError of one of the kinds. */
export function isCloudError(error: unknown, ...kinds: CloudErrorKind[]): error is CloudError {
  return error instanceof CloudError && (kinds.length === 0 || kinds.includes(error.kind))
}
