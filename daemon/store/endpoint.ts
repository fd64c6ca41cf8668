/** One attachment of one container, as the journal keeps it: `(container id, ifname)` of the CNI specification. */
import { z } from 'zod'
import { type Ipv4, parseIpv4 } from '../../inet/address.ts'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'

export interface EndpointKey {
  readonly containerId: string
  readonly ifname: LinkName
}

export interface Endpoint extends EndpointKey {
  /** `adding` until the runtime has been answered; `deleting` until the kernel has confirmed the link gone. */
  readonly phase: 'adding' | 'ready' | 'deleting'
  /** Name of the CNI network it was added by: GC of another network must not touch it. */
  readonly network: string
  readonly namespace: string
  readonly pod: string
  readonly netns: string
  /** Device and inode of the namespace, so that another one under the same path is told apart. */
  readonly netnsId: string
  /** ms since the epoch, of the phase */
  readonly since: number
  /** Present from the moment an address is held. */
  readonly ip?: Ipv4
  readonly eniId?: string
  readonly hostLink?: LinkName
  /** Present from the moment the kernel may have been touched. */
  readonly plan?: NetworkPlan
}

const ENDPOINT = z.object({
  containerId: z.string(),
  ifname: z.string().transform(parseLinkName),
  phase: z.enum(['adding', 'ready', 'deleting']),
  network: z.string(),
  namespace: z.string(),
  pod: z.string(),
  netns: z.string(),
  netnsId: z.string(),
  since: z.number(),
  ip: z.string().transform(parseIpv4).optional(),
  eniId: z.string().optional(),
  hostLink: z.string().transform(parseLinkName).optional(),
  // Written by this program from a typed plan; its shape is checked by the schema version of the journal.
  plan: z.custom<NetworkPlan>((value) => typeof value === 'object' && value !== null).optional(),
})

/** @throws ZodError when a row is not an endpoint: the journal is damaged. */
export function decodeEndpoint(record: unknown): Endpoint {
  const { ip, eniId, hostLink, plan, ...rest } = ENDPOINT.parse(record)
  return {
    ...rest,
    ...(ip === undefined ? {} : { ip }),
    ...(eniId === undefined ? {} : { eniId }),
    ...(hostLink === undefined ? {} : { hostLink }),
    ...(plan === undefined ? {} : { plan }),
  }
}
