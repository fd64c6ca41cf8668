/** What of an ENI can be changed, and when. */
import type { SecurityGroupId } from '../region/ids.ts'
import type { Node } from '../region/region.ts'
import type { Eni } from './eni.ts'
import { checkHighPerformance, checkQueues, checkSettled } from './eni-rules.ts'
import { ApiError } from './error.ts'

export interface EniChanges {
  /** All the groups the ENI is to be in. */
  readonly securityGroupIds?: readonly SecurityGroupId[]
  readonly name?: string
  readonly description?: string
  readonly deleteOnRelease?: boolean
  readonly sourceDestCheck?: boolean
  readonly trafficMode?: Eni['trafficMode']
  readonly queueNumber?: number
}

/** Where the ENI is. */
export interface Surroundings {
  readonly node: Node
  /** On the node, or on its way to or from it. */
  readonly attached: readonly Eni[]
}

/** ModifyNetworkInterfaceAttribute documentation. Security groups are checked elsewhere. @throws ApiError */
export function checkChanges(eni: Eni, changes: EniChanges, on: Surroundings | undefined): void {
  checkSettled(eni)
  const { name, description, ...rest } = changes
  if (eni.type === 'Primary' && Object.keys(rest).length > 0) {
    const message = `${eni.id} is a primary ENI: only its name and description can be changed.`
    throw new ApiError('InvalidOperation.PrimaryEniOnlySupportModifyNameAndDesc', message)
  }
  if (rest.trafficMode !== undefined) checkTrafficMode(eni, rest.trafficMode, on)
  if (rest.queueNumber === undefined || on === undefined) return
  if (on.node.status !== 'Stopped') {
    const message = `The queues of ${eni.id} can be changed when it is Available or its instance is Stopped.`
    throw new ApiError('InvalidOperation.InvalidEniState', message)
  }
  checkQueues(rest.queueNumber, on.node)
}

function checkTrafficMode(eni: Eni, wanted: Eni['trafficMode'], on: Surroundings | undefined): void {
  if (wanted === eni.trafficMode) return
  if (wanted === 'Standard') {
    const message = `${eni.id} cannot be changed back to the traffic mode Standard.`
    throw new ApiError('InvalidTrafficMode.ModifyToStandardNotSupported', message)
  }
  if (on !== undefined) checkHighPerformance(on.node, on.attached)
}
