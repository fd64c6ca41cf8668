/** The endpoints of this node: in memory for reading, in the journal for keeping. */
import type { LinkName } from '../../inet/link-name.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { Groups } from '../pool/groups.ts'
import { type Owner, ownerOf } from '../pool/model.ts'
import type { Endpoint, EndpointKey } from '../store/endpoint.ts'

export interface EndpointJournal {
  putEndpoint(endpoint: Endpoint): void
  dropEndpoint(key: EndpointKey): void
}

/** Who looks after what the kernel has of pods that are neither being added nor removed. */
export interface PlanKeeper {
  /** The plan holds. @param pod `<namespace>/<name>` */
  watch(owner: Owner, plan: NetworkPlan, pod: string): void
  /** Also of one that was never watched. */
  forget(owner: Owner): void
  /** Of one that is watched: what has happened to its plan until now is found soon. */
  look(owner: Owner): void
}

const keyOf = ({ containerId, ifname }: EndpointKey): Owner => ownerOf(containerId, ifname)
const podOf = ({ namespace, pod }: Pick<Endpoint, 'namespace' | 'pod'>): string => `${namespace}/${pod}`

export class Endpoints {
  readonly #journal: EndpointJournal
  readonly #byKey = new Map<Owner, Endpoint>()
  readonly #ofContainer = new Groups<string, Owner>()
  readonly #ofPod = new Groups<string, Owner>()
  readonly #ofHostLink = new Groups<LinkName, Owner>()
  #keeper: PlanKeeper | undefined

  constructor(journal: EndpointJournal, recorded: readonly Endpoint[]) {
    this.#journal = journal
    for (const endpoint of recorded) this.#note(endpoint)
  }

  /** Is told of those that are ready now, and from now on. */
  keptBy(keeper: PlanKeeper): void {
    this.#keeper = keeper
    for (const endpoint of this.#byKey.values()) this.#tell(endpoint)
  }

  all(): Endpoint[] {
    return [...this.#byKey.values()]
  }

  get(key: EndpointKey): Endpoint | undefined {
    return this.#byKey.get(keyOf(key))
  }

  ofPod(namespace: string, pod: string): Endpoint[] {
    return this.#records(this.#ofPod.of(podOf({ namespace, pod })))
  }

  ofContainer(containerId: string): Endpoint[] {
    return this.#records(this.#ofContainer.of(containerId))
  }

  /** Those that have, or are about to have, a link of this name on the node. */
  ofHostLink(name: LinkName): Endpoint[] {
    return this.#records(this.#ofHostLink.of(name))
  }

  /** Journals first: what is not on record has not happened. */
  put(endpoint: Endpoint): void {
    const last = this.get(endpoint)
    this.#journal.putEndpoint(endpoint)
    this.#note(endpoint)
    this.#tell(endpoint)
    // While its plan was changed nobody watched over it.
    if (last?.replaced !== undefined && isWhole(endpoint)) this.#keeper?.look(keyOf(endpoint))
  }

  /**
   * A change of its plan has failed, and this is what it has for the time being: it is put back until the endpoint is
   * put again.
   */
  holds(endpoint: Endpoint, plan: NetworkPlan): void {
    this.#watch(endpoint, plan)
    this.#keeper?.look(keyOf(endpoint))
  }

  drop(key: EndpointKey): void {
    this.#journal.dropEndpoint(key)
    this.#regroup(keyOf(key), undefined)
    this.#byKey.delete(keyOf(key))
    this.#keeper?.forget(keyOf(key))
  }

  #note(endpoint: Endpoint): void {
    this.#regroup(keyOf(endpoint), endpoint)
    this.#byKey.set(keyOf(endpoint), endpoint)
  }

  #regroup(key: Owner, to: Endpoint | undefined): void {
    const from = this.#byKey.get(key)
    this.#ofContainer.move(key, from?.containerId, to?.containerId)
    this.#ofPod.move(key, from && podOf(from), to && podOf(to))
    this.#ofHostLink.move(key, from?.hostLink, to?.hostLink)
  }

  #records(keys: readonly Owner[]): Endpoint[] {
    return keys.flatMap((key) => this.#byKey.get(key) ?? [])
  }

  #tell(endpoint: Endpoint): void {
    if (isWhole(endpoint)) this.#watch(endpoint, endpoint.plan)
    else this.#keeper?.forget(keyOf(endpoint))
  }

  #watch(endpoint: Endpoint, plan: NetworkPlan): void {
    this.#keeper?.watch(keyOf(endpoint), plan, podOf(endpoint))
  }
}

/** Neither added nor removed nor changed at the moment. */
function isWhole(endpoint: Endpoint): endpoint is Endpoint & Required<Pick<Endpoint, 'plan'>> {
  return endpoint.phase === 'ready' && endpoint.plan !== undefined && endpoint.replaced === undefined
}
