/** Others with rights to the account: who changes what is ours, and whose ENIs are beside ours and are not to be touched. */
import type { Ipv4 } from '../../../inet/address.ts'
import { type Eni, trunkOf } from '../../../simulator/cloud/eni.ts'
import { ApiError } from '../../../simulator/cloud/error.ts'
import type { EniId, VSwitchId } from '../../../simulator/region/ids.ts'
import { NEW_ENI } from '../../simulator/new-eni.ts'
import { Outsider } from '../outsider.ts'
import { BrokenInvariant, type VirtualNode } from '../virtual-node.ts'
import type { CallMoment, VirtualRegion } from '../virtual-region.ts'
import type { VirtualTime } from '../virtual-time.ts'
import { HOME } from './scene.ts'

export interface NeighboursOptions {
  readonly region: VirtualRegion
  readonly node: VirtualNode
  readonly time: VirtualTime
}

/** Tags that tell that an ENI is not Terway's. */
const NO_TAGS: ReadonlyMap<string, string> = new Map()
const OTHER_TAGS: ReadonlyMap<string, string> = new Map([['creator', 'somebody']])

export class Neighbours {
  /** What was done, by kind. */
  readonly acts = new Map<string, number>()
  readonly #options: NeighboursOptions
  readonly #outsider: Outsider
  /** As they were made. */
  readonly #foreign = new Map<EniId, Eni>()
  /** All that ever were. */
  readonly #theirs = new Set<EniId>()
  /** Those of them whose attach has not failed. */
  readonly #attached = new Set<EniId>()

  constructor(options: NeighboursOptions) {
    this.#options = options
    this.#outsider = new Outsider(options.region, options.time)
  }

  /** ENIs of this node that are not somebody else's. */
  get ours(): readonly Eni[] {
    return this.#options.node.enis().filter(({ id }) => !this.#theirs.has(id))
  }

  get foreign(): number {
    return this.#foreign.size
  }

  /** Pods lose what they have of the ENI, and the pool can only learn of it later. A trunk with members stays. */
  take(how: 'detach' | 'delete', which: number): void {
    const eni = pick(this.ours, which)
    const isTaken = eni !== undefined && !this.#carriesMembers(eni) && this.#outsider[how](eni.id)
    if (!isTaken) return
    this.#options.node.noteTakenEni(eni.id)
    this.#count(how)
  }

  unassign(which: number): void {
    const places = this.ours.flatMap((eni) => eni.secondaryIps.map((ip): readonly [Eni, Ipv4] => [eni, ip]))
    const place = pick(places, which)
    if (place === undefined || !this.#outsider.unassign(place[0].id, place[1])) return
    this.#options.node.noteTaken([place[1]])
    this.#count('unassign')
  }

  /** As far as the instance has a place for it. */
  come(tagged: boolean): void {
    const { region } = this.#options
    const [instance] = region.region.nodes
    if (instance === undefined) return
    try {
      const made = region.change((cloud) => {
        const facts = { vSwitchId: HOME.id as VSwitchId, tags: tagged ? OTHER_TAGS : NO_TAGS }
        const { id } = cloud.createEni({ ...NEW_ENI, ...facts })
        return cloud.eni(id)
      })
      this.#foreign.set(made.id, made)
      this.#theirs.add(made.id)
      region.change((cloud) => cloud.attachEni(made.id, instance.instanceId))
      this.#count('neighbour')
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.#leave([...this.#foreign.keys()].at(-1))
    }
  }

  /** The first of those that are in use, if any. */
  go(): void {
    const { cloud } = this.#options.region
    this.#leave([...this.#foreign.keys()].find((id) => cloud.eni(id).state.status === 'InUse'))
  }

  /** A deletion of theirs that hangs they ask for again. */
  finish(): void {
    this.#options.region.change((cloud) => {
      for (const { id, state } of cloud.enis()) if (state.status === 'Deleting') cloud.deleteEni(id)
    })
  }

  /** I5: as they were made, and where they were attached. @throws BrokenInvariant */
  check(): void {
    for (const [id, { tags, secondaryIps, ipv6s, ipv4Prefixes, name }] of this.#foreign) {
      const now = this.#options.region.cloud.enis().find((eni) => eni.id === id)
      if (now?.state.status === 'InUse') this.#attached.add(id)
      const isThere = now !== undefined && (now.state.status === 'InUse' || !this.#attached.has(id))
      const isSame = now?.tags === tags && now.secondaryIps === secondaryIps && now.ipv6s === ipv6s && now.name === name
      if (!isThere || !isSame || now.ipv4Prefixes !== ipv4Prefixes) {
        throw new BrokenInvariant(`I5: ${id}, which is somebody else's, is ${JSON.stringify(now?.state ?? 'gone')}`)
      }
    }
  }

  /** I5: no call changes one of them. @returns what is wrong */
  judge({ call }: CallMoment): string | undefined {
    if (this.#foreign.size === 0 || call.action.startsWith('Describe')) return undefined
    const named = Object.values(call.query).find((value) => this.#foreign.has(value as EniId))
    return named === undefined ? undefined : `I5: ${call.action} of ${named}, which is somebody else's`
  }

  #carriesMembers({ id }: Eni): boolean {
    return this.ours.some((eni) => trunkOf(eni) === id)
  }

  #leave(id: EniId | undefined): void {
    if (id === undefined) return
    this.#foreign.delete(id)
    this.#outsider.delete(id)
  }

  #count(act: string): void {
    this.acts.set(act, (this.acts.get(act) ?? 0) + 1)
  }
}

function pick<T>(items: readonly T[], which: number): T | undefined {
  return items[which % Math.max(1, items.length)]
}
