/** The vSwitches this node may make ENIs in: which to take next, and which are set aside because they are full. */
import type { Priority } from '../budget/priority.ts'
import { CloudError } from '../error.ts'
import type { VSwitchId } from '../ids.ts'
import type { VSwitch } from '../vpc/vswitch-actions.ts'
import { chooseVSwitch, type VSwitchPolicy } from './choose.ts'
import { type LookupPlace, VSwitchLookup } from './lookup.ts'

export interface VSwitchesOptions extends LookupPlace {
  /** In the order of the configuration. Those of other zones or VPCs are skipped. */
  readonly allowed: readonly VSwitchId[]
  /** `ordered` unless given. */
  readonly policy?: VSwitchPolicy
  /** ms since the epoch */
  readonly now: () => number
  /** 0 ≤ x < 1 */
  readonly random?: () => number
  /** Told once of each vSwitch that is configured in vain. */
  readonly report?: (problem: string) => void
}

/** An exhausted vSwitch is looked at again after this, ms; the original waits as long. */
const SET_ASIDE = 600_000
/** The wait is up to so much shorter or longer, or all nodes of a cluster would look at the same moment. */
const SET_ASIDE_JITTER = 0.1
/** After a look that the API did not answer, ms. */
const LOOK_AGAIN = 30_000
/** Age at which the number of free addresses is asked for again, ms. */
const FRESH = 60_000

interface Free {
  /** As the cloud said, less what has been taken since. */
  readonly ips: number
  readonly at: number
}

interface Aside {
  readonly since: number
  readonly until: number
  readonly problem: string
}

/** When a look at a vSwitch began, and what was known of it then. */
interface Look {
  readonly at: number
  readonly aside: Aside | undefined
}

export class VSwitches {
  readonly #options: VSwitchesOptions
  readonly #lookup: VSwitchLookup
  readonly #random: () => number
  /** What does not change. The number of free addresses in it is the one it was found with. */
  readonly #facts = new Map<VSwitchId, VSwitch>()
  readonly #free = new Map<VSwitchId, Free>()
  readonly #aside = new Map<VSwitchId, Aside>()
  readonly #looking = new Map<VSwitchId, Promise<void>>()
  readonly #reported = new Set<string>()

  constructor(options: VSwitchesOptions) {
    this.#options = options
    this.#lookup = new VSwitchLookup(options)
    this.#random = options.random ?? Math.random
  }

  /** vSwitches that have nothing to give, until a look at them says otherwise. */
  get empty(): ReadonlySet<VSwitchId> {
    return new Set(this.#aside.keys())
  }

  /** True when there is no vSwitch left to make an ENI in. */
  get allEmpty(): boolean {
    return this.#options.allowed.every((id) => this.#aside.has(id) || this.#isElsewhere(id))
  }

  /** When the first of those set aside is to be looked at again, ms since the epoch: call `probe` then. */
  get nextTry(): number | undefined {
    const now = this.#options.now()
    const waiting = [...this.#aside].filter(([id]) => !this.#looking.has(id))
    const ends = waiting.map(([, aside]) => endOf(aside, now))
    return ends.length > 0 ? Math.min(...ends) : undefined
  }

  /** Why vSwitches are not used, in words for the operator. */
  get problems(): string[] {
    const elsewhere = this.#options.allowed.filter((id) => this.#isElsewhere(id)).map((id) => this.#elsewhere(id))
    return [...elsewhere, ...[...this.#aside.values()].map(({ problem }) => problem)]
  }

  /** The cloud said that it has no address left. */
  setAside(id: VSwitchId): void {
    this.#setAside(id, `${id} has no free address`)
  }

  /** Addresses that are about to be taken from it: the next choice must not count on them. */
  take(id: VSwitchId, count: number): void {
    const free = this.#free.get(id)
    if (free !== undefined) this.#free.set(id, { ...free, ips: Math.max(0, free.ips - count) })
  }

  /** Addresses that it has left, as far as anybody can tell; undefined when nothing is known. */
  left(id: VSwitchId): number | undefined {
    return this.#free.get(id)?.ips
  }

  /** Facts of a vSwitch that do not change. @throws CloudError */
  async facts(id: VSwitchId, priority: Priority = 'prewarm'): Promise<VSwitch> {
    if (!this.#facts.has(id)) await this.#look(id, priority)
    const known = this.#facts.get(id)
    if (known !== undefined) return known
    throw new CloudError(`${id} does not exist`, { action: 'DescribeVSwitches', code: 'InvalidVSwitchId.NotFound' })
  }

  /**
   * The vSwitch for an ENI with up to so many addresses, its primary included; they count as taken at once, as far as
   * it has them. Undefined when none of the zone has an address.
   * @throws CloudError when nothing is known because the API does not answer.
   */
  async choose(addresses: number, priority: Priority = 'prewarm'): Promise<VSwitch | undefined> {
    const stale = this.#candidates().filter((id) => this.#isStale(id))
    const looks = await Promise.allSettled(stale.map((id) => this.#look(id, priority)))
    // What the cloud said last is better than nothing while it does not answer.
    const candidates = this.#candidates().flatMap((id) => this.#withEstimate(id) ?? [])
    const { zone, policy = 'ordered' } = this.#options
    const chosen = chooseVSwitch(candidates, policy, { zone, random: this.#random })
    const failed = looks.find((look) => look.status === 'rejected')
    if (chosen === undefined && failed !== undefined) throw failed.reason
    if (chosen !== undefined) this.take(chosen.id, addresses)
    return chosen
  }

  /** Looks at those set aside whose time has come: a look costs less than a creation that fails. Never rejects. */
  async probe(): Promise<void> {
    const now = this.#options.now()
    const due = [...this.#aside].filter(([id, aside]) => endOf(aside, now) <= now && !this.#looking.has(id))
    await Promise.all(
      due.map(async ([id, aside]) => {
        try {
          await this.#look(id, 'prewarm')
        } catch {
          // The API is away, which others report; the vSwitch stays aside.
          const since = this.#options.now()
          this.#aside.set(id, { ...aside, since, until: since + LOOK_AGAIN })
        }
      }),
    )
  }

  /** Those of the configuration that may have something to give. */
  #candidates(): VSwitchId[] {
    return this.#options.allowed.filter((id) => !this.#aside.has(id) && !this.#isElsewhere(id))
  }

  #isElsewhere(id: VSwitchId): boolean {
    const { vpcId, zone } = this.#options
    const facts = this.#facts.get(id)
    return facts !== undefined && (facts.zoneId !== zone || facts.vpcId !== vpcId)
  }

  /**
   * Also when nothing is left by our own count: addresses come back, and creations fail. And when the clock has been set
   * back since: nobody knows how old it is.
   */
  #isStale(id: VSwitchId): boolean {
    const free = this.#free.get(id)
    const age = this.#options.now() - (free?.at ?? 0)
    return free === undefined || free.ips <= 0 || age < 0 || age >= FRESH
  }

  #withEstimate(id: VSwitchId): VSwitch | undefined {
    const facts = this.#facts.get(id)
    const free = this.#free.get(id)
    return facts === undefined || free === undefined ? undefined : { ...facts, availableIps: free.ips }
  }

  /** One look at a time, taken in once: a second one must not forget what was taken in between. */
  #look(id: VSwitchId, priority: Priority): Promise<void> {
    const running = this.#looking.get(id)
    if (running !== undefined) return running
    const before = { at: this.#options.now(), aside: this.#aside.get(id) }
    const look = this.#lookup
      .get(id, priority)
      .then((vSwitch) => this.#takeIn(id, vSwitch, before))
      .finally(() => this.#looking.delete(id))
    this.#looking.set(id, look)
    return look
  }

  #takeIn(id: VSwitchId, vSwitch: VSwitch | undefined, { at, aside }: Look): void {
    if (vSwitch !== undefined) this.#facts.set(id, vSwitch)
    // Set aside while the answer was on its way: what it says of free addresses is older.
    if (this.#aside.get(id) !== aside) return
    this.#aside.delete(id)
    const configured = this.#options.allowed.includes(id)
    if (vSwitch === undefined) {
      if (configured) this.#noteMissing(id)
      return
    }
    this.#free.set(id, { ips: vSwitch.availableIps, at })
    if (configured && this.#isElsewhere(id)) this.#report(this.#elsewhere(id))
    // One that is not configured is of interest only to who has set it aside.
    else if (vSwitch.availableIps <= 0 && (configured || aside !== undefined)) this.setAside(id)
  }

  #noteMissing(id: VSwitchId): void {
    const problem = `${id} does not exist in this VPC's region: take it out of vswitches in eni_conf`
    this.#setAside(id, problem)
    this.#report(problem)
  }

  #elsewhere(id: VSwitchId): string {
    const { vpcId, zone } = this.#options
    const facts = this.#facts.get(id)
    const [is, must] = facts?.vpcId === vpcId ? [facts.zoneId, zone] : [facts?.vpcId, vpcId]
    return `${id} is in ${is} and not used: ENIs of this node must be in ${must}`
  }

  #setAside(id: VSwitchId, problem: string): void {
    const since = this.#options.now()
    const wait = Math.round(SET_ASIDE * (1 + SET_ASIDE_JITTER * (2 * this.#random() - 1)))
    this.#aside.set(id, { since, until: since + wait, problem })
    this.#free.delete(id)
  }

  #report(problem: string): void {
    if (this.#reported.has(problem)) return
    this.#reported.add(problem)
    this.#options.report?.(problem)
  }
}

/** At once when the clock has been set back since it began: nobody knows how long it has lasted. */
function endOf({ since, until }: Aside, now: number): number {
  return since > now ? now : until
}
