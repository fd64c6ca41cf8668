/** What time brings and no call will ever end: pods without a DEL, removals that failed, addresses and rules of nobody. */
import type { Ip } from '../../inet/address.ts'
import { parseLinkName } from '../../inet/link-name.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import type { Rule } from '../../netlink/rule.ts'
import { type Owner, ownerOf, unknownOwnersLink } from '../pool/model.ts'
import type { Endpoint } from '../store/endpoint.ts'
import { type PodContext, podKey } from './context.ts'
import { hasEnded } from './netns-presence.ts'
import { orphanRules } from './orphan-rules.ts'
import { rehomed } from './rehome.ts'

export interface SweepFinding {
  readonly kind: 'removed' | 'suspected'
  readonly level: 'info' | 'warn'
  readonly message: string
  readonly fields: Readonly<Record<string, string>>
}

export interface SweepOptions {
  /** Only tells what it would do. */
  readonly dryRun?: boolean
}

/** Addresses on record as given away although nobody has them. */
export function releaseOwnerless(context: PodContext): void {
  for (const { ip, owner } of ownerless(context)) {
    context.log.warn({ ip, owner }, NOBODYS)
    context.pool.release(owner)
  }
}

const NOBODYS = 'nobody has this address any more; taking it back'

function ownerless({ endpoints, pool, links }: PodContext): { readonly ip: Ip; readonly owner: Owner }[] {
  const owners = new Set(endpoints.all().map(({ containerId, ifname }) => ownerOf(containerId, ifname)))
  return [...pool.state.addresses.values()].flatMap((address) => {
    if (address.phase !== 'owned' || owners.has(address.owner)) return []
    const link = unknownOwnersLink(address.owner)
    return link !== undefined && links.exists(parseLinkName(link)) ? [] : [{ ip: address.ip, owner: address.owner }]
  })
}

export class Sweep {
  readonly #context: PodContext
  #suspects = new Set<string>()

  constructor(context: PodContext) {
    this.#context = context
  }

  /** @returns what it has removed, or would remove, and what it has seen once. */
  async run({ dryRun = false }: SweepOptions = {}): Promise<readonly SweepFinding[]> {
    const { endpoints, links } = this.#context
    const ended = endpoints.all().filter((one) => one.phase === 'ready' && hasEnded(one, (name) => links.exists(name)))
    const keyOf = ({ containerId, ifname }: Endpoint) => ownerOf(containerId, ifname)
    // One look is not enough: a DEL may be on its way at this moment.
    const certain = ended.filter((endpoint) => this.#suspects.has(keyOf(endpoint)))
    const unfinished = endpoints.all().filter(({ phase }) => phase !== 'ready')
    const rules = this.#orphanRules()
    const findings = [
      ...ended.map((endpoint) => aboutEndpoint(endpoint, certain.includes(endpoint) ? ENDED : MAY_HAVE_ENDED)),
      ...unfinished.map((endpoint) => aboutEndpoint(endpoint, UNFINISHED)),
      ...ownerless(this.#context).map(({ ip, owner }) => finding('removed', NOBODYS, { ip, owner })),
      ...(rules.length === 0 ? [] : [finding('removed', `${rules.length} ${ORPHAN_RULES}`, {})]),
    ]
    if (dryRun) return findings
    this.#suspects = new Set(ended.map(keyOf))
    await Promise.all([...certain, ...unfinished].map((endpoint) => this.#remove(endpoint, certain.includes(endpoint))))
    this.#rehome()
    releaseOwnerless(this.#context)
    this.#removeOrphanRules()
    return findings
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

  #orphanRules(): Rule[] {
    const { endpoints, pool, links } = this.#context
    const cidrs = [...new Set([...pool.state.enis.values()].map(({ cidr }) => cidr))]
    return orphanRules({ rules: links.rules(), endpoints: endpoints.all(), podRoutes: links.podRoutes(), cidrs })
  }

  #removeOrphanRules(): void {
    const { links, log } = this.#context
    const orphans = this.#orphanRules()
    if (orphans.length === 0) return
    links.removeRules(orphans)
    log.warn(
      { rules: orphans.map(({ priority, source, destination, table }) => ({ priority, source, destination, table })) },
      'removed rules of pods that no longer exist',
    )
  }
}

const ENDED = 'its sandbox has ended without a DEL'
const MAY_HAVE_ENDED = 'its sandbox seems to have ended without a DEL; removed when it still does at another look'
const UNFINISHED = 'its ADD or its removal was not finished'
const ORPHAN_RULES = 'rules of pods that no longer exist'

function aboutEndpoint(endpoint: Endpoint, message: string): SweepFinding {
  const { ip, containerId } = endpoint
  const fields = { pod: podKey(endpoint), containerId, ...(ip === undefined ? {} : { ip }) }
  return finding(message === MAY_HAVE_ENDED ? 'suspected' : 'removed', message, fields)
}

function finding(kind: SweepFinding['kind'], message: string, fields: Readonly<Record<string, string>>): SweepFinding {
  return { kind, level: kind === 'suspected' ? 'info' : 'warn', message, fields }
}
