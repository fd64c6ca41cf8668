/** Looks at what a runtime is told of the node by STATUS. */
import { NetlinkError, SystemCallError } from '../../netlink/error.ts'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import { networkPlan } from '../../netlink/plan.ts'
import { supportsLinkKind, supportsNftables } from '../../netlink/probe.ts'
import type { NetConf } from '../cni/netconf.ts'
import type { EniConf } from '../config/eni-conf.ts'
import { LOOPBACK, LOOPBACK_INDEX } from '../datapath/constants.ts'
import { type KernelFeature, neededFeatures, statusProblem } from '../pod/status.ts'
import type { Journal } from '../store/journal.ts'

export interface NodeStatusParts {
  readonly conf: EniConf
  readonly journal: Pick<Journal, 'putFact'>
  readonly kernel: PlanInterpreter
  readonly now: () => number
}

/** Under which the journal shows that it can be written. */
const FACT = 'status-asked'
const LOOPBACK_PLAN = networkPlan({
  links: [{ kind: 'existing', netns: 'host', name: LOOPBACK, ifindex: LOOPBACK_INDEX }],
})

export class NodeStatus {
  readonly #parts: NodeStatusParts
  /** A kernel keeps what it has. */
  readonly #present = new Set<KernelFeature>()

  constructor(parts: NodeStatusParts) {
    this.#parts = parts
  }

  /** @throws CniError 50 when no pod could be networked. */
  look(netConf: NetConf): void {
    const { conf, journal, kernel, now } = this.#parts
    const unwritable = failureOf(() => journal.putFact(FACT, now()))
    const unreachable = failureOf(() => kernel.verify(LOOPBACK_PLAN))
    const kind = conf.route === undefined ? conf.pool.kind : 'route'
    const needed = unreachable === undefined ? neededFeatures(kind, conf.datapath, netConf) : []
    const problem = statusProblem({
      ...(unwritable === undefined ? {} : { journal: unwritable }),
      ...(unreachable === undefined ? {} : { kernel: unreachable }),
      lacking: needed.filter((feature) => !this.#has(feature)),
    })
    if (problem !== undefined) throw problem
  }

  #has(feature: KernelFeature): boolean {
    if (this.#present.has(feature)) return true
    const found = feature === 'nf_tables' ? supportsNftables() : supportsLinkKind(feature)
    if (found) this.#present.add(feature)
    return found
  }
}

/** Of the journal and the kernel; what else fails is a fault of the program. */
function failureOf(look: () => unknown): string | undefined {
  try {
    look()
    return undefined
  } catch (error) {
    if (error instanceof NetlinkError || error instanceof SystemCallError || isDatabaseError(error)) {
      return error.message
    }
    throw error
  }
}

/** Errors of node:sqlite have this code. */
function isDatabaseError(error: unknown): error is Error {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}
