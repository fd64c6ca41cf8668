/** The repairs of the node's networks, told by the kernel itself what becomes of them. */
import { NetlinkMonitor } from '../../netlink/monitor.ts'
import type { NetnsRef } from '../../netlink/netns.ts'
import { lacksNftables, ROUTING_TABLE } from '../../netlink/nftables/source-marks.ts'
import { NftablesWatch } from '../../netlink/nftables/watch.ts'
import type { NetworkPlan } from '../../netlink/plan.ts'
import { REAL_POOL_CLOCK } from '../pool/clock.ts'
import type { DriftClock } from './gathering.ts'
import type { PlanOwner } from './places.ts'
import { Repairs, type RepairsOptions } from './repairs.ts'
import type { DriftKernel } from './restoration.ts'

export interface DriftOptions extends Omit<RepairsOptions, 'clock' | 'drain'> {
  /** What plans call `host`; the namespace the calling thread is in when absent. */
  readonly netns?: NetnsRef
  readonly kernel: DriftKernel & {
    /** Whose changes of marks are the interpreter's own. */
    readonly marksPortid: number
  }
}

/** Between two looks for notifications, ms: a tenth of what a repair may take, and hardly any work while idle. */
const INTERVAL = 100

const CLOCK: DriftClock = {
  steady: () => performance.now(),
  after: (milliseconds, callback) => REAL_POOL_CLOCK.after(milliseconds, callback),
}

/**
 * Told of each plan when it holds, and before it is to hold no more: `watch` in the same turn of the event loop as the
 * plan was applied, `forget` before anything of it is removed. A plan in place of another is forgotten, carried out and
 * watched.
 */
export class Drift implements Disposable {
  readonly #repairs: Repairs
  readonly #monitor: NetlinkMonitor
  /** Absent on a kernel that cannot mark packets: no plan wants it to. */
  readonly #marks: NftablesWatch | undefined

  /** Changes from now on are noticed. Does not keep the process alive. @throws NetnsError, SystemCallError */
  constructor({ netns, ...options }: DriftOptions) {
    const where = netns === undefined ? {} : { netns }
    this.#repairs = new Repairs({ ...options, clock: CLOCK, drain: () => this.#monitor.drain() })
    this.#monitor = new NetlinkMonitor({
      ...where,
      intervalMs: INTERVAL,
      onEvent: (event) => this.#repairs.notice(event),
      onLook: () => this.#marks?.drain(),
    })
    const isOwn = (portid: number) => portid === options.kernel.marksPortid
    const onChange = () => this.#repairs.noticeMarks()
    try {
      this.#marks = new NftablesWatch({ ...where, table: ROUTING_TABLE, isOwn, onChange, intervalMs: 'none' })
    } catch (error) {
      if (lacksNftables(error)) return
      this.#monitor.stop()
      this.#repairs[Symbol.dispose]()
      throw error
    }
  }

  /**
   * The plan holds from now on; takes the place of the owner's last one. What the kernel has told before was of its
   * making, when a link is not up yet: that concerns nobody.
   * @param pod `<namespace>/<name>`, for the reports
   */
  watch(owner: PlanOwner, plan: NetworkPlan, pod?: string): void {
    this.#monitor.drain()
    this.#repairs.watch(owner, plan, pod)
  }

  /** Of an owner that nobody watches too. */
  forget(owner: PlanOwner): void {
    this.#repairs.forget(owner)
  }

  /** Compares the owner's plan soon, which may have been changed since it was last looked at. Unwatched owners are fine. */
  look(owner: PlanOwner): void {
    this.#repairs.look(owner)
  }

  /** Compares every plan now, besides the regular times: for a daemon that does not know what has happened before. */
  compareAll(): void {
    this.#repairs.compareAll()
  }

  [Symbol.dispose](): void {
    this.#monitor.stop()
    this.#marks?.stop()
    this.#repairs[Symbol.dispose]()
  }
}
