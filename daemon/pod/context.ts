/** What the steps of a pod's life work with. */
import type { Logger } from 'pino'
import type { Ipv4 } from '../../inet/address.ts'
import type { LinkName } from '../../inet/link-name.ts'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { Rule } from '../../netlink/rule.ts'
import type { Pool } from '../pool/pool.ts'
import type { Endpoints } from './endpoints.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { LinkIndexes } from './link-indexes.ts'
import type { Removals } from './remove.ts'

/** The node as it is, whatever the journal says. */
export interface NodeView {
  exists(name: LinkName): boolean
  /** Addresses that pods' links carry host routes for. */
  podRoutes(): ReadonlyMap<Ipv4, LinkName>
  /** IPv4 rules, in order. */
  rules(): Rule[]
  /** Those that are gone already are fine. @throws NetlinkError */
  removeRules(rules: readonly Rule[]): void
}

export interface PodContext {
  readonly endpoints: Endpoints
  readonly pool: Pool
  readonly kernel: PlanInterpreter
  readonly removals: Removals
  /** Held for `namespace/pod` while anything of the pod changes. */
  readonly locks: KeyedLock
  readonly indexes: LinkIndexes
  /** Bytes; of pods whose network configuration does not say. */
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
