/** What time brings and no call will ever end: pods without a DEL, removals that failed, addresses and rules of nobody. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Ip } from '../../inet/address.ts'
import { type LinkName, parseLinkName } from '../../inet/link-name.ts'
import { networkPlan, type SourceMarkSpec } from '../../netlink/plan.ts'
import type { Rule } from '../../netlink/rule.ts'
import { type Owner, ownerOf, unknownOwnersLink } from '../pool/model.ts'
import { addressesOf, type Endpoint } from '../store/endpoint.ts'
import { type PodContext, podKey } from './context.ts'
import { follow } from './follow.ts'
import { endOf } from './netns-presence.ts'
import { orphanMarks, orphanRules } from './orphans.ts'

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
    context.leases.release(owner, 0)
  }
}

const NOBODYS = 'nobody has this address any more; taking it back'

function ownerless({ endpoints, leases, links }: PodContext): { readonly ip: Ip; readonly owner: Owner }[] {
  const owners = new Set(endpoints.all().map(({ containerId, ifname }) => ownerOf(containerId, ifname)))
  return [...leases.held()].filter(({ owner }) => {
    if (owners.has(owner)) return false
    const link = unknownOwnersLink(owner)
    return link === undefined || !links.exists(parseLinkName(link))
  })
}

export class Sweep {
  readonly #context: PodContext
  #suspects: EndedSuspects = new Set()
  /** Sweeps, one after the other. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(context: PodContext) {
    this.#context = context
  }

  /** Never twice at once: it waits for its turn. */
  run(options: SweepOptions = {}): Promise<Swept> {
    const turn = this.#tail.then(() => this.#sweep(options))
    this.#tail = turn.catch(() => undefined)
    return turn
  }

  /** When none is under way. Never rejects. */
  async settled(): Promise<void> {
    await this.#tail
  }

  async #sweep({ dryRun = false, seen = this.#suspects }: SweepOptions): Promise<Swept> {
    const { endpoints, links } = this.#context
    const sandboxes = endpoints.all()
    const idle = sandboxes.filter((endpoint) => !this.#isUnderWay(endpoint))
    const sight = { linkExists: (name: LinkName) => links.exists(name), sandboxes }
    const ended = idle.filter((one) => one.phase === 'ready' && endOf(one, sight) !== 'no')
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
    await this.#follow()
    await this.#fitEnis()
    const findings = [...suspected, ...removed.flat(), ...this.#aboutNobodys()]
    releaseOwnerless(this.#context)
    await this.#removeOrphans()
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

  /** Addresses, rules and marks that no endpoint has. */
  #aboutNobodys(): SweepFinding[] {
    const { rules, marks } = this.#orphans()
    return [
      ...ownerless(this.#context).map(({ ip, owner }) => finding('removed', NOBODYS, { ip, owner })),
      ...(rules.length === 0 ? [] : [finding('removed', `${rules.length} ${ORPHAN_RULES}`, {})]),
      ...(marks.length === 0 ? [] : [finding('removed', `${marks.length} ${ORPHAN_MARKS}`, {})]),
    ]
  }

  /**
   * An ENI that was attached again has another link, a lost address may come back on another ENI, and the node may be
   * configured otherwise than when the pod was added.
   */
  async #follow(): Promise<void> {
    const { endpoints, locks } = this.#context
    for (const endpoint of endpoints.all()) {
      // Whoever changes something of the pod has what is true now.
      if (this.#isUnderWay(endpoint)) continue
      await locks.run(podKey(endpoint), async () => {
        const current = endpoints.get(endpoint)
        if (current !== undefined) await follow(this.#context, current)
      })
      await nextTurn()
    }
  }

  /** Of what an earlier daemon has left on an ENI nothing else tells. */
  async #fitEnis(): Promise<void> {
    const { links, log } = this.#context
    try {
      await links.fitAll()
    } catch (err) {
      log.error({ err }, 'an ENI does not have what its pods need, or has more; it is tried again')
    }
  }

  #orphans(): { readonly rules: readonly Rule[]; readonly marks: readonly SourceMarkSpec[] } {
    const { endpoints, enis, links } = this.#context
    const known = { endpoints: endpoints.all(), podRoutes: links.podRoutes() }
    const nodePlans = enis.plans().map(([, plan]) => plan)
    return {
      rules: orphanRules({
        ...{ ...known, rules: links.rules(), links: new Set(links.indexes()), nodePlans },
        isOfPods: (ip) => enis.isOfPods(ip),
      }),
      marks: orphanMarks(links.marks(), known),
    }
  }

  async #removeOrphans(): Promise<void> {
    const { links, kernel, log } = this.#context
    const { rules, marks } = this.#orphans()
    if (rules.length > 0) {
      links.removeRules(rules)
      const told = rules.map(({ priority, source, destination, mark, table }) => {
        return { priority, source, destination, mark, table }
      })
      log.warn({ rules: told }, `removed ${ORPHAN_RULES}`)
    }
    if (marks.length > 0) {
      await kernel.remove(networkPlan({ marks }))
      log.warn({ marks }, `removed ${ORPHAN_MARKS}`)
    }
  }
}

const ENDED = 'its sandbox has ended without a DEL'
const MAY_HAVE_ENDED = 'its sandbox seems to have ended without a DEL; removed when it still does at another look'
const UNFINISHED = 'its ADD or its removal was not finished'
const STILL_THERE = 'it could not be removed, which is tried again; the log of terwayd holds the reason'
const ORPHAN_RULES = 'rules of pods that no longer exist, or are connected in another way now'
const ORPHAN_MARKS = 'marks of addresses that no pod has'

function keyOf({ containerId, ifname }: Endpoint): Owner {
  return ownerOf(containerId, ifname)
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))]
}

function aboutEndpoint(kind: SweepFinding['kind'], endpoint: Endpoint, message: string): SweepFinding {
  const ip = addressesOf(endpoint).join()
  return finding(kind, message, {
    ...{ pod: podKey(endpoint), containerId: endpoint.containerId },
    ...(ip === '' ? {} : { ip }),
  })
}

function finding(kind: SweepFinding['kind'], message: string, fields: Readonly<Record<string, string>>): SweepFinding {
  return { kind, level: kind === 'suspected' ? 'info' : 'warn', message, fields }
}
