/** Addresses of the node's own prefixes, which the VPC leads here. */
import { cidrContains } from '../../inet/address.ts'
import { REAL_POOL_CLOCK } from '../pool/clock.ts'
import { NO_SUSPICIONS } from '../pool/reconcile.ts'
import { createRouteMode } from '../route/route-mode.ts'
import { type Addressing, nodePlans } from './addressing.ts'
import type { AddressingParts } from './pool-addressing.ts'

export interface RouteParts extends AddressingParts {
  readonly nodeName: string
}

/** @throws PodCidrError when the node has no prefixes for its pods, or they do not fit their families */
export function routeAddressing({ conf, access, links, host, inputs, now, ...parts }: RouteParts): Addressing {
  const { podCidrs } = host
  const mode = createRouteMode({
    ...{ ...parts, podCidrs, families: conf.pool.families, coolDown: conf.coolDown, cloud: access.cloud() },
    ...{ podRoutes: () => links.podRoutes(), clock: { ...REAL_POOL_CLOCK, now } },
    ...{ routeTableLimit: conf.route?.tableLimit ?? 0, routeTables: conf.route?.tables },
  })
  const { leases } = mode
  return {
    leases,
    enis: {
      ...{ eniOf: () => undefined, missed: () => undefined, plans: () => nodePlans(host, []) },
      isOfPods: (ip) => podCidrs.some((cidr) => cidrContains(cidr, ip)),
    },
    pool: undefined,
    compared: {
      state: { enis: { size: 0 }, addresses: leases.addresses },
      // Nothing of the cloud's is anybody's: its routes have a look of their own.
      reconcile: async () => ({ findings: [], suspicions: NO_SUSPICIONS }),
    },
    problems: () => mode.problems(),
    open: () => mode.start(),
    close: () => mode.stop(),
  }
}
