/** What an action of the API is made of. */
import type { Cloud } from '../cloud/cloud.ts'
import type { Eni } from '../cloud/eni.ts'
import type { Latencies } from '../region/region.ts'
import type { Parameters } from './parameters.ts'
import type { TemporaryKeys } from './temporary-keys.ts'

export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json }
/** The answer without its RequestId. */
export type Answer = Readonly<Record<string, Json>>

/** API versions: the products are told apart by them. */
export const ECS = '2014-05-26'
export const VPC = '2016-04-28'
export const STS = '2015-04-01'

/** What a call sees besides the cloud as it is. */
export interface CallContext {
  /** The ENIs as Describe actions show them to this caller: late, or old when a fault asks for it. */
  readonly enis: readonly Eni[]
  /** Takes from the ENIs that match the call's filters those that a fault hides. */
  readonly shown: (matching: readonly Eni[]) => readonly Eni[]
  readonly temporaryKeys: TemporaryKeys
  /** Milliseconds since the epoch, of the wall clock: the issuers of OIDC tokens date by it. */
  readonly wall: number
}

export interface Action {
  readonly version: typeof ECS | typeof VPC | typeof STS
  /** `optional` where the API reference lists no RegionId, or another parameter can replace it. */
  readonly regionId: 'required' | 'optional'
  /** The call proves who makes it in another way than by a signature; its parameters may be in the body. */
  readonly unsigned?: true
  /**
   * All of them but RegionId, as the API reference writes them: `VSwitchId`, `PrivateIpAddress.N`, `Tag.N.Key`. A call
   * with another one is refused. A ClientToken makes the call idempotent.
   */
  readonly parameters: readonly string[]
  /** Calls of actions with this mark, for one ENI, come one at a time: a second one meets `Operation.Conflict`. */
  readonly alone?: true
  /** How long the answer takes. Asynchronous actions answer at once and take their time afterwards. */
  readonly latency?: keyof Latencies
  /** Throws ApiError; the cloud is unchanged then. */
  readonly handle: (cloud: Cloud, parameters: Parameters, context: CallContext) => Answer
}
