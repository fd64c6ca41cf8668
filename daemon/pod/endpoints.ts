/** The endpoints of this node: in memory for reading, in the journal for keeping. */
import type { NetworkPlan } from '../../netlink/plan.ts'
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

export class Endpoints {
  readonly #journal: EndpointJournal
  readonly #byKey: Map<Owner, Endpoint>
  #keeper: PlanKeeper | undefined

  constructor(journal: EndpointJournal, recorded: readonly Endpoint[]) {
    this.#journal = journal
    this.#byKey = new Map(recorded.map((endpoint) => [keyOf(endpoint), endpoint]))
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
    return this.all().filter((endpoint) => endpoint.namespace === namespace && endpoint.pod === pod)
  }

  ofContainer(containerId: string): Endpoint[] {
    return this.all().filter((endpoint) => endpoint.containerId === containerId)
  }

  /** Journals first: what is not on record has not happened. */
  put(endpoint: Endpoint): void {
    const last = this.get(endpoint)
    this.#journal.putEndpoint(endpoint)
    this.#byKey.set(keyOf(endpoint), endpoint)
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
    this.#byKey.delete(keyOf(key))
    this.#keeper?.forget(keyOf(key))
  }

  #tell(endpoint: Endpoint): void {
    if (isWhole(endpoint)) this.#watch(endpoint, endpoint.plan)
    else this.#keeper?.forget(keyOf(endpoint))
  }

  #watch(endpoint: Endpoint, plan: NetworkPlan): void {
    this.#keeper?.watch(keyOf(endpoint), plan, `${endpoint.namespace}/${endpoint.pod}`)
  }
}

/** Neither added nor removed nor changed at the moment. */
function isWhole(endpoint: Endpoint): endpoint is Endpoint & Required<Pick<Endpoint, 'plan'>> {
  return endpoint.phase === 'ready' && endpoint.plan !== undefined && endpoint.replaced === undefined
}
