/** What the steps of a pod's life work with. */
import type { Logger } from 'pino'
import type { LinkName } from '../../inet/link-name.ts'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { Pool } from '../pool/pool.ts'
import type { Endpoints } from './endpoints.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { LinkIndexes } from './link-indexes.ts'
import type { Removals } from './remove.ts'

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
  readonly linkExists: (name: LinkName) => boolean
  readonly now: () => number
  readonly log: Logger
}

export function podKey(pod: { readonly namespace: string; readonly pod: string }): string {
  return `${pod.namespace}/${pod.pod}`
}
