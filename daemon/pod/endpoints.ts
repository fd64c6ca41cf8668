/** The endpoints of this node: in memory for reading, in the journal for keeping. */
import type { Endpoint, EndpointKey } from '../store/endpoint.ts'

export interface EndpointJournal {
  putEndpoint(endpoint: Endpoint): void
  dropEndpoint(key: EndpointKey): void
}

const keyOf = ({ containerId, ifname }: EndpointKey): string => `${containerId}/${ifname}`

export class Endpoints {
  readonly #journal: EndpointJournal
  readonly #byKey: Map<string, Endpoint>

  constructor(journal: EndpointJournal, recorded: readonly Endpoint[]) {
    this.#journal = journal
    this.#byKey = new Map(recorded.map((endpoint) => [keyOf(endpoint), endpoint]))
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
    this.#journal.putEndpoint(endpoint)
    this.#byKey.set(keyOf(endpoint), endpoint)
  }

  drop(key: EndpointKey): void {
    this.#journal.dropEndpoint(key)
    this.#byKey.delete(keyOf(key))
  }
}
