/** The ECS actions that the project needs, as typed functions in its own terms. */
import { type AddressActions, addressActions } from './ecs/address-actions.ts'
import { type EniActions, eniActions } from './ecs/eni-actions.ts'
import { type InstanceActions, instanceActions } from './ecs/instance-actions.ts'
import { type TagActions, tagActions } from './ecs/tag-actions.ts'
import type { Transport } from './transport.ts'

export type { CloudEni } from './ecs/eni.ts'
export type { CreateEni } from './ecs/eni-actions.ts'

/** Every function throws CloudError, or the signal's reason. */
export type Ecs = EniActions & AddressActions & InstanceActions & TagActions

export function createEcs(transport: Transport): Ecs {
  const enis = eniActions(transport)
  return { ...enis, ...addressActions(transport, enis), ...instanceActions(transport), ...tagActions(transport) }
}
