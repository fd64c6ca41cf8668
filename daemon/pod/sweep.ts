/** What time brings and no call will ever end: pods without a DEL, removals that failed, addresses and rules of nobody. */
import { parseLinkName } from '../../inet/link-name.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { ownerOf, unknownOwnersLink } from '../pool/model.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { type PodContext, podKey } from './context.ts'
import { hasEnded } from './netns-presence.ts'
import { orphanRules } from './orphan-rules.ts'
import { rehomed } from './rehome.ts'

/** Addresses on record as given away although nobody has them. */
export function releaseOwnerless({ endpoints, pool, links, log }: PodContext): void {
  const owners = new Set(endpoints.all().map(({ containerId, ifname }) => ownerOf(containerId, ifname)))
  for (const address of pool.state.addresses.values()) {
    if (address.phase !== 'owned' || owners.has(address.owner)) continue
    const link = unknownOwnersLink(address.owner)
    if (link !== undefined && links.exists(parseLinkName(link))) continue
    log.warn({ ip: address.ip, owner: address.owner }, 'nobody has this address any more; taking it back')
    pool.release(address.owner)
  }
}

export class Sweep {
  readonly #context: PodContext
  #suspects = new Set<string>()

  constructor(context: PodContext) {
    this.#context = context
  }

  async run(): Promise<void> {
    const { endpoints, links } = this.#context
    const ended = endpoints.all().filter((one) => one.phase === 'ready' && hasEnded(one, (name) => links.exists(name)))
    const keyOf = ({ containerId, ifname }: Endpoint) => ownerOf(containerId, ifname)
    // One look is not enough: a DEL may be on its way at this moment.
    const certain = ended.filter((endpoint) => this.#suspects.has(keyOf(endpoint)))
    this.#suspects = new Set(ended.map(keyOf))
    const unfinished = endpoints.all().filter(({ phase }) => phase !== 'ready')
    await Promise.all([...certain, ...unfinished].map((endpoint) => this.#remove(endpoint, certain.includes(endpoint))))
    this.#rehome()
    releaseOwnerless(this.#context)
    this.#removeOrphanRules()
  }

  /** Under the pod's lock no ADD of it is under way, so one on record has failed, and so has its removal. */
  async #remove(endpoint: Endpoint, ended: boolean): Promise<void> {
    const { endpoints, locks, removals, log } = this.#context
    await locks.run(podKey(endpoint), async () => {
      const current = endpoints.get(endpoint)
      if (current === undefined || (current.phase === 'ready' && !ended)) return
      if (ended) log.info({ pod: podKey(current), containerId: current.containerId }, 'the pod ended without a DEL')
      await removals.start(current)
    })
  }

  /** An ENI that was attached again has another link, and a lost address may come back on another ENI. */
  #rehome(): void {
    const { endpoints, pool } = this.#context
    for (const endpoint of endpoints.all()) {
      const { phase, ip, plan } = endpoint
      if (phase !== 'ready' || ip === undefined || plan === undefined) continue
      const address = pool.state.addresses.get(ip)
      const eni = address === undefined ? undefined : pool.readyEni(address.eni)
      const moved = eni === undefined ? undefined : rehomed(plan, eni.ifindex)
      if (eni !== undefined && moved !== undefined) this.#follow({ ...endpoint, eniId: eni.id, plan: moved }, moved)
    }
  }

  /** On record only when it is done, so that the next sweep repeats what failed; the old rule is an orphan then. */
  #follow(endpoint: Endpoint, plan: NetworkPlan): void {
    const { endpoints, kernel, log } = this.#context
    const fields = { pod: podKey(endpoint), ip: endpoint.ip, eni: endpoint.eniId }
    try {
      kernel.apply(plan)
      endpoints.put(endpoint)
      log.warn(fields, 'the ENI of a pod has another link; its way out follows')
    } catch (err) {
      log.error({ ...fields, err }, 'the ENI of a pod has another link and its way out does not follow; trying again')
    }
  }

  #removeOrphanRules(): void {
    const { endpoints, pool, links, log } = this.#context
    const cidrs = [...new Set([...pool.state.enis.values()].map(({ cidr }) => cidr))]
    const question = { rules: links.rules(), endpoints: endpoints.all(), podRoutes: links.podRoutes(), cidrs }
    const orphans = orphanRules(question)
    if (orphans.length === 0) return
    links.removeRules(orphans)
    log.warn(
      { rules: orphans.map(({ priority, source, destination, table }) => ({ priority, source, destination, table })) },
      'removed rules of pods that no longer exist',
    )
  }
}
