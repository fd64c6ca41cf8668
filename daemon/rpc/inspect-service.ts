/** The Inspect service: what the daemon knows, for an operator's eyes. Changes nothing. */
import type { handleUnaryCall } from '@grpc/grpc-js'
import type { NodeFacts } from '../../cloud/metadata.ts'
import type { NetworkPlan, Difference as PlanDifference } from '../../netlink/plan.ts'
import type { Difference } from '../../proto/generated/terway/inspect/v1/Difference.ts'
import type { InspectHandlers } from '../../proto/generated/terway/inspect/v1/Inspect.ts'
import type { Node } from '../../proto/generated/terway/inspect/v1/Node.ts'
import type { VerifyReply } from '../../proto/generated/terway/inspect/v1/VerifyReply.ts'
import type { Kind } from '../config/mode.ts'
import type { PodContext } from '../pod/context.ts'
import { ownerOf } from '../pool/model.ts'
import type { Pool } from '../pool/pool.ts'
import type { EventLog } from '../pool/report/events.ts'
import type { NodeCondition } from '../pool/report/sufficiency.ts'
import { failureOf, NotFoundError } from './failure.ts'
import { inspectHost } from './inspect-host.ts'
import { inspectPod } from './inspect-pod.ts'
import { showEndpoint } from './show-endpoint.ts'
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
  /** What pods get. */
  readonly mode: Kind
  /** Undefined in VPC route mode. */
  readonly pool: Pool | undefined
  /** What keeps pods from getting addresses, in words for the operator. */
  readonly problems: () => string[]
}

export function inspectService(options: InspectOptions): InspectHandlers {
  const { pods } = options
  return {
    Show: answering(pods, () => showNode(options)),
    Verify: answering(pods, () => verifyPlans(pods)),
    InspectPod: answering(pods, (request) => inspectPod(pods, request)),
    InspectHost: answering(pods, () => inspectHost(options)),
  }
}

/** Of what is thrown gRPC would say nothing in the log, and to the caller only that it does not know. */
function answering<Request, Reply>(
  { log }: Pick<PodContext, 'log'>,
  answer: (request: Request) => Reply,
): handleUnaryCall<Request, Reply> {
  return ({ request }, done) => {
    let reply: Reply
    try {
      reply = answer(request)
    } catch (err) {
      if (!(err instanceof NotFoundError)) log.error({ err }, 'a question of an operator could not be answered')
      done(failureOf(err))
      return
    }
    done(null, reply)
  }
}

function verifyPlans(pods: PodContext): VerifyReply {
  const plans = [...pods.enis.plans(), ...podPlans(pods)]
  const found = pods.kernel.verifyAll(plans.map(([, plan]) => plan))
  const differences = plans.flatMap(([owner], at) => (found[at] ?? []).map((one) => toMessage(owner, one)))
  return { plans: plans.length, differences }
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

function showNode(options: InspectOptions): Node {
  const { nodeName, facts, version, startedAt, now, pods, pool, problems, reports } = options
  const all = pods.endpoints.all()
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
    enis: pool === undefined ? [] : showEnis(pool, all),
    pool: pool === undefined ? null : showPool(pool),
    endpoints: all.map(showEndpoint),
    problems: problems(),
    foreignEnis: (pool?.foreign ?? []).map(({ id, type, why }) => ({ id, type, why })),
    events: reports.events.latest.map(showEvent),
    conditions: reports.current === undefined ? [] : [showCondition(reports.current)],
  }
}
