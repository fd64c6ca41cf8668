/** How the original talks to the cloud (terway, pkg/factory/aliyun and pkg/backoff). */
import { type Backoff, poll, retry } from './backoff.ts'
import type { ModelAddress, ModelEni } from './model-cloud.ts'
import { LATENCIES } from './node.ts'
import type { World } from './simulation.ts'
import type { Process } from './virtual-time.ts'

/** pkg/backoff: `eni_create`, `eni_ops`, `eni_release`, `eni_ip_ops`, `eni_delete_confirm`, `meta_assign_private_ip`. */
const CREATE: Backoff = { pause: 10_000, factor: 2, jitter: 0.3, steps: 2 }
const OPERATION: Backoff = { pause: 5000, factor: 2, jitter: 0.3, steps: 6 }
const RELEASE: Backoff = { pause: 4000, factor: 2, jitter: 0.5, steps: 8 }
const ADDRESSES: Backoff = { pause: 5000, factor: 1, jitter: 1.3, steps: 6 }
const DELETE_CONFIRM: Backoff = { delay: 1000, pause: 2000, factor: 1.5, cap: 4000, jitter: 0, steps: 4 }
const METADATA: Backoff = { pause: 1100, factor: 1, jitter: 0.2, steps: 10 }
/** A new ENI is looked for in the metadata every second, for ten seconds. */
const METADATA_ENI: Backoff = { pause: 1000, factor: 1, jitter: 0, steps: 11 }

/** ms. The whole of a creation, and of a deletion. */
const CREATE_TIMEOUT = 60_000
const DELETE_TIMEOUT = 30_000
/** ms between detaching and deleting. */
const DETACH_PAUSE = 5000
/** ms that the answer of DescribeVSwitches is kept. */
const VSWITCH_CACHE = 600_000

export interface Created {
  readonly eni: ModelEni
  /** False: something failed after its creation, it is to be deleted. */
  readonly isUsable: boolean
}

/** One for all slots of the node. */
export class OriginalFactory {
  readonly #world: World
  #vSwitchesSince = Number.NEGATIVE_INFINITY

  constructor(world: World) {
    this.#world = world
  }

  *create(addresses: number): Process<Created | undefined> {
    const { cloud, time } = this.#world
    const deadline = time.now + CREATE_TIMEOUT
    const attempt = () => this.#createIn(addresses)
    const eni = yield* retry(this.#world, CREATE, attempt, deadline)
    if (eni === undefined) return undefined
    const isUsable =
      (yield* retry(this.#world, OPERATION, () => cloud.attach(eni), deadline)) === true &&
      (yield* this.#seen(METADATA_ENI, eni.usableAt ?? Number.POSITIVE_INFINITY)) &&
      (yield* retry(this.#world, OPERATION, () => cloud.describe(), deadline)) === true
    return { eni, isUsable }
  }

  *assign(eni: ModelEni, count: number): Process<readonly ModelAddress[] | undefined> {
    const { cloud, time } = this.#world
    const addresses = yield* retry(this.#world, ADDRESSES, () => cloud.assign(eni, count))
    if (addresses === undefined) return undefined
    yield* this.#seen(METADATA, time.now + LATENCIES.metadata)
    return addresses
  }

  *unassign(addresses: readonly ModelAddress[]): Process<boolean> {
    const { cloud, time } = this.#world
    if (!(yield* retry(this.#world, ADDRESSES, () => cloud.unassign(addresses)))) return false
    return yield* this.#seen(METADATA, time.now + LATENCIES.metadata)
  }

  *delete(eni: ModelEni): Process<boolean> {
    const { cloud, time } = this.#world
    const deadline = time.now + DELETE_TIMEOUT
    if (eni.state === 'in-use') {
      if ((yield* retry(this.#world, RELEASE, () => cloud.detach(eni), deadline)) !== true) return false
      yield DETACH_PAUSE
    }
    if (eni.state === 'available') yield* retry(this.#world, RELEASE, () => cloud.delete(eni), deadline)
    return (yield* retry(this.#world, DELETE_CONFIRM, () => this.#isGone(eni), deadline)) === true
  }

  *#createIn(addresses: number): Process<ModelEni | undefined> {
    const { cloud, time } = this.#world
    if (time.now - this.#vSwitchesSince > VSWITCH_CACHE) {
      if (!(yield* cloud.describe())) return undefined
      this.#vSwitchesSince = time.now
    }
    return yield* cloud.create(addresses)
  }

  /** The metadata service is on the node: it does not fail when the API does. */
  #seen(backoff: Backoff, moment: number): Process<boolean> {
    return poll(this.#world, backoff, () => this.#world.time.now >= moment)
  }

  *#isGone(eni: ModelEni): Process<boolean> {
    const isAnswered = yield* this.#world.cloud.describe()
    return isAnswered && eni.state === 'gone'
  }
}
