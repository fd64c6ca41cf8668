/** The pod's namespace while a plan is worked on: a handle and a socket in it. */
import { isNetnsGone, NetnsError } from './error.ts'
import { type Netns, openNetns } from './netns.ts'
import type { NetworkPlan } from './plan.ts'
import { PlanError } from './plan-error.ts'
import { describeNetns } from './plan-text.ts'
import { NetlinkSocket } from './socket.ts'

export class PodSide implements Disposable {
  readonly netns: Netns
  readonly socket: NetlinkSocket

  private constructor(path: string, identity: string | undefined) {
    this.netns = openNetns(path)
    try {
      if (identity !== undefined && identity !== this.netns.identity) throw another(path)
      this.socket = NetlinkSocket.open({ netns: this.netns })
    } catch (error) {
      this.netns.close()
      throw error
    }
  }

  /** `undefined` when the plan names no pod. @throws PlanError `netns` when it cannot be opened. */
  static open(plan: NetworkPlan): PodSide | undefined {
    if (plan.podNetns === undefined) return undefined
    try {
      return new PodSide(plan.podNetns, plan.podNetnsId)
    } catch (cause) {
      if (!(cause instanceof NetnsError)) throw cause
      const where = describeNetns(plan, 'pod')
      throw new PlanError({ code: 'netns', where, request: 'open', reason: cause.message, cause })
    }
  }

  /** `undefined` also when the namespace is gone. @throws NetnsError when it only cannot be looked at. */
  static openIfPresent({ podNetns, podNetnsId }: NetworkPlan): PodSide | undefined {
    if (podNetns === undefined) return undefined
    try {
      return new PodSide(podNetns, podNetnsId)
    } catch (error) {
      // The sandbox is gone, and what it held with it. A runtime leaves an empty file behind when it unmounts.
      if (isNetnsGone(error)) return undefined
      throw error
    }
  }

  [Symbol.dispose](): void {
    this.socket.close()
    this.netns.close()
  }
}

/** As when nothing were there: what the pod's namespace held has gone with it. */
function another(path: string): NetnsError {
  return new NetnsError(`another network namespace is at ${path}`, { code: 'ENOENT', netns: path })
}
