/** One attachment of one container, as the journal keeps it: `(container id, ifname)` of the CNI specification. */
import { z } from 'zod'
import { type Ip, type Ipv4, type Ipv6, parseIpv4, parseIpv6 } from '../../inet/address.ts'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import type { Attachment } from '../datapath/attachment.ts'

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
  /** Of these at least one is present from the moment addresses are held. */
  readonly ip?: Ipv4
  readonly ip6?: Ipv6
  readonly eniId?: string
  readonly hostLink?: LinkName
  /** Present from the moment the kernel may have been touched. */
  readonly plan?: NetworkPlan
  /** What the plan was made from; absent with the endpoints of earlier versions. */
  readonly attachment?: Attachment
  /** The plan before, while the kernel may still hold what is in it and not in `plan`. */
  readonly replaced?: NetworkPlan
}

/** In the order in which they are told: IPv4 first. */
export function addressesOf({ ip, ip6 }: Pick<Endpoint, 'ip' | 'ip6'>): readonly Ip[] {
  return [...(ip === undefined ? [] : [ip]), ...(ip6 === undefined ? [] : [ip6])]
}

/** Everything that the kernel may hold of the endpoint. */
export function plansOf({ plan, replaced }: Pick<Endpoint, 'plan' | 'replaced'>): readonly NetworkPlan[] {
  return [...(plan === undefined ? [] : [plan]), ...(replaced === undefined ? [] : [replaced])]
}

// Written by this program from typed values; their shape is checked by the schema version of the journal.
const plan = z.custom<NetworkPlan>(isObject).exactOptional()
const attachment = z.custom<Attachment>(isObject).exactOptional()

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
  ip: z.string().transform(parseIpv4).exactOptional(),
  ip6: z.string().transform(parseIpv6).exactOptional(),
  eniId: z.string().exactOptional(),
  hostLink: z.string().transform(parseLinkName).exactOptional(),
  ...{ plan, attachment, replaced: plan },
})

/** @throws ZodError when a row is not an endpoint: the journal is damaged. */
export function decodeEndpoint(record: unknown): Endpoint {
  return ENDPOINT.parse(record)
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
