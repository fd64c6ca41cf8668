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

/** A call that asks for what is there already has no effect. The order of security groups says nothing. */
export function changesAnything(eni: Eni, { securityGroupIds, ...rest }: EniChanges): boolean {
  const before: Readonly<Partial<Record<keyof EniChanges, unknown>>> = eni
  const names = Object.keys(rest) as (keyof typeof rest)[]
  if (names.some((name) => rest[name] !== before[name])) return true
  const groups = new Set(securityGroupIds ?? eni.securityGroupIds)
  return groups.size !== eni.securityGroupIds.length || !eni.securityGroupIds.every((id) => groups.has(id))
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
  const others = on.attached.filter(({ id }) => id !== eni.id)
  checkQueues({ queueNumber: rest.queueNumber, member: eni.type === 'Member' }, on.node, others)
}

function checkTrafficMode(eni: Eni, wanted: Eni['trafficMode'], on: Surroundings | undefined): void {
  if (wanted === eni.trafficMode) return
  if (wanted === 'Standard') {
    const message = `${eni.id} cannot be changed back to the traffic mode Standard.`
    throw new ApiError('InvalidTrafficMode.ModifyToStandardNotSupported', message)
  }
  if (on !== undefined) checkHighPerformance(on.node, on.attached)
}
