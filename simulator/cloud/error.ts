/** What the API answers when it refuses a call. */

/**
 * HTTP status of every code the simulator sends, from the error tables of the ECS and VPC API references. Where two
 * editions of a table differ, the newer one is taken.
 */
const STATUS = {
  'Duplicate.TagKey': 400,
  EniPerInstanceLimitExceeded: 403,
  IdempotentParameterMismatch: 400,
  IncompleteSignature: 400,
  InternalError: 500,
  'InvalidAccessKeyId.NotFound': 404,
  'InvalidAction.NotFound': 404,
  'InvalidEcsId.NotFound': 404,
  'InvalidEniId.NotFound': 404,
  'InvalidInstanceID.Malformed': 400,
  'InvalidIp.IpAssigned': 403,
  'InvalidIp.IpRepeated': 403,
  'InvalidIp.IpUnassigned': 403,
  'InvalidOperation.AvailabilityZoneMismatch': 403,
  'InvalidOperation.DetachPrimaryEniNotAllowed': 400,
  'InvalidOperation.InvalidEniState': 400,
  'InvalidOperation.InvalidEniType': 403,
  'InvalidOperation.Ipv4CountExceeded': 403,
  InvalidParameter: 400,
  'InvalidParameter.Conflict': 400,
  'InvalidParams.EniId': 400,
  'InvalidRegionId.NotFound': 404,
  'InvalidResourceId.NotFound': 404,
  'InvalidResourceType.NotFound': 404,
  'InvalidSecurityGroupId.NotFound': 404,
  'InvalidTagKey.Malformed': 400,
  'InvalidTagValue.Malformed': 400,
  'InvalidTimeStamp.Expired': 400,
  'InvalidVSwitchId.IpInvalid': 403,
  'InvalidVSwitchId.IpNotEnough': 403,
  'InvalidVSwitchId.NotFound': 404,
  MissingParameter: 400,
  'MissingParameter.RegionId': 404,
  'MissingParameter.ResourceType': 404,
  'MissingParameter.Tags': 404,
  'NumberExceed.ResourceIds': 400,
  'NumberExceed.Tags': 400,
  'QuotaExceed.Tags': 403,
  SignatureDoesNotMatch: 400,
  SignatureNonceUsed: 400,
  UnsupportedHTTPMethod: 403,
  UnsupportedParameter: 400,
} as const

export type ErrorCode = keyof typeof STATUS

/** A refused call: nothing of the cloud has changed. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  /** HTTP status. */
  readonly status: number

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
    this.status = STATUS[code]
  }
}
