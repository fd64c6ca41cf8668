/** The AWS VPC CNI's book of ENIs and addresses (amazon-vpc-cni-k8s, pkg/ipamd/datastore/data_store.go). */
import { secondaryOf } from './aws-cloud.ts'
import { ImpossibleError, type ModelAddress, type ModelEni } from './model-cloud.ts'
import { COOL_DOWN } from './node.ts'
import type { World } from './simulation.ts'

/** `minENILifeTime`, ms: a younger ENI is not deleted. */
const ENI_LIFE = 60_000

interface AddressRow {
  isHeld: boolean
  /** When a pod left it last, ms. */
  freedAt: number
}

export interface StoredEni {
  readonly eni: ModelEni
  readonly createdAt: number
  /** The secondary ones. */
  readonly addresses: Map<ModelAddress, AddressRow>
}

export class AwsStore {
  #enis: StoredEni[] = []
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** In any order, each time in another: the original's is that of a Go map. */
  get enis(): readonly StoredEni[] {
    const order = new Map(this.#enis.map((stored) => [stored, this.#world.random.next()]))
    return this.#enis.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0))
  }

  get size(): number {
    return this.#enis.length
  }

  get total(): number {
    return this.#enis.reduce((sum, { addresses }) => sum + addresses.size, 0)
  }

  /** Held by no pod. Those that cool down count: they can be given to nobody all the same. */
  get available(): number {
    return this.total - this.#enis.reduce((sum, stored) => sum + this.heldOf(stored), 0)
  }

  addEni(eni: ModelEni): void {
    const stored: StoredEni = { eni, createdAt: this.#world.time.now, addresses: new Map() }
    this.#enis.push(stored)
    this.add(stored, secondaryOf(eni))
  }

  removeEni(stored: StoredEni): void {
    this.#enis = this.#enis.filter((other) => other !== stored)
  }

  /** Those that it does not know yet and the ENI really has. */
  add({ eni, addresses: rows }: StoredEni, addresses: readonly ModelAddress[]): void {
    const unknown = addresses.filter((address) => eni.addresses.has(address) && !rows.has(address))
    for (const address of unknown) rows.set(address, { isHeld: false, freedAt: Number.NEGATIVE_INFINITY })
  }

  /** Any that is free and not cooling. */
  hold(): ModelAddress | undefined {
    const ready = this.enis.flatMap(({ addresses }) =>
      [...addresses].filter(([, row]) => !row.isHeld && !this.#isCooling(row)),
    )
    const [address, row] = ready[0] ?? []
    if (address === undefined || row === undefined) return undefined
    row.isHeld = true
    this.#world.cloud.hold(address)
    return address
  }

  release(address: ModelAddress): void {
    const row = this.#enis.find(({ eni }) => eni === address.eni)?.addresses.get(address)
    if (row === undefined) throw new ImpossibleError('a pod leaves an address that nobody knows')
    row.isHeld = false
    row.freedAt = this.#world.time.now
    this.#world.cloud.release(address)
  }

  heldOf({ addresses }: StoredEni): number {
    return [...addresses.values()].filter(({ isHeld }) => isHeld).length
  }

  /** Those that may be given back to the cloud: held by no pod, cooling or not. */
  freeOf({ addresses }: StoredEni): ModelAddress[] {
    return [...addresses].flatMap(([address, { isHeld }]) => (isHeld ? [] : [address]))
  }

  isDeletable(stored: StoredEni): boolean {
    const rows = [...stored.addresses.values()]
    const isTooYoung = this.#world.time.now - stored.createdAt < ENI_LIFE
    return !isTooYoung && rows.every((row) => !row.isHeld && !this.#isCooling(row))
  }

  #isCooling({ freedAt }: AddressRow): boolean {
    return this.#world.time.now - freedAt <= COOL_DOWN
  }
}
