/** What the life of pods works with, put together. */
import type { Logger } from 'pino'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { EniConf } from '../config/eni-conf.ts'
import type { HostFacts } from '../datapath/attachment.ts'
import type { NodeLinks } from '../datapath/node-links.ts'
import type { NodeInputs } from '../kube/node-inputs.ts'
import type { PodContext } from '../pod/context.ts'
import type { Endpoints } from '../pod/endpoints.ts'
import { KeyedLock } from '../pod/keyed-lock.ts'
import { LinkIndexes } from '../pod/link-indexes.ts'
import { Removals } from '../pod/remove.ts'
import type { Addressing } from './addressing.ts'

/** An ADD waits this long for an address, ms: longer calls would only hold up the runtime, which tries again. */
const ACQUIRE_TIMEOUT = 30_000

export interface PodParts {
  readonly addressing: Addressing
  readonly conf: EniConf
  readonly endpoints: Endpoints
  readonly host: HostFacts
  readonly kernel: PlanInterpreter
  readonly links: NodeLinks
  readonly inputs: NodeInputs
  readonly log: Logger
}

export function podContext({ addressing, conf, endpoints, host, kernel, links, inputs, log }: PodParts): PodContext {
  const { leases, enis } = addressing
  const keepsAddress: PodContext['keepsAddress'] = (pod) => inputs.keepsAddress(pod)
  const shared = { endpoints, leases, kernel, links, log, now: Date.now, keepsAddress }
  return {
    ...{ ...shared, enis, host },
    removals: new Removals(shared),
    locks: new KeyedLock(),
    indexes: new LinkIndexes(links.indexes()),
    mtu: conf.datapath.mtu,
    acquireTimeout: ACQUIRE_TIMEOUT,
  }
}
