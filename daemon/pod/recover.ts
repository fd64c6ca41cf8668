/**
 * What a start finds and what time brings: endpoints half added or half removed, namespaces that vanished without a
 * DEL, plans that the kernel no longer holds.
 */

import type { Logger } from 'pino'
import { parseLinkName } from '../../inet/link-name.ts'
import { NetlinkError, NetnsError } from '../../netlink/error.ts'
import { openNetns } from '../../netlink/netns.ts'
import type { Difference, NetworkPlan } from '../../netlink/plan.ts'
import { PlanError } from '../../netlink/plan-error.ts'
import { ownerOf, unknownOwnersLink } from '../pool/model.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { type PodContext, podKey } from './context.ts'

/** Brings every endpoint on record to a whole state, before anything is served. */
export async function recover(context: PodContext): Promise<void> {
  const removals: Promise<void>[] = []
  for (const endpoint of context.endpoints.all()) {
    const why = reasonToRemove(endpoint)
    if (why === undefined) continue
    context.log.info({ pod: podKey(endpoint), containerId: endpoint.containerId, why }, 'removing an endpoint at start')
    removals.push(context.removals.start(endpoint))
  }
  await Promise.all(removals)
  repair(context)
  releaseOwnerless(context)
}

function reasonToRemove(endpoint: Endpoint): string | undefined {
  // The runtime was never answered, so it takes the ADD for failed.
  if (endpoint.phase === 'adding') return 'its ADD was interrupted'
  if (endpoint.phase === 'deleting') return 'its removal was interrupted'
  return netnsIsGone(endpoint) ? 'its namespace is gone' : undefined
}

/** Gone, or another namespace under the same path. */
function netnsIsGone({ netns, netnsId }: Endpoint): boolean {
  try {
    using handle = openNetns(netns)
    return handle.identity !== netnsId
  } catch (error) {
    // A path that is there and not a namespace is what an unmounted one leaves behind.
    if (error instanceof NetnsError) return true
    throw error
  }
}

/** Compares all plans with one reading of the node's tables, then sets right the few that differ. */
function repair({ endpoints, kernel, log }: PodContext): void {
  const planned = endpoints.all().flatMap(({ plan, ...rest }) => (plan === undefined ? [] : [{ ...rest, plan }]))
  const differences = compareAll(
    kernel,
    planned.map(({ plan }) => plan),
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
    if (!(err instanceof NetlinkError)) throw err
    log.error({ err }, 'the kernel cannot be compared with the plans; "terway-cli verify" tries again')
    return []
  }
}

function applyAgain(kernel: PodContext['kernel'], plan: NetworkPlan, report: { log: Logger; fields: object }): void {
  try {
    kernel.apply(plan)
    report.log.warn(report.fields, 'the kernel was not as planned; repaired')
  } catch (err) {
    if (!(err instanceof PlanError)) throw err
    const fields = { ...report.fields, err }
    report.log.error(fields, 'the kernel is not as planned and cannot be repaired; the pod may be cut off')
  }
}

/** Addresses on record as given away although nobody has them. */
function releaseOwnerless({ endpoints, pool, linkExists, log }: PodContext): void {
  const owners = new Set(endpoints.all().map(({ containerId, ifname }) => ownerOf(containerId, ifname)))
  for (const address of pool.state.addresses.values()) {
    if (address.phase !== 'owned' || owners.has(address.owner)) continue
    const link = unknownOwnersLink(address.owner)
    if (link !== undefined && linkExists(parseLinkName(link))) continue
    log.warn({ ip: address.ip, owner: address.owner }, 'nobody has this address any more; taking it back')
    pool.release(address.owner)
  }
}

/**
 * Finds what no call will ever end: a namespace that is gone in two looks in a row has no runtime left to call DEL for
 * it, and a removal that failed is tried again.
 */
export class Sweep {
  readonly #context: PodContext
  #suspects = new Set<string>()

  constructor(context: PodContext) {
    this.#context = context
  }

  async run(): Promise<void> {
    const { endpoints, locks, removals } = this.#context
    const suspects = new Set<string>()
    for (const endpoint of endpoints.all()) {
      const key = ownerOf(endpoint.containerId, endpoint.ifname)
      if (endpoint.phase === 'adding' || removals.runs(endpoint)) continue
      const gone = endpoint.phase === 'ready' && netnsIsGone(endpoint)
      if (gone && !this.#suspects.has(key)) suspects.add(key)
      if (endpoint.phase === 'deleting' || (gone && this.#suspects.has(key))) {
        await locks.run(podKey(endpoint), async () => {
          const current = endpoints.get(endpoint)
          if (current !== undefined && current.phase !== 'adding') await removals.start(current)
        })
      }
    }
    this.#suspects = suspects
    releaseOwnerless(this.#context)
  }
}
