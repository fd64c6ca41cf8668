/** ECS and VPC behind one transport. */
import { createEcs, type Ecs, type OddEni } from './ecs.ts'
import type { Transport } from './transport.ts'
import { createVpc, type Vpc, type VpcOptions } from './vpc.ts'

export type Cloud = Ecs & Vpc

export interface CloudOptions extends VpcOptions {
  /** Told of each ENI that a listing names and that is not understood. Must not throw. */
  readonly onOddEni?: (odd: OddEni) => void
}

export function createCloud(transport: Transport, { onOddEni, ...options }: CloudOptions = {}): Cloud {
  return { ...createEcs(transport, onOddEni), ...createVpc(transport, options) }
}
