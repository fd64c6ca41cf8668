/** The vSwitches this node may make ENIs in: which to take next, and which are set aside because they are full. */
import type { Ecs, VSwitch } from '../../cloud/ecs.ts'
import type { VSwitchId } from '../../cloud/ids.ts'

/** An exhausted vSwitch is tried again after this, ms; the original waits as long. */
const SET_ASIDE = 600_000
/** Age at which the number of free addresses is asked for again, ms. */
const FRESH = 60_000

interface Known {
  readonly vSwitch: VSwitch
  readonly at: number
}

export class VSwitches {
  readonly #cloud: Ecs
  readonly #allowed: readonly VSwitchId[]
  readonly #now: () => number
  readonly #known = new Map<VSwitchId, Known>()
  readonly #emptyUntil = new Map<VSwitchId, number>()

  /** `allowed` are the vSwitches of the node's zone, in the order of the configuration. */
  constructor(options: { cloud: Ecs; allowed: readonly VSwitchId[]; now: () => number }) {
    this.#cloud = options.cloud
    this.#allowed = options.allowed
    this.#now = options.now
  }

  /** vSwitches that have nothing to give for now. */
  get empty(): ReadonlySet<VSwitchId> {
    return new Set([...this.#emptyUntil].filter(([, until]) => until > this.#now()).map(([id]) => id))
  }

  /** True when there is no vSwitch left to make an ENI in. */
  get allEmpty(): boolean {
    const { empty } = this
    return this.#allowed.every((id) => empty.has(id))
  }

  /** When the first of those set aside is tried again, ms since the epoch. */
  get nextTry(): number | undefined {
    const ends = [...this.#emptyUntil.values()].filter((until) => until > this.#now())
    return ends.length > 0 ? Math.min(...ends) : undefined
  }

  setAside(id: VSwitchId): void {
    this.#emptyUntil.set(id, this.#now() + SET_ASIDE)
    this.#known.delete(id)
  }

  /** Facts of a vSwitch that do not change. @throws CloudError */
  async facts(id: VSwitchId): Promise<VSwitch> {
    return this.#known.get(id)?.vSwitch ?? (await this.#ask(id))
  }

  /** The first vSwitch in order that has addresses; undefined when none has. @throws CloudError */
  async choose(): Promise<VSwitch | undefined> {
    const { empty } = this
    for (const id of this.#allowed.filter((candidate) => !empty.has(candidate))) {
      const known = this.#known.get(id)
      const fresh = known !== undefined && this.#now() - known.at < FRESH ? known.vSwitch : await this.#ask(id)
      if (fresh.availableIps > 0) return fresh
      this.setAside(id)
    }
    return undefined
  }

  async #ask(id: VSwitchId): Promise<VSwitch> {
    const vSwitch = await this.#cloud.describeVSwitch(id)
    this.#known.set(id, { vSwitch, at: this.#now() })
    return vSwitch
  }
}
