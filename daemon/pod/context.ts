/** What the steps of a pod's life work with. */
import type { Logger } from 'pino'
import type { EniId } from '../../cloud/ids.ts'
import type { Ip } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import type { Rule } from '../../netlink/rule.ts'
import type { Attachment, EniFacts, HostFacts } from '../datapath/attachment.ts'
import type { Endpoints } from './endpoints.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { LeaseSource } from './leases.ts'
import type { LinkIndexes } from './link-indexes.ts'
import type { Removals } from './remove.ts'

/** The node as it is, whatever the journal says. */
export interface NodeView {
  exists(name: LinkName): boolean
  /** Whether the ENI, or the trunk of a member, still has the link that the facts are about. @throws NetlinkError */
  isThere(eni: EniFacts): boolean
  /** Of the node's links. */
  indexes(): readonly number[]
  /** Addresses that pods' links carry host routes for. */
  podRoutes(): ReadonlyMap<Ip, LinkName>
  /** Of both families, each in order. */
  rules(): Rule[]
  /** Those that are gone already are fine. @throws NetlinkError */
  removeRules(rules: readonly Rule[]): void
  /** Sources whose packets are marked. @throws NetlinkError */
  marks(): ReadonlyMap<Ip, number>
  /**
   * Gives the ENI what its pods on record need of it beside what every pod needs, and takes from it what none of them
   * needs any more: before a pod is connected, and when it has gone. Rejects with PlanError or NetlinkError.
   */
  fit(attachment: Attachment): Promise<void>
  /** The same for every ENI, whatever pods it has had. Rejects with the first error, when all have had their turn. */
  fitAll(): Promise<void>
}

/** Owner of the node's own plan. */
export const NODE = 'node'

/** The node's ENIs as its pods look at them. */
export interface EniDirectory {
  /** The ENI that has the address now; undefined while it is not ready for pods. */
  eniOf(ip: Ip): EniFacts | undefined
  /** Whether the address is one that this node gives its pods: others are not for it to judge. */
  isOfPods(ip: Ip): boolean
  /** A pod was to be put on it, and its link is not there. */
  missed(id: EniId): void
  /** What the node and its ENIs need, by the name to tell of it under: `NODE`, or the ENI's id. */
  plans(): readonly (readonly [owner: string, plan: NetworkPlan])[]
}

export interface PodContext {
  readonly endpoints: Endpoints
  readonly leases: LeaseSource
  readonly enis: EniDirectory
  readonly kernel: PlanInterpreter
  readonly removals: Removals
  /** Held for `namespace/pod` while anything of the pod changes. */
  readonly locks: KeyedLock
  readonly indexes: LinkIndexes
  /** Looked up at each use. */
  readonly host: HostFacts
  /** Bytes; of pods whose network configuration does not say, where no ENI does. */
  readonly mtu: number
  /** An ADD waits this long for an address, ms. */
  readonly acquireTimeout: number
  readonly links: NodeView
  /** Whether the pod shall have the same address when it is made again: of a StatefulSet, or by its annotation. */
  readonly keepsAddress: (pod: { readonly namespace: string; readonly pod: string }) => boolean
  readonly now: () => number
  readonly log: Logger
}

export function podKey(pod: { readonly namespace: string; readonly pod: string }): string {
  return `${pod.namespace}/${pod.pod}`
}
