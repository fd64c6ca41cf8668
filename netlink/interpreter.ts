/** Carries network plans out: makes, compares, repairs, replaces and removes what they list. */
import { Attempts } from './attempts.ts'
import { isDifference } from './comparison.ts'
import { FilterMemory } from './filter-memory.ts'
import { homeNetns, type Netns } from './netns.ts'
import { SourceMarks } from './nftables/source-marks.ts'
import type { Comparison, DeviceRef, Difference, LinkSpec, NetworkPlan, PlanNetns } from './plan.ts'
import { clearForRepair } from './plan-clearance.ts'
import { comparePlan } from './plan-compare.ts'
import { type MovedIndexes, movedIndexes, resolveDevices } from './plan-devices.ts'
import { PlanError } from './plan-error.ts'
import { leftovers } from './plan-leftovers.ts'
import { isOn, type LinksMade, makeLink, nothingMade } from './plan-links.ts'
import { addMarks, removeMarks, repairMarks } from './plan-marks.ts'
import { bringHome } from './plan-move.ts'
import { placeOf, withoutPod } from './plan-place.ts'
import { outlivesHost, ownLinks, reapInPod, removeObjects, removeTc } from './plan-removal.ts'
import { execute, linkSteps, objectSteps, touches } from './plan-requests.ts'
import { applyTc } from './plan-tc.ts'
import { describeNetns } from './plan-text.ts'
import { KernelView } from './plan-view.ts'
import { PodSide } from './pod-side.ts'
import { LinkReaper } from './reaper.ts'
import { NetlinkSocket } from './socket.ts'
import { SysctlDirectory, SysctlError, writeSysctls } from './sysctl.ts'

/** What pods' links on the node are given, one directory for each link. */
const LINK_SYSCTLS = ['net', 'ipv6', 'conf']

export class PlanInterpreter implements AsyncDisposable {
  readonly #hostNetns: Netns | undefined
  readonly #host: NetlinkSocket
  readonly #reaper: LinkReaper
  readonly #marks: SourceMarks
  /** Of filters on the host's devices. */
  readonly #memory: FilterMemory
  /** Of the host's links; a kernel without IPv6 has none. */
  readonly #linkSysctls: SysctlDirectory | undefined

  /**
   * `hostNetns` is what plans call `host`, the namespace the thread is in when absent; it must stay open as long as the
   * interpreter is used.
   * @throws NetnsError, SystemCallError, SysctlError
   */
  constructor({ hostNetns }: { readonly hostNetns?: Netns } = {}) {
    const options = hostNetns === undefined ? {} : { netns: hostNetns }
    this.#hostNetns = hostNetns
    this.#host = NetlinkSocket.open(options)
    this.#marks = new SourceMarks(options)
    this.#memory = new FilterMemory(this.#host)
    try {
      this.#linkSysctls = SysctlDirectory.open(hostNetns, LINK_SYSCTLS)
      this.#reaper = new LinkReaper(options)
    } catch (error) {
      this.#linkSysctls?.[Symbol.dispose]()
      this.#host.close()
      throw error
    }
  }

  /**
   * Makes everything the plan lists; what is there already is left or set right, so it can be called again. A stale link
   * under one of the names is replaced. The host's side is ready before the pod's links come up, and when something of
   * it fails they do not. What was made stays: call `remove`; but a link that was moved into the pod is brought home.
   * @throws PlanError for the first request that failed, the others of that side are carried out; NetlinkError or SystemCallError when the conversation with the
   *   kernel itself broke.
   */
  apply(plan: NetworkPlan): void {
    this.#apply(plan)
  }

  /** Every object of the plan beside the kernel's, in the order of the plan. @throws NetlinkError */
  compare(plan: NetworkPlan): Comparison[] {
    return this.#compare(plan, this.#hostView())
  }

  /** The same for many plans, with one reading of the host's tables. @throws NetlinkError */
  compareAll(plans: readonly NetworkPlan[]): Comparison[][] {
    const host = this.#hostView()
    return plans.map((plan) => this.#compare(plan, host))
  }

  /** Every way in which the kernel is not as the plan says, in the order of the plan. @throws NetlinkError */
  verify(plan: NetworkPlan): Difference[] {
    return this.compare(plan).filter(isDifference)
  }

  /** The same for many plans, with one reading of the host's tables. @throws NetlinkError */
  verifyAll(plans: readonly NetworkPlan[]): Difference[][] {
    return this.compareAll(plans).map((comparisons) => comparisons.filter(isDifference))
  }

  /** Verifies plans one by one with one reading of the host's tables, made as far as the first of them need it. */
  verifier(): (plan: NetworkPlan) => Difference[] {
    const host = this.#hostView()
    return (plan) => this.#compare(plan, host).filter(isDifference)
  }

  /** Who changes of marks by this interpreter are by, as NftablesWatch hears of it. @throws SystemCallError */
  get marksPortid(): number {
    return this.#marks.portid
  }

  /**
   * Sets right what differs, on both sides: one thing that cannot be set keeps nothing else from being.
   * @returns what it was.
   * @throws PlanError for the first that failed.
   */
  repair(plan: NetworkPlan): Difference[] {
    const found = this.verify(plan)
    if (found.length === 0) return found
    if (found.some(({ object }) => object === 'filter' || object === 'qdisc')) this.#memory.forget()
    const attempts = new Attempts()
    if (found.some(({ object }) => object === 'mark')) attempts.run(() => this.repairMarks([plan]))
    attempts.run(() => this.#apply(plan, found))
    attempts.rethrow()
    return found
  }

  /**
   * Brings the marks of all these plans, and the table they are in, to what they should be, in one transaction. The marks
   * of other plans stay. `repair` does it for one plan; after the loss of the table it is this that is worth its while.
   * @throws PlanError
   */
  repairMarks(plans: readonly NetworkPlan[]): void {
    repairMarks(this.#marks, plans, 'host')
  }

  /**
   * Brings what one plan connects to the form of another plan for the same pod. First all of the new one is made, then
   * goes what only the old one has, so that packets always find a way. A link that is in both is never touched.
   * @throws PlanError as `apply`: then nothing of the old plan is gone.
   */
  async replace(from: NetworkPlan, to: NetworkPlan): Promise<void> {
    if (from.podNetns !== to.podNetns) {
      const reason = `the plans are for different pods: ${from.podNetns ?? 'none'} and ${to.podNetns ?? 'none'}`
      throw new PlanError({ code: 'invalid', where: describeNetns(to, 'host'), request: 'replace a plan', reason })
    }
    const moved = this.#apply(to)
    await this.remove(leftovers(resolveDevices(from, moved), resolveDevices(to, moved)))
  }

  /**
   * Removes everything the plan lists except `existing` links, sysctls, and clsact and prio qdiscs on links that stay.
   * Rules, routes, neighbours, addresses, filters and marks are gone, the links down and a moved one home before this
   * returns its promise, which is fulfilled when the kernel has confirmed the links gone. What does not exist is fine,
   * and so is a pod namespace that does not: a moved link is lost with it, or the kernel has brought it back. A link of
   * the same name that the plan did not make is left alone. Rejects with PlanError or NetlinkError.
   */
  async remove(plan: NetworkPlan): Promise<void> {
    const attempts = new Attempts()
    const side = { netns: 'host', socket: this.#host, where: describeNetns(plan, 'host') } as const
    const own = ownLinks(plan, side)
    attempts.run(() => removeObjects(plan, side, own))
    attempts.run(() => removeTc(plan, { ...side, memory: this.#memory }))
    attempts.run(() => removeMarks(this.#marks, plan.marks, side.where))
    const reaped = [...own].map((ifindex) => this.#reaper.remove(ifindex))
    attempts.run(() => reaped.push(...this.#removeInPod(plan, attempts)))
    await attempts.settle(reaped)
    attempts.rethrow()
  }

  /** Waits for the links that are being deleted. */
  async close(): Promise<void> {
    await this.#reaper.close()
    this.#linkSysctls?.[Symbol.dispose]()
    this.#marks[Symbol.dispose]()
    this.#host.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** `found`: what a repair found. Otherwise nothing is in the way, and the pod's side waits for the host's. */
  #apply(plan: NetworkPlan, found?: readonly Difference[]): MovedIndexes {
    using pod = PodSide.open(plan)
    if (pod === undefined && touches(plan, 'pod')) throw withoutPod('apply')
    const made = nothingMade()
    try {
      for (const link of plan.links) makeLink(link, placeOf(plan, this.#host, pod), made)
      const attempts = new Attempts()
      const progress = { plan: resolveDevices(plan, made.indexes), pod, fresh: made.fresh, found, attempts }
      this.#applyIn('host', progress)
      if (found === undefined) attempts.rethrow()
      this.#applyIn('pod', progress)
      attempts.rethrow()
      return made.indexes
    } catch (error) {
      this.#undoMoves(plan, pod, made)
      throw error
    }
  }

  /**
   * Sysctls first: some decide what an address or a link coming up brings with it. Marks before the routes by which the
   * pod is reached.
   */
  #applyIn(netns: PlanNetns, { plan, pod, fresh, found = [], attempts }: Progress): void {
    const socket = netns === 'host' ? this.#host : pod?.socket
    if (socket === undefined) return
    const side = { netns, socket, where: describeNetns(plan, netns) }
    attempts.run(() => this.#writeSysctls(netns, plan, pod))
    if (netns === 'host') attempts.run(() => addMarks(this.#marks, plan.marks, side.where))
    const isFresh = (device: DeviceRef) => isOn(fresh, device)
    attempts.run(() => applyTc(plan, { ...side, isFresh, memory: this.#memory }))
    attempts.run(() => clearForRepair(plan, side, found))
    attempts.run(() => execute(socket, side.where, [...linkSteps(plan, { netns, fresh }), ...objectSteps(plan, netns)]))
  }

  #writeSysctls(netns: PlanNetns, plan: NetworkPlan, pod: PodSide | undefined): void {
    const sysctls = plan.sysctls.filter((sysctl) => sysctl.netns === netns)
    try {
      if (netns === 'host') writeSysctls(this.#hostNetns, sysctls, this.#linkSysctls)
      else writeSysctls(pod?.netns, sysctls)
    } catch (cause) {
      if (!(cause instanceof SysctlError)) throw cause
      const where = describeNetns(plan, netns)
      throw new PlanError({ code: 'sysctl', where, request: 'write sysctls', reason: cause.message, cause })
    }
  }

  #undoMoves(plan: NetworkPlan, pod: PodSide | undefined, { moved }: LinksMade): void {
    const attempts = new Attempts()
    // Why apply failed is what the caller has to know; the removal that follows tries again and says so.
    if (pod !== undefined) for (const spec of moved) attempts.run(() => this.#bringHome(spec, plan, pod))
  }

  #bringHome(spec: LinksMade['moved'][number], plan: NetworkPlan, pod: PodSide): void {
    const place = { ...placeOf(plan, this.#host, pod), pod }
    using home = this.#hostNetns === undefined ? homeNetns() : undefined
    const hostNetns = home ?? this.#hostNetns
    if (hostNetns !== undefined) bringHome(spec, { ...place, hostNetns })
  }

  /** Ends of veths went with the host's; the rest hangs on links that stay, like `lo`, or goes with its link. */
  #removeInPod(plan: NetworkPlan, attempts: Attempts): Promise<void>[] {
    using pod = outlivesHost(plan) ? PodSide.openIfPresent(plan) : undefined
    if (pod === undefined) return []
    const side = { netns: 'pod', socket: pod.socket, where: describeNetns(plan, 'pod') } as const
    attempts.run(() => removeObjects(plan, side, new Set()))
    attempts.run(() => removeTc(plan, { ...side, memory: this.#memory }))
    for (const link of plan.links) {
      if (link.kind === 'moved') attempts.run(() => this.#bringHome(link, plan, pod))
    }
    return reapInPod(plan, pod, side)
  }

  #hostView(): KernelView {
    return new KernelView({ socket: this.#host, netns: this.#hostNetns, readMarks: () => this.#marks.read() })
  }

  #compare(plan: NetworkPlan, host: KernelView): Comparison[] {
    using pod = PodSide.openIfPresent(plan)
    const view = pod === undefined ? undefined : new KernelView(pod)
    return comparePlan(
      resolveDevices(
        plan,
        movedIndexes(plan, (name) => view?.link(name)),
      ),
      { host, pod: view },
    )
  }
}

interface Progress {
  /** Its devices are resolved. */
  readonly plan: NetworkPlan
  readonly pod: PodSide | undefined
  readonly fresh: ReadonlySet<LinkSpec>
  readonly found: readonly Difference[] | undefined
  readonly attempts: Attempts
}
