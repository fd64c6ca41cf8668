/** What the pool lacks when it cannot grow: which resource, which limit, and what can be done about it. Pure. */
import { type CloudError, isCloudError, isDenied } from '../../../cloud/error.ts'
import type { VSwitchId } from '../../../cloud/ids.ts'
import { capacityOf, type PoolLimits, PREFIX_SIZE } from '../settings.ts'

export type ShortResource =
  /** Places of the instance type, or of the configuration. */
  | 'instance'
  /** Addresses that one ENI may have. */
  | 'eni'
  | 'vswitch'
  /** Of the account. */
  | 'quota'
  | 'security-group'
  /** The RAM policy does not allow what is needed. */
  | 'permission'
  /** The API does not know who asks. */
  | 'credential'
  /** The API does not answer, or has other nodes to answer. */
  | 'api'
  /** The API refuses for a reason of its own. */
  | 'cloud'
  /** This machine. */
  | 'node'

export interface Shortage {
  readonly resource: ShortResource
  /** The same each time it occurs, which the words are not: the code of the cloud's error, or the resource. */
  readonly key: string
  /** Which limit has been reached, in words. */
  readonly limit: string
  /** What the operator can do. */
  readonly advice: string
}

/** What keeps the pool from growing. */
export type Blockage =
  /** Every address the node may have is in use. */
  | { readonly kind: 'full'; readonly limits: PoolLimits; readonly foreignEnis: number }
  /** Nothing is refused, yet nothing can be asked for: ENIs that have not gone yet take the places of new ones. */
  | { readonly kind: 'busy' }
  /** `empty`: those of the zone that have no free address; none when there is no vSwitch to look into. */
  | { readonly kind: 'no-vswitch'; readonly empty: readonly VSwitchId[] }
  /** A call failed; what it was rejected with. */
  | { readonly kind: 'refused'; readonly error: unknown }

export function shortageOf(blockage: Blockage): Shortage {
  switch (blockage.kind) {
    case 'full':
      return full(blockage.limits, blockage.foreignEnis)
    case 'busy':
      return BUSY
    case 'no-vswitch':
      return noVSwitch(blockage.empty)
    case 'refused':
      return refused(blockage.error)
  }
}

/** In one sentence. */
export function shortageText({ limit, advice }: Shortage): string {
  return `${limit}; ${advice}`
}

const ROOM = 'move pods to another node, raise max_eni where the configuration lowers it, or use an instance type with'

function full(limits: PoolLimits, foreignEnis: number): Shortage {
  const taken = foreignEnis === 0 ? '' : `; ${foreignEnis} more of this instance are not of this pool`
  const more = { shared: 'more ENIs or addresses', exclusive: 'more ENIs', member: 'more member ENIs' }[limits.kind]
  const free = foreignEnis === 0 ? '' : 'detach ENIs that nobody needs, '
  return { resource: 'instance', key: 'full', limit: `${inUse(limits)}${taken}`, advice: `${free}${ROOM} ${more}` }
}

const BUSY: Shortage = {
  ...{ resource: 'instance', key: 'busy' },
  limit: 'no ENI can be made or filled before another one has left the instance',
  advice: 'the runtime tries again; "terway-cli show" lists the ENIs and what keeps them',
}

function inUse(limits: PoolLimits): string {
  const { kind, maxEnis, addressesPerEni, unit } = limits
  if (kind === 'exclusive') return `all ${maxEnis} ENIs that this node has for pods are in use`
  if (kind === 'member') return `all ${maxEnis} member ENIs that the trunk of this node can carry are in use`
  const prefixes = `a primary address and ${addressesPerEni - 1} prefixes of ${PREFIX_SIZE}`
  const each = unit === 'address' ? `${addressesPerEni}` : prefixes
  return `all ${capacityOf(limits)} pod addresses of this node are in use (${maxEnis} ENIs with ${each} each)`
}

function noVSwitch(empty: readonly VSwitchId[]): Shortage {
  const limit =
    empty.length === 0
      ? 'no vSwitch of the configuration is in the zone of this node'
      : `no free address in ${empty.join(', ')}`
  return {
    resource: 'vswitch',
    key: 'vswitch',
    limit,
    advice: 'add a vSwitch of the zone that has free addresses to vswitches',
  }
}

const SEE_LOG = 'see the log of terwayd: the fault is on this machine'

function refused(error: unknown): Shortage {
  const limit = error instanceof Error ? error.message : String(error)
  if (!isCloudError(error)) return { resource: 'node', key: 'node', limit, advice: SEE_LOG }
  return { resource: resourceOf(error), key: error.code, limit, advice: error.advice }
}

/** By code; the first that matches. Error tables of the ECS API reference. */
const BY_CODE: readonly (readonly [RegExp, ShortResource])[] = [
  [/^EniPerInstanceLimitExceeded$/, 'instance'],
  [/Ipv[46]\w*CountExceeded$/, 'eni'],
  [/^InvalidVSwitchId\.IpNotEnough$/, 'vswitch'],
  [/^SecurityGroupInstanceLimitExceed$/, 'security-group'],
  [/^(QuotaExceeded|MaxEniCountExceeded)/, 'quota'],
]

function resourceOf(error: CloudError): ShortResource {
  const known = BY_CODE.find(([pattern]) => pattern.test(error.code))
  if (known !== undefined) return known[1]
  if (isDenied(error)) return 'permission'
  if (isCloudError(error, 'identity')) return 'credential'
  if (isCloudError(error, 'throttled', 'transient')) return 'api'
  return isCloudError(error, 'local') ? 'node' : 'cloud'
}
