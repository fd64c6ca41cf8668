/** What the operator can do about an error of the cloud, by its code. */
import type { CloudErrorFields, CloudErrorKind } from './error.ts'

interface Failure extends CloudErrorFields {
  readonly kind: CloudErrorKind
}

type Advice = string | ((failure: Failure) => string)

const ALLOW: Advice = ({ authAction, action }) =>
  `allow ${authAction ?? `the action ${action}`} in the RAM policy of the identity that the daemon uses`
const SIGNATURE = 'check access_secret in the configuration and the clock of this node'
const REACH =
  'check that this node reaches the endpoint of the API: ECS_ENDPOINT and VPC_ENDPOINT, DNS, routes, security group'
const TURN: Advice = ({ action }) =>
  `raise ${action} in rate_limit if the account has more to give; after throttled answers it comes back by itself`
const TYPE_LIMIT = 'let fewer pods run on the node, or use an instance type with more ENIs or addresses'

/** By code; the first that matches. */
const BY_CODE: readonly (readonly [RegExp, Advice])[] = [
  [/^(Forbidden\.(RAM|SubUser|NotSupportRAM)|NoPermission|Forbidden)$/, ALLOW],
  [/^(SignatureDoesNotMatch|IncompleteSignature)$/, SIGNATURE],
  [/^InvalidTimeStamp/, 'set the clock of this node: the API allows 15 minutes of difference'],
  [/^InvalidAccessKeyId/, 'check access_key in the configuration: the API does not know it'],
  [/AccessKeyDisabled$/, 'enable the access key in RAM, or configure another one'],
  [/^InvalidSecurityToken/, 'check the source of the security token: it is wrong or has expired'],
  [/^BudgetTimeout$/, TURN],
  [/^(Timeout|Network)$/, REACH],
  [/^BadAnswer$/, 'check that ECS_ENDPOINT and VPC_ENDPOINT name the API and that no proxy answers in its place'],
  [/^Credential/, 'put the source of the credential in order: the message names it'],
  [/^InvalidVSwitchId\.IpNotEnough$/, 'add a vSwitch of the zone that has free addresses to vswitches'],
  [/^InvalidVSwitch\.Ipv6NotTurnOn$/, 'turn IPv6 on for the vSwitch, or set ip_stack to "ipv4"'],
  [/^(QuotaExceeded|MaxEniCountExceeded)/, 'have the quota of the account raised, or delete what is not used'],
  [/^(EniPerInstanceLimitExceeded|.*Ipv[46]\w*CountExceeded)$/, TYPE_LIMIT],
  [/^SecurityGroupInstanceLimitExceed$/, 'use another security group, or an advanced one, which holds more addresses'],
  [
    /^(Forbidden\.RegionId|InvalidRegionId)/,
    'check the region: this account cannot use it, or the endpoint is another one',
  ],
  [/^InvalidOperation\.Invalid(Eni|Ecs)State$/, 'wait until the ENI and the instance have left their present state'],
]

const BY_KIND: Readonly<Record<CloudErrorKind, Advice>> = {
  throttled: 'if it lasts, lower rate_limit on the nodes that share the account, or have the limit of the API raised',
  transient: 'if it lasts, open a ticket with the RequestId: the call is repeated until then',
  exhausted: 'have the limit raised, or delete what is not used',
  'not-found': 'check the ids in the configuration; the resource may have been deleted, or be in another region',
  identity: 'put the credential, the clock of this node or the RAM policy in order: the API says which',
  local: 'report this with its cause: the fault is in this program or on this machine',
  permanent: ({ action, code }) => `look up ${code} in the API reference of ${action}; support needs the RequestId`,
}

export function adviceFor(failure: Failure): string {
  const advice = BY_CODE.find(([pattern]) => pattern.test(failure.code))?.[1] ?? BY_KIND[failure.kind]
  return typeof advice === 'string' ? advice : advice(failure)
}
