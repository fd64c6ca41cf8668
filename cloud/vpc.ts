/** The VPC actions that the project needs, as typed functions in its own terms. */
import { type Clock, REAL_CLOCK } from './clock.ts'
import type { Transport } from './transport.ts'
import { type RouteActions, routeActions } from './vpc/route-actions.ts'
import { type VSwitchActions, vSwitchActions } from './vpc/vswitch-actions.ts'

/** Every function throws CloudError, or the signal's reason. */
export type Vpc = VSwitchActions & RouteActions

/** Use one for a process: it keeps route changes of a VPC apart. The clock paces the waits for them. */
export function createVpc(transport: Transport, clock: Clock = REAL_CLOCK): Vpc {
  return { ...vSwitchActions(transport), ...routeActions(transport, clock) }
}
