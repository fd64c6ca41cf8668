/** Carries network plans out: makes, compares, repairs and removes what they list. */
import { Errno } from './errno.ts'
import { isNetnsGone, NetlinkError, NetnsError } from './error.ts'
import { getLink } from './link.ts'
import type { Ack } from './message.ts'
import { type Netns, openNetns } from './netns.ts'
import type { Difference, LinkSpec, NetworkPlan, PlanNetns } from './plan.ts'
import { PlanError, refused } from './plan-error.ts'
import { applyRequests, removeRequests, touches } from './plan-requests.ts'
import { describeNetns } from './plan-text.ts'
import { differences } from './plan-verify.ts'
import { createVeth, isHostEnd } from './plan-veth.ts'
import { KernelView } from './plan-view.ts'
import { LinkReaper } from './reaper.ts'
import { NetlinkSocket } from './socket.ts'
import { SysctlError, writeSysctls } from './sysctl.ts'

/** What the kernel answers when the object to be deleted, or the link it hung on, is not there. */
const ABSENT: readonly number[] = [Errno.ESRCH, Errno.ENOENT, Errno.ENODEV, Errno.EADDRNOTAVAIL]

/** The pod's side of a plan while it is worked on. */
class Pod implements Disposable {
  readonly netns: Netns
  readonly socket: NetlinkSocket

  constructor(path: string) {
    this.netns = openNetns(path)
    try {
      this.socket = NetlinkSocket.open({ netns: this.netns })
    } catch (error) {
      this.netns.close()
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.socket.close()
    this.netns.close()
  }
}

export class PlanInterpreter implements AsyncDisposable {
  readonly #hostNetns: Netns | undefined
  readonly #host: NetlinkSocket
  readonly #reaper: LinkReaper

  /**
   * `hostNetns` is what plans call `host`, the namespace the thread is in when absent; it must stay open as long as the
   * interpreter is used.
   * @throws NetnsError, SystemCallError
   */
  constructor({ hostNetns }: { readonly hostNetns?: Netns } = {}) {
    const options = hostNetns === undefined ? {} : { netns: hostNetns }
    this.#hostNetns = hostNetns
    this.#host = NetlinkSocket.open(options)
    try {
      this.#reaper = new LinkReaper(options)
    } catch (error) {
      this.#host.close()
      throw error
    }
  }

  /**
   * Makes everything the plan lists; what is there already is left or set right, so it can be called again. A stale link
   * under the host's name is replaced. What was made before an error stays: call `remove`.
   * @throws PlanError for the first request that failed; NetlinkError or SystemCallError when the conversation with the
   *   kernel itself broke.
   */
  apply(plan: NetworkPlan): void {
    using pod = this.#openPod(plan)
    const kept = new Set<LinkSpec>()
    for (const link of plan.links) {
      if (link.kind !== 'veth') continue
      if (pod === undefined) throw withoutPod(`add link ${link.name}`)
      const where = { host: describeNetns(plan, 'host'), pod: describeNetns(plan, 'pod') }
      const place = { host: this.#host, pod: pod.socket, podNetns: pod.netns, where }
      if (createVeth(link, place) === 'kept') kept.add(link)
    }
    this.#applyIn('pod', { plan, pod, kept })
    this.#applyIn('host', { plan, pod, kept })
  }

  /** Every way in which the kernel is not as the plan says, in the order of the plan. @throws NetlinkError */
  verify(plan: NetworkPlan): Difference[] {
    return this.#compare(plan, this.#hostView())
  }

  /** The same for many plans, with one reading of the host's tables. @throws NetlinkError */
  verifyAll(plans: readonly NetworkPlan[]): Difference[][] {
    const host = this.#hostView()
    return plans.map((plan) => this.#compare(plan, host))
  }

  /** Sets right what differs. @returns what it was. @throws PlanError as `apply`. */
  repair(plan: NetworkPlan): Difference[] {
    const found = this.verify(plan)
    if (found.length > 0) this.apply(plan)
    return found
  }

  /**
   * Removes everything the plan lists except `existing` links and sysctls. Rules, routes, neighbours and addresses are
   * gone and the host's link is down before this returns its promise, which is fulfilled when the kernel has confirmed
   * the link gone. What does not exist is fine, and so is a pod namespace that does not. A link of the same name that
   * the plan did not make is left alone. Rejects with PlanError or NetlinkError.
   */
  async remove(plan: NetworkPlan): Promise<void> {
    const reaped: Promise<void>[] = []
    const own = new Set<number>()
    for (const spec of plan.links) {
      if (spec.kind !== 'veth') continue
      const link = getLink(this.#host, spec.ifindex)
      if (link !== undefined && isHostEnd(spec, link)) own.add(spec.ifindex)
    }
    const veths = new Set(plan.links.flatMap((link) => (link.kind === 'veth' ? [link.ifindex] : [])))
    // Objects on a veth of this plan that is gone went with it; its index may belong to somebody else by now.
    const holds = ({ ifindex }: { readonly ifindex: number }) => own.has(ifindex) || !veths.has(ifindex)
    const acks = this.#host.request(removeRequests(plan, { netns: 'host', holds }))
    for (const ifindex of own) reaped.push(this.#reaper.remove(ifindex))
    const settled = Promise.all(reaped)
    // Should the pod's side fail first, this promise must have been looked at.
    settled.catch(() => undefined)
    const podAcks = this.#removeInPod(plan)
    await settled
    requireAll(acks, { where: describeNetns(plan, 'host'), accept: ABSENT })
    requireAll(podAcks, { where: describeNetns(plan, 'pod'), accept: ABSENT })
  }

  /** Waits for the links that are being deleted. */
  async close(): Promise<void> {
    await this.#reaper.close()
    this.#host.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #hostView(): KernelView {
    return new KernelView(this.#host, this.#hostNetns)
  }

  #compare(plan: NetworkPlan, host: KernelView): Difference[] {
    using pod = openPodIfPresent(plan)
    const found = differences(plan, {
      host,
      pod: pod === undefined ? undefined : new KernelView(pod.socket, pod.netns),
    })
    if (pod !== undefined || plan.podNetns === undefined) return found
    return [{ netns: 'pod', object: 'netns', subject: plan.podNetns, problem: 'missing' }, ...found]
  }

  #openPod(plan: NetworkPlan): Pod | undefined {
    if (plan.podNetns === undefined) {
      if (touches(plan, 'pod')) throw withoutPod('apply')
      return undefined
    }
    try {
      return new Pod(plan.podNetns)
    } catch (cause) {
      if (!(cause instanceof NetnsError)) throw cause
      const where = describeNetns(plan, 'pod')
      throw new PlanError({ code: 'netns', where, request: 'open', reason: cause.message, cause })
    }
  }

  /** Sysctls first: some decide what an address or a link coming up brings with it. */
  #applyIn(netns: PlanNetns, { plan, pod, kept }: Progress): void {
    const socket = netns === 'host' ? this.#host : pod?.socket
    if (socket === undefined) return
    const where = describeNetns(plan, netns)
    try {
      writeSysctls(
        netns === 'host' ? this.#hostNetns : pod?.netns,
        plan.sysctls.filter((sysctl) => sysctl.netns === netns),
      )
    } catch (cause) {
      if (!(cause instanceof SysctlError)) throw cause
      throw new PlanError({ code: 'sysctl', where, request: 'write sysctls', reason: cause.message, cause })
    }
    const acks = socket.request(applyRequests(plan, { netns, kept }))
    // Only rules are asked for exclusively: an equal one is there already.
    requireAll(acks, { where, accept: [Errno.EEXIST] })
  }

  /** The pod's end went with the host's; this is for what hangs on links that stay, like `lo`. */
  #removeInPod(plan: NetworkPlan): Ack[] {
    using pod = openPodIfPresent(plan)
    if (pod === undefined) return []
    const peers = new Set(plan.links.flatMap((link) => (link.kind === 'veth' ? [link.peer.ifindex] : [])))
    return pod.socket.request(removeRequests(plan, { netns: 'pod', holds: ({ ifindex }) => !peers.has(ifindex) }))
  }
}

interface Progress {
  readonly plan: NetworkPlan
  readonly pod: Pod | undefined
  readonly kept: ReadonlySet<LinkSpec>
}

function openPodIfPresent(plan: NetworkPlan): Pod | undefined {
  if (plan.podNetns === undefined) return undefined
  try {
    return new Pod(plan.podNetns)
  } catch (error) {
    // The sandbox is gone, and what it held with it. A runtime leaves an empty file behind when it unmounts.
    if (isNetnsGone(error)) return undefined
    throw error
  }
}

function withoutPod(request: string): PlanError {
  const reason = 'the plan names objects in the pod but no pod namespace'
  return new PlanError({ code: 'invalid', where: 'pod', request, reason })
}

function requireAll(acks: readonly Ack[], { where, accept }: { where: string; accept: readonly number[] }): void {
  for (const { error } of acks) {
    if (error instanceof NetlinkError && !accept.includes(error.errno)) throw refused(where, error)
  }
}
