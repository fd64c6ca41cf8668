import { describe, expect, test } from '@jest/globals'
import { CloudError, type CloudErrorFields, isCloudError, isDenied, kindOf, refusesCredential } from './error.ts'

const errorOf = (code: string, more: Partial<CloudErrorFields> = {}) =>
  new CloudError('in words', { action: 'CreateNetworkInterface', code, ...more })

test.each([
  ['Throttling', 'throttled'],
  ['Throttling.User', 'throttled'],
  ['ServiceUnavailable.Throttling', 'throttled'],
  ['BudgetTimeout', 'throttled'],
  ['ServiceUnavailable', 'transient'],
  ['ServiceUnavailable.RegionMaintaining', 'transient'],
  ['InternalError', 'transient'],
  ['Operation.Conflict', 'transient'],
  ['OperationConflict', 'transient'],
  ['LastTokenProcessing', 'transient'],
  ['TaskConflict', 'transient'],
  ['IncorrectRouteEntryStatus', 'transient'],
  ['IncorrcetRouteEntryStatus', 'transient'],
  ['IncorrectVpcStatus', 'transient'],
  ['IncorrectStatus', 'transient'],
  ['SystemBusy', 'transient'],
  ['OperationFailed.DistibuteLock', 'transient'],
  ['Timeout', 'transient'],
  ['QuotaExceeded', 'exhausted'],
  ['QuotaExceeded.PrivateIpAddress', 'exhausted'],
  ['EniPerInstanceLimitExceeded', 'exhausted'],
  ['InvalidVSwitchId.IpNotEnough', 'exhausted'],
  ['InvalidVSwitchId.NotFound', 'not-found'],
  ['InvalidRouteEntry.NotFound', 'not-found'],
  ['VPC_ROUTER_ENTRY_NOT_EXIST', 'not-found'],
  ['InvalidOperation.InvalidEniState', 'permanent'],
  ['IncorrectInstanceStatus', 'permanent'],
  ['InvalidParameter', 'permanent'],
  ['SignatureNonceUsed', 'transient'],
  ['Client', 'local'],
] as const)('%s is %s', (code, kind) => {
  expect(kindOf(code)).toBe(kind)
})

describe('an error of identity says nothing about the resource: a delete that meets it has deleted nothing', () => {
  /** Whether another credential may help, and whether it is the RAM policy. */
  test.each([
    ['Forbidden.RAM', false, true],
    ['Forbidden.SubUser', false, true],
    ['Forbidden.NotSupportRAM', false, true],
    ['NoPermission', false, true],
    ['SignatureDoesNotMatch', true, false],
    ['InvalidAccessKeyId.NotFound', true, false],
    ['InvalidAccessKeyId.Inactive', true, false],
    ['InvalidSecurityToken.Expired', true, false],
    ['InvalidSecurityToken.MismatchWithAccessKey', true, false],
    ['Forbidden.AccessKeyDisabled', true, false],
    ['IncompleteSignature', false, false],
    ['InvalidTimeStamp.Expired', false, false],
    ['Abs.InvalidAccount.NotFound', false, false],
    ['InvalidRegionId.NotFound', false, false],
    ['CredentialUnavailable', false, false],
  ])('%s', (code, mended, denied) => {
    const error = errorOf(code)
    expect(error.kind).toBe('identity')
    expect([refusesCredential(error), isDenied(error)]).toEqual([mended, denied])
  })

  test('but a fault of the service is none, whatever its code', () => {
    expect(refusesCredential(errorOf('InvalidSecurityToken.Expired', { httpStatus: 503 }))).toBe(false)
  })
})

test('an action that the API does not know is no resource that is gone', () => {
  expect(kindOf('InvalidAction.NotFound')).toBe('permanent')
})

test('a status of 500 and above is a fault of the service whatever the code, unless it is a throttle', () => {
  expect(kindOf('Vpc.Error', 500)).toBe('transient')
  expect(kindOf('InvalidVSwitchId.IpNotEnough', 503)).toBe('transient')
  expect(kindOf('Throttling', 503)).toBe('throttled')
  expect(kindOf('Vpc.Error', 400)).toBe('permanent')
})

describe('the error', () => {
  test('says what failed, with what, and for which request', () => {
    const error = errorOf('InternalError', { requestId: 'REQ-1', httpStatus: 500, retryAfter: 20 })
    expect(error.message).toBe('CreateNetworkInterface failed with InternalError: in words (RequestId REQ-1)')
    expect(error).toMatchObject({ kind: 'transient', requestId: 'REQ-1', httpStatus: 500, retryAfter: 20 })
    expect(isCloudError(error, 'throttled', 'transient')).toBe(true)
    expect(isCloudError(error, 'permanent')).toBe(false)
    expect(isCloudError(new Error('other'))).toBe(false)
  })

  test.each([
    ['Forbidden.RAM', /allow the action CreateNetworkInterface .*RAM policy/],
    ['SignatureDoesNotMatch', /access_secret.*clock/],
    ['InvalidTimeStamp.Expired', /clock/],
    ['InvalidAccessKeyId.NotFound', /access_key/],
    ['Throttling.User', /rate_limit/],
    ['BudgetTimeout', /^raise CreateNetworkInterface in rate_limit/],
    ['InvalidVSwitchId.IpNotEnough', /vswitches/],
    ['MaxEniCountExceeded', /quota/],
    ['EniPerInstanceLimitExceeded', /instance type/],
    ['SecurityGroupInstanceLimitExceed', /security group/],
    ['Network', /ECS_ENDPOINT/],
    ['InternalError', /RequestId/],
    ['InvalidEniId.NotFound', /ids/],
    ['InvalidParameter', /InvalidParameter in the API reference of CreateNetworkInterface/],
  ])('%s: says what the operator can do', (code, advice) => {
    expect(errorOf(code).advice).toMatch(advice)
  })

  test('names the permission that is missing when the API does', () => {
    expect(errorOf('Forbidden.RAM', { authAction: 'ecs:CreateNetworkInterface' }).advice).toMatch(
      /^allow ecs:CreateNetworkInterface in the RAM policy/,
    )
  })

  test('has the advice of who knows better than its code', () => {
    expect(errorOf('Network', { advice: 'look at the metadata service' }).advice).toBe('look at the metadata service')
  })
})
