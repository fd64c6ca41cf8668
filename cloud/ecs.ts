/** The ECS actions that the project needs, as typed functions in its own terms. */
import { type AddressActions, addressActions } from './ecs/address-actions.ts'
import { type EniActions, eniActions, type OddEni } from './ecs/eni-actions.ts'
import { type InstanceActions, instanceActions } from './ecs/instance-actions.ts'
import { type TagActions, tagActions } from './ecs/tag-actions.ts'
import type { Transport } from './transport.ts'

export type { CloudEni } from './ecs/eni.ts'
export type { CreateEni, OddEni } from './ecs/eni-actions.ts'

/** Every function throws CloudError, or the signal's reason. */
export type Ecs = EniActions & AddressActions & InstanceActions & TagActions

/** @param onOddEni see CloudOptions. */
export function createEcs(transport: Transport, onOddEni: (odd: OddEni) => void = () => undefined): Ecs {
  return {
    ...eniActions(transport, onOddEni),
    ...addressActions(transport),
    ...instanceActions(transport),
    ...tagActions(transport),
  }
}
