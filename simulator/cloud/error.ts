/** What the API answers when it refuses a call. */

/**
 * HTTP status of every code the simulator sends, from the error tables of the ECS and VPC API references. Where two
 * editions of a table differ, the newer one is taken.
 */
const STATUS = {
  'AuthenticationFail.OIDCToken.Expired': 400,
  'AuthenticationFail.OIDCToken.Invalid': 400,
  DryRunOperation: 400,
  'Duplicate.TagKey': 400,
  EniPerInstanceLimitExceeded: 403,
  'EntityNotExist.Role': 404,
  'Forbidden.RAM': 403,
  IdempotentParameterMismatch: 400,
  'IllegalParam.IpVersion': 400,
  'IllegalParam.RouteEntryType': 400,
  IncompleteSignature: 400,
  IncorrectRouteEntryStatus: 400,
  InternalError: 500,
  'InvalidAccessKeyId.NotFound': 404,
  'InvalidAction.NotFound': 404,
  InvalidCidrBlock: 400,
  'InvalidCIDRBlock.Duplicate': 400,
  'InvalidCidrBlock.Malformed': 400,
  'InvalidEcsId.NotFound': 404,
  'InvalidEniId.NotFound': 404,
  'InvalidInstanceID.Malformed': 400,
  'InvalidInstanceId.NotFound': 404,
  'InvalidIp.Address': 403,
  'InvalidIp.IpAssigned': 403,
  'InvalidIp.IpRepeated': 403,
  'InvalidIp.IpUnassigned': 403,
  'InvalidNextHop.NotFound': 400,
  InvalidNextHopType: 400,
  'InvalidNexthopTypeAndList.BothNull': 400,
  'InvalidOperation.AvailabilityZoneMismatch': 403,
  'InvalidOperation.DetachPrimaryEniNotAllowed': 400,
  'InvalidOperation.EniTypeNotSupportTrunking': 403,
  'InvalidOperation.HasMemberEniAttached': 403,
  'InvalidOperation.HighPerformanceEniPerInstanceLimitExceeded': 400,
  'InvalidOperation.InstanceTypeNotSupportEniTrunking': 403,
  'InvalidOperation.InstanceTypeNotSupportHighPerformance': 400,
  'InvalidOperation.InvalidEniState': 400,
  'InvalidOperation.InvalidEniType': 403,
  'InvalidOperation.InvalidTrunkEniStatus': 403,
  'InvalidOperation.Ipv4CountExceeded': 403,
  'InvalidOperation.Ipv6CountExceeded': 403,
  'InvalidOperation.Ipv6NotSupport': 403,
  'InvalidOperation.MaxEniQueueNumberExceeded': 403,
  'InvalidOperation.MultiGroupType': 403,
  'InvalidOperation.PrimaryEniOnlySupportModifyNameAndDesc': 404,
  InvalidParameter: 400,
  'InvalidParameter.Conflict': 400,
  'InvalidParameter.EniNotBelongEcs': 400,
  'InvalidParameter.EniNotBelongTrunk': 403,
  'InvalidParameter.EniTrafficMode': 400,
  'InvalidParameter.NextToken': 400,
  'InvalidParameter.SecurityGroupIdRepeated': 404,
  'InvalidParameter.TagValue': 400,
  'InvalidParams.EniId': 400,
  'InvalidParams.NetworkInterfaceName': 403,
  'InvalidRegionId.NotFound': 404,
  'InvalidResourceId.NotFound': 404,
  'InvalidResourceType.NotFound': 404,
  'InvalidRouteEntry.NotFound': 400,
  'InvalidRouteEntryId.NotFound': 400,
  'InvalidRouteTableId.NotFound': 404,
  'InvalidSecurityGroupId.NotFound': 404,
  'InvalidSecurityToken.Expired': 400,
  'InvalidSecurityToken.Malformed': 400,
  'InvalidSecurityToken.MismatchWithAccessKey': 400,
  'InvalidTagKey.Malformed': 400,
  'InvalidTagValue.Malformed': 400,
  'InvalidTimeStamp.Expired': 400,
  'InvalidTrafficMode.ModifyToStandardNotSupported': 400,
  'InvalidVSwitch.Ipv6NotTurnOn': 403,
  'InvalidVSwitchId.IpInvalid': 403,
  'InvalidVSwitchId.IpNotEnough': 403,
  'InvalidVSwitchId.NotFound': 404,
  'InvalidVswitchID.NotFound': 404,
  JoinedGroupLimitExceed: 400,
  LastTokenProcessing: 403,
  MaxEniCountExceeded: 403,
  MaxEniIpv6IpsCountExceeded: 403,
  'MissingParam.RouteTableId': 400,
  MissingParameter: 400,
  'MissingParameter.RegionId': 404,
  'MissingParameter.ResourceType': 404,
  'MissingParameter.Tags': 404,
  MissingSecurityToken: 400,
  'NumberExceed.ResourceIds': 400,
  'NumberExceed.Tags': 400,
  'Operation.Conflict': 403,
  OperationDenied: 400,
  'OperationDenied.VpcIpv6NotEnabled': 400,
  'OperationUnsupported.DestinationCidrBlockOverlapWithVSwitch': 400,
  'OperationUnsupported.Ipv6EntryOnPrimaryNetworkInterface': 400,
  'ParamExclusive.RouteEntryIdAndRouteTableIdOrDestCidrBlock': 400,
  'QuotaExceed.Tags': 403,
  QuotaExceeded: 400,
  SecurityGroupInstanceLimitExceed: 403,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 400,
  SignatureNonceUsed: 400,
  TaskConflict: 400,
  'Throttling.User': 400,
  UnsupportedHTTPMethod: 403,
  UnsupportedParameter: 400,
} as const

export type ErrorCode = keyof typeof STATUS

/** HTTP status of a code; undefined for one that the simulator does not send by itself. */
export function statusOf(code: string): number | undefined {
  return new Map<string, number>(Object.entries(STATUS)).get(code)
}

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
