/** What a start finds: endpoints half added or half removed, pods that ended meanwhile, plans the kernel lost. */
import type { Logger } from 'pino'
import type { LinkName } from '../../inet/link-name.ts'
import { NetlinkError } from '../../netlink/error.ts'
import type { Difference, NetworkPlan } from '../../netlink/plan.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { type PodContext, podKey } from './context.ts'
import { endOf } from './netns-presence.ts'
import { releaseOwnerless } from './sweep.ts'

/** Brings every endpoint on record to a whole state, before anything is served. */
export async function recover(context: PodContext): Promise<void> {
  const removals: Promise<void>[] = []
  for (const endpoint of context.endpoints.all()) {
    const why = reasonToRemove(context, endpoint)
    if (why === undefined) continue
    context.log.info({ pod: podKey(endpoint), containerId: endpoint.containerId, why }, 'removing an endpoint at start')
    removals.push(context.removals.start(endpoint))
  }
  await Promise.all(removals)
  repair(context)
  releaseOwnerless(context)
}

/** One look is all there is: what it leaves open is the sweep's. */
function reasonToRemove({ endpoints, links }: PodContext, endpoint: Endpoint): string | undefined {
  // The runtime was never answered, so it takes the ADD for failed.
  if (endpoint.phase === 'adding') return 'its ADD was interrupted'
  if (endpoint.phase === 'deleting') return 'its removal was interrupted'
  const sight = { linkExists: (name: LinkName) => links.exists(name), sandboxes: endpoints.all() }
  return endOf(endpoint, sight) === 'certain' ? 'its namespace is gone' : undefined
}

/**
 * Compares all plans with one reading of the node's tables, then sets right the few that differ: by the plan on record,
 * since the node's own part of another one may not be there yet. Later the sweep lets the pods follow the node.
 */
function repair({ endpoints, kernel, log }: PodContext): void {
  const planned = endpoints
    .all()
    .flatMap(({ plan, ...rest }) => (plan === undefined || rest.phase !== 'ready' ? [] : [{ ...rest, plan }]))
  const differences = compareAll(
    kernel,
    planned.map(({ plan }) => plan),
    log,
  )
  repairMarks(
    kernel,
    planned.map(({ plan }) => plan).filter((_, index) => differences[index]?.some(isMark)),
    log,
  )
  for (const [index, endpoint] of planned.entries()) {
    const found = differences[index] ?? []
    const fields = { pod: podKey(endpoint), containerId: endpoint.containerId, differences: found }
    if (found.length > 0) applyAgain(kernel, endpoint.plan, { log, fields })
  }
}

/** A node whose tables change all the time cannot be read whole; its pods then keep what they have. */
function compareAll(kernel: PodContext['kernel'], plans: readonly NetworkPlan[], log: Logger): Difference[][] {
  try {
    return kernel.verifyAll(plans)
  } catch (err) {
    const why = err instanceof NetlinkError ? err.code : 'see the error'
    log.error({ err, why }, 'the kernel cannot be compared with the plans; "terway-cli verify" tries again')
    return []
  }
}

function isMark({ object }: Difference): boolean {
  return object === 'mark'
}

/** All together: what is lost of the table of marks is lost for every pod. */
function repairMarks(kernel: PodContext['kernel'], plans: readonly NetworkPlan[], log: Logger): void {
  try {
    if (plans.length > 0) kernel.repairMarks(plans)
  } catch (err) {
    log.error({ err }, 'the marks of pods cannot be repaired; they are tried again one by one')
  }
}

/** One pod that cannot be set right must not keep the others from being served. */
function applyAgain(kernel: PodContext['kernel'], plan: NetworkPlan, report: { log: Logger; fields: object }): void {
  try {
    kernel.apply(plan)
    report.log.warn(report.fields, 'the kernel was not as planned; repaired')
  } catch (err) {
    const fields = { ...report.fields, err }
    report.log.error(fields, 'the kernel is not as planned and cannot be repaired; the pod may be cut off')
  }
}
