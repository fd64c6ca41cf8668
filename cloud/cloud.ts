/** ECS and VPC behind one transport. */
import { REAL_CLOCK } from './clock.ts'
import { createEcs, type Ecs } from './ecs.ts'
import type { Transport } from './transport.ts'
import { createVpc, type Vpc } from './vpc.ts'

export type Cloud = Ecs & Vpc

export function createCloud(transport: Transport, clock = REAL_CLOCK): Cloud {
  return { ...createEcs(transport), ...createVpc(transport, clock) }
}
