/** Whether an ENI can leave its instance. */
import type { EniId, InstanceId } from '../region/ids.ts'
import { membersOf } from './attach-rules.ts'
import type { Attachment, Eni } from './eni.ts'
import { ApiError } from './error.ts'

export interface Place {
  readonly instance: InstanceId
  /** Undefined: the caller does not say, and a member can be detached all the same. */
  readonly trunkId: EniId | undefined
}

/** @throws ApiError InvalidParameter.EniNotBelongEcs, InvalidParameter.EniNotBelongTrunk */
export function checkPlace({ id }: Eni, on: Attachment, { instance, trunkId }: Place): void {
  if (on.instanceId !== instance) {
    throw new ApiError('InvalidParameter.EniNotBelongEcs', `${id} is on ${on.instanceId}, not on ${instance}.`)
  }
  if (trunkId === undefined || on.trunkId === trunkId) return
  throw new ApiError('InvalidParameter.EniNotBelongTrunk', `${id} is not on the trunk ${trunkId}.`)
}

/** `attached`: what is on the instance. @throws ApiError InvalidOperation.HasMemberEniAttached */
export function checkCarriesNone({ id }: Eni, attached: readonly Eni[]): void {
  const [member] = membersOf(attached, id)
  if (member === undefined) return
  throw new ApiError('InvalidOperation.HasMemberEniAttached', `The trunk ${id} carries ${member.id}.`)
}
