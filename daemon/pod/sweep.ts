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
  /** `failed`: it was to be removed and is still there. */
  readonly kind: 'removed' | 'suspected' | 'failed'
  readonly level: 'info' | 'warn'
  readonly message: string
  /** `containerId` where it is about an endpoint. */
  readonly fields: Readonly<Record<string, string>>
}

/** Endpoints whose sandbox seems to have ended. */
export type EndedSuspects = ReadonlySet<Owner>

export interface SweepOptions {
  /** Only tells what it would do, and remembers nothing. */
  readonly dryRun?: boolean
  /** What to take for seen before, instead of what the last sweep has seen. */
  readonly seen?: EndedSuspects
}

export interface Swept {
  /** What has been removed, or would be, and what has been seen once. */
  readonly findings: readonly SweepFinding[]
  readonly suspects: EndedSuspects
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
  #suspects: EndedSuspects = new Set()

  constructor(context: PodContext) {
    this.#context = context
  }

  async run({ dryRun = false, seen = this.#suspects }: SweepOptions = {}): Promise<Swept> {
    const { endpoints, links } = this.#context
    const idle = endpoints.all().filter((endpoint) => !this.#isUnderWay(endpoint))
    const ended = idle.filter((one) => one.phase === 'ready' && hasEnded(one, (name) => links.exists(name)))
    const unfinished = idle.filter(({ phase }) => phase !== 'ready')
    // One look is not enough: a DEL may be on its way at this moment.
    const [certain, uncertain] = partition(ended, (endpoint) => seen.has(keyOf(endpoint)))
    const suspects = new Set(ended.map(keyOf))
    const suspected = uncertain.map((endpoint) => aboutEndpoint('suspected', endpoint, MAY_HAVE_ENDED))
    if (dryRun) return { suspects, findings: [...suspected, ...this.#toRemove(certain, unfinished)] }
    this.#suspects = suspects
    const removed = await Promise.all([
      ...certain.map((endpoint) => this.#remove(endpoint, ENDED)),
      ...unfinished.map((endpoint) => this.#remove(endpoint, UNFINISHED)),
    ])
    this.#rehome()
    const findings = [...suspected, ...removed.flat(), ...this.#aboutNobodys()]
    releaseOwnerless(this.#context)
    this.#removeOrphanRules()
    return { suspects, findings }
  }

  /** What would be removed. */
  #toRemove(certain: readonly Endpoint[], unfinished: readonly Endpoint[]): SweepFinding[] {
    return [
      ...certain.map((endpoint) => aboutEndpoint('removed', endpoint, ENDED)),
      ...unfinished.map((endpoint) => aboutEndpoint('removed', endpoint, UNFINISHED)),
      ...this.#aboutNobodys(),
    ]
  }

  /** Whoever is at it, an ADD, a DEL or a removal, answers for its end. */
  #isUnderWay(endpoint: Endpoint): boolean {
    const { locks, removals } = this.#context
    return removals.runs(endpoint) || locks.isHeld(podKey(endpoint))
  }

  /** Under the pod's lock no ADD of it is under way, so one on record has failed, and so has its removal. */
  #remove(endpoint: Endpoint, why: typeof ENDED | typeof UNFINISHED): Promise<SweepFinding[]> {
    const { endpoints, locks, removals, log } = this.#context
    return locks.run(podKey(endpoint), async () => {
      const current = endpoints.get(endpoint)
      if (current === undefined || (current.phase === 'ready' && why !== ENDED)) return []
      if (why === ENDED)
        log.info({ pod: podKey(current), containerId: current.containerId }, 'the pod ended without a DEL')
      await removals.start(current)
      const isGone = endpoints.get(endpoint) === undefined
      return [
        isGone ? aboutEndpoint('removed', current, why) : aboutEndpoint('failed', current, `${why}; ${STILL_THERE}`),
      ]
    })
  }

  /** Addresses and rules that no endpoint has. */
  #aboutNobodys(): SweepFinding[] {
    const rules = this.#orphanRules().length
    return [
      ...ownerless(this.#context).map(({ ip, owner }) => finding('removed', NOBODYS, { ip, owner })),
      ...(rules === 0 ? [] : [finding('removed', `${rules} ${ORPHAN_RULES}`, {})]),
    ]
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
      `removed ${ORPHAN_RULES}`,
    )
  }
}

const ENDED = 'its sandbox has ended without a DEL'
const MAY_HAVE_ENDED = 'its sandbox seems to have ended without a DEL; removed when it still does at another look'
const UNFINISHED = 'its ADD or its removal was not finished'
const STILL_THERE = 'it could not be removed, which is tried again; the log of terwayd holds the reason'
const ORPHAN_RULES = 'rules of pods that no longer exist'

function keyOf({ containerId, ifname }: Endpoint): Owner {
  return ownerOf(containerId, ifname)
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))]
}

function aboutEndpoint(kind: SweepFinding['kind'], endpoint: Endpoint, message: string): SweepFinding {
  const { ip, containerId } = endpoint
  return finding(kind, message, { pod: podKey(endpoint), containerId, ...(ip === undefined ? {} : { ip }) })
}

function finding(kind: SweepFinding['kind'], message: string, fields: Readonly<Record<string, string>>): SweepFinding {
  return { kind, level: kind === 'suspected' ? 'info' : 'warn', message, fields }
}
