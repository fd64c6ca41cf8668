/** The end of an endpoint, whoever asks for it: DEL, GC, a failed ADD, a newer sandbox, a namespace that vanished. */
import type { Logger } from 'pino'
import type { PlanInterpreter } from '../../netlink/interpreter.ts'
import { ownerOf } from '../pool/model.ts'
import { KEEP_FOR, type Pool } from '../pool/pool.ts'
import type { Endpoint } from '../store/endpoint.ts'
import type { Endpoints } from './endpoints.ts'

export interface RemovalContext {
  readonly endpoints: Endpoints
  readonly pool: Pool
  readonly kernel: PlanInterpreter
  /** See PodContext. */
  readonly keepsAddress: (pod: { readonly namespace: string; readonly pod: string }) => boolean
  readonly now: () => number
  readonly log: Logger
}

export class Removals {
  readonly #context: RemovalContext
  readonly #running = new Map<string, Promise<void>>()

  constructor(context: RemovalContext) {
    this.#context = context
  }

  /**
   * Takes rules and routes away at once and hands the link to the reaper. The address stays with the endpoint until
   * the kernel has confirmed that the link is gone, and cools down from then on. Never rejects: a removal that failed
   * stays in the journal as `deleting` and is taken up again by the sweep and at the next start.
   * @returns when nothing of the endpoint is left, or the attempt has failed.
   */
  start(endpoint: Endpoint): Promise<void> {
    const key = ownerOf(endpoint.containerId, endpoint.ifname)
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const removal = this.#remove(endpoint).finally(() => this.#running.delete(key))
    this.#running.set(key, removal)
    return removal
  }

  /** True while the kernel still holds something of the endpoint that is on its way out. */
  runs(endpoint: Endpoint): boolean {
    return this.#running.has(ownerOf(endpoint.containerId, endpoint.ifname))
  }

  /** When everything that is on its way out has gone. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  async #remove(endpoint: Endpoint): Promise<void> {
    const context = this.#context
    const { endpoints, pool, kernel, now, log } = context
    const { containerId, ifname, namespace, pod, ip, plan } = endpoint
    const fields = { containerId, ifname, pod: `${namespace}/${pod}`, ip }
    try {
      if (endpoint.phase !== 'deleting') endpoints.put({ ...endpoint, phase: 'deleting', since: now() })
      if (plan !== undefined) await kernel.remove(plan)
      pool.release(ownerOf(containerId, ifname), context.keepsAddress(endpoint) ? KEEP_FOR : 0)
      endpoints.drop(endpoint)
      log.info(fields, 'endpoint removed')
    } catch (err) {
      log.error({ ...fields, err }, 'removing an endpoint failed; it is tried again')
    }
  }
}
