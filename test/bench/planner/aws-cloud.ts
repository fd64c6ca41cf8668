/** How the AWS VPC CNI talks to the cloud (amazon-vpc-cni-k8s, pkg/awsutils/awsutils.go). */
import { type Backoff, poll, retry } from './backoff.ts'
import type { ModelAddress, ModelEni } from './model-cloud.ts'
import { NODE } from './node.ts'
import type { World } from './simulation.ts'
import type { Process } from './virtual-time.ts'

/** `maxENIEC2APIRetries` tries, `maxENIBackoffDelay` between two of them at most. */
const TRIES = { factor: 2, cap: 60_000, jitter: 0.15, steps: 12 }
const METADATA: Backoff = { ...TRIES, pause: 100 }
const DETACH: Backoff = { ...TRIES, pause: 200 }
const DELETE: Backoff = { ...TRIES, pause: 500 }
/** ms between detaching and the first try to delete. */
const DETACH_PAUSE = 2000

export class AwsCloud {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** An ENI with that many secondary addresses, ready for pods. */
  *allocate(secondary: number): Process<ModelEni | undefined> {
    const { cloud, time } = this.#world
    // Subnet discovery (ENABLE_SUBNET_DISCOVERY, on by default); if it fails the node's own subnet is taken.
    yield* cloud.describe()
    const eni = yield* cloud.create(secondary + 1)
    if (eni === undefined) return undefined
    if (!(yield* cloud.attach(eni))) {
      yield* this.#delete(eni)
      return undefined
    }
    // Sets DeleteOnTermination; at the attachment's moment, so the API is there.
    yield* cloud.modify()
    yield* poll(this.#world, METADATA, () => eni.usableAt !== undefined && time.now >= eni.usableAt)
    return eni
  }

  /**
   * All in one call; if that fails a single one is tried. If the ENI has no room for them because it has addresses that
   * the store has lost (PrivateIpAddressLimitExceeded), these are looked up instead.
   */
  *assign(eni: ModelEni, count: number): Process<readonly ModelAddress[]> {
    const { cloud } = this.#world
    if (eni.addresses.size + count > NODE.addressesPerEni) {
      cloud.refuse('assign', count)
      const isAnswered = yield* cloud.describe()
      return isAnswered ? secondaryOf(eni) : []
    }
    return (yield* cloud.assign(eni, count)) ?? (yield* cloud.assign(eni, 1)) ?? []
  }

  /** Finds the attachment, detaches, deletes. False: the ENI is still there. */
  *free(eni: ModelEni): Process<boolean> {
    const { cloud } = this.#world
    if (!(yield* cloud.describe())) return false
    if ((yield* retry(this.#world, DETACH, () => cloud.detach(eni))) !== true) return false
    yield DETACH_PAUSE
    return yield* this.#delete(eni)
  }

  *#delete(eni: ModelEni): Process<boolean> {
    const { cloud } = this.#world
    return (yield* retry(this.#world, DELETE, () => cloud.delete(eni))) === true
  }
}

export function secondaryOf({ addresses }: ModelEni): readonly ModelAddress[] {
  return [...addresses].filter((address) => !address.isPrimary)
}
