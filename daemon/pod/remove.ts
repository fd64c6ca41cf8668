/** The end of an endpoint, whoever asks for it: DEL, GC, a failed ADD, a newer sandbox, a namespace that vanished. */
import type { Logger } from 'pino'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { ownerOf } from '../pool/model.ts'
import { KEEP_FOR } from '../pool/pool.ts'
import { addressesOf, type Endpoint, plansOf } from '../store/endpoint.ts'
import type { NodeView } from './context.ts'
import type { Endpoints } from './endpoints.ts'
import type { LeaseSource } from './leases.ts'
import type { Stopwatch } from './stopwatch.ts'
import { Turns } from './turns.ts'

export interface RemovalContext {
  readonly endpoints: Endpoints
  readonly leases: LeaseSource
  readonly kernel: PlanInterpreter
  readonly links: Pick<NodeView, 'fit'>
  /** See PodContext. */
  readonly keepsAddress: (pod: { readonly namespace: string; readonly pod: string }) => boolean
  readonly now: () => number
  readonly log: Logger
}

export class Removals {
  readonly #context: RemovalContext
  readonly #running = new Map<string, Promise<void>>()
  readonly #turns = new Turns()

  constructor(context: RemovalContext) {
    this.#context = context
  }

  /**
   * Takes rules and routes away at once and hands the link to the reaper; an ENI comes back to the node. The address
   * stays with the endpoint until the kernel has confirmed that the link is gone, and cools down from then on. Never
   * rejects: a removal that failed stays in the journal as `deleting` and is taken up again by the sweep and at the next
   * start.
   * @param watch of who waits for the first part: the record, and what is taken away at once
   * @returns when nothing of the endpoint is left, or the attempt has failed.
   */
  start(endpoint: Endpoint, watch?: Stopwatch): Promise<void> {
    const key = ownerOf(endpoint.containerId, endpoint.ifname)
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const removal = this.#remove(endpoint, watch).finally(() => this.#running.delete(key))
    this.#running.set(key, removal)
    return removal
  }

  /** To be awaited before the work for one of many pods, ADD or DEL: each is a millisecond or two in one go. */
  turn(): Promise<unknown> {
    return this.#turns.next()
  }

  /** True while the kernel still holds something of the endpoint that is on its way out. */
  runs(endpoint: Endpoint): boolean {
    return this.#running.has(ownerOf(endpoint.containerId, endpoint.ifname))
  }

  /** When everything that is on its way out has gone. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  async #remove(endpoint: Endpoint, watch: Stopwatch | undefined): Promise<void> {
    const context = this.#context
    const { endpoints, leases, kernel, now, log } = context
    const { containerId, ifname, namespace, pod } = endpoint
    const fields = { containerId, ifname, pod: `${namespace}/${pod}`, ip: addressesOf(endpoint).join() || undefined }
    try {
      if (endpoint.phase !== 'deleting') endpoints.put({ ...endpoint, phase: 'deleting', since: now() })
      watch?.lap('journal')
      const removed = removeAll(kernel, plansOf(endpoint))
      watch?.lap('kernel')
      await removed
      // The reaper confirms the ends of many links at the same moment.
      await this.turn()
      leases.release(ownerOf(containerId, ifname), context.keepsAddress(endpoint) ? KEEP_FOR : 0)
      endpoints.drop(endpoint)
      log.info(fields, 'endpoint removed')
    } catch (err) {
      log.error({ ...fields, err }, 'removing an endpoint failed; it is tried again')
      return
    }
    await this.#fitEni(endpoint)
  }

  /** The endpoint is off the record; the sweep tries again. */
  async #fitEni({ attachment }: Endpoint): Promise<void> {
    const { links, log } = this.#context
    try {
      if (attachment !== undefined) await links.fit(attachment)
    } catch (err) {
      const fields = { link: attachment?.eni?.link, err }
      log.error(fields, 'what an ENI had for a pod that has gone could not be taken away; it is tried again')
    }
  }
}

/** One that cannot be removed keeps no other. Rejects with the first error, when all have had their turn. */
async function removeAll(kernel: PlanInterpreter, plans: readonly NetworkPlan[]): Promise<void> {
  const failures: unknown[] = []
  for (const plan of plans) await kernel.remove(plan).catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
