/** Where the addresses of pods come from: a pool of ENIs, or prefixes of the node's own in VPC route mode. */
import type { NetworkPlan } from '../../netlink/plan.ts'
import type { HostFacts } from '../datapath/attachment.ts'
import { planHost } from '../datapath/plan-host.ts'
import { type EniDirectory, NODE } from '../pod/context.ts'
import type { Garbage, GarbageOptions } from '../pod/gc.ts'
import type { LeaseSource } from '../pod/leases.ts'
import type { Pool } from '../pool/pool.ts'

export interface Addressing {
  readonly leases: LeaseSource
  readonly enis: EniDirectory
  /** Undefined in VPC route mode. */
  readonly pool: Pool | undefined
  /** What of it is compared with the cloud. */
  readonly compared: GarbageOptions['pool']
  /** What keeps it from giving addresses, in words for the operator. */
  problems(): string[]
  /**
   * Agrees with the cloud on what there is, as far as that can be had soon, and begins to give addresses.
   * @throws CloudError on a fresh node, when asking again cannot help
   */
  open(garbage: Garbage): Promise<void>
  /** Who waits is turned away; what pods have stays. */
  close(): Promise<void>
}

/** @param enis of those that are ready */
export function nodePlans(
  host: HostFacts,
  enis: readonly (readonly [owner: string, plan: NetworkPlan])[],
): ReturnType<EniDirectory['plans']> {
  return [[NODE, planHost(host)], ...enis]
}
