/** The Inspect service: what the daemon knows, for an operator's eyes. Changes nothing. */
import type { NodeFacts } from '../../cloud/metadata.ts'
import type { NetworkPlan, Difference as PlanDifference } from '../../netlink/plan.ts'
import type { Difference } from '../../proto/generated/terway/inspect/v1/Difference.ts'
import type { Endpoint as EndpointMessage } from '../../proto/generated/terway/inspect/v1/Endpoint.ts'
import type { InspectHandlers } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { Node } from '../../proto/generated/terway/inspect/v1/Node.ts'
import type { PodContext } from '../pod/context.ts'
import { ownerOf } from '../pool/model.ts'
import type { ForeignEni } from '../pool/reconcile.ts'
import type { EventLog } from '../pool/report/events.ts'
import type { NodeCondition } from '../pool/report/sufficiency.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { showCondition, showEnis, showEvent, showPool } from './show-pool.ts'

export interface InspectOptions {
  readonly nodeName: string
  readonly facts: NodeFacts
  readonly version: string
  /** ms since the epoch */
  readonly startedAt: number
  /** ms since the epoch, of the clock that the pool's times are of */
  readonly now: () => number
  readonly pods: PodContext
  readonly reports: { readonly events: EventLog; readonly current: NodeCondition | undefined }
  /** ENIs of this instance that are not ours. */
  readonly foreign: () => readonly ForeignEni[]
  /** The plans of the node and its ENIs, by the name to report them under. */
  readonly nodePlans: () => readonly (readonly [owner: string, plan: NetworkPlan])[]
}

export function inspectService(options: InspectOptions): InspectHandlers {
  return {
    Show: (_, reply) => reply(null, showNode(options)),
    Verify: (_, reply) => {
      const plans = [...options.nodePlans(), ...podPlans(options.pods)]
      const found = options.pods.kernel.verifyAll(plans.map(([, plan]) => plan))
      const differences = plans.flatMap(([owner], index) => (found[index] ?? []).map((one) => toMessage(owner, one)))
      reply(null, { plans: plans.length, differences })
    },
  }
}

function podPlans({ endpoints }: PodContext): (readonly [string, NetworkPlan])[] {
  return endpoints
    .all()
    .flatMap(({ phase, plan, containerId, ifname }) =>
      phase === 'ready' && plan !== undefined ? [[ownerOf(containerId, ifname), plan] as const] : [],
    )
}

function toMessage(owner: string, { found = '', ...difference }: PlanDifference): Difference {
  return { owner, found, ...difference }
}

function showNode({ nodeName, facts, version, startedAt, now, pods, reports, foreign }: InspectOptions): Node {
  const { pool, endpoints } = pods
  const all = endpoints.all()
  return {
    name: nodeName,
    instanceId: facts.instanceId,
    instanceType: facts.instanceType,
    regionId: facts.regionId,
    zoneId: facts.zoneId,
    vpcId: facts.vpcId,
    version,
    startedAt,
    now: now(),
    enis: showEnis(pool, all),
    pool: showPool(pool),
    endpoints: all.map(showEndpoint),
    problems: pool.problems,
    foreignEnis: foreign().map(({ id, type, why }) => ({ id, type, why })),
    events: reports.events.latest.map(showEvent),
    conditions: reports.current === undefined ? [] : [showCondition(reports.current)],
  }
}

function showEndpoint(endpoint: Endpoint): EndpointMessage {
  const { containerId, ifname, netns, namespace, pod, ip, eniId = '', hostLink = '', phase, since } = endpoint
  const ips = ip === undefined ? [] : [ip]
  return { containerId, ifname, netns, namespace, pod, ips, eniId, hostLink, phase, since }
}
