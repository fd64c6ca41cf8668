/** The VPC actions that the project needs, as typed functions in its own terms. */
import { type Clock, REAL_CLOCK } from './clock.ts'
import type { Transport } from './transport.ts'
import { KeyedQueue } from './vpc/keyed-queue.ts'
import { type RouteActions, type RouteChanges, routeActions } from './vpc/route-actions.ts'
import { type VSwitchActions, vSwitchActions } from './vpc/vswitch-actions.ts'

/** Every function throws CloudError, or the signal's reason. */
export type Vpc = VSwitchActions & RouteActions

export interface VpcOptions {
  /** Paces the waits for route changes. */
  readonly clock?: Clock
  /** Keeps route changes of a VPC apart: one for all clients of a process. */
  readonly routeChanges?: RouteChanges
}

export function createVpc(transport: Transport, { clock, routeChanges }: VpcOptions = {}): Vpc {
  const routes = routeActions(transport, clock ?? REAL_CLOCK, routeChanges ?? new KeyedQueue())
  return { ...vSwitchActions(transport), ...routes }
}
