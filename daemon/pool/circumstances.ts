/** What stands in the way of a decision, or helps it: the state of calls, links and the cloud. */
import type { VSwitchId } from '../../cloud/ids.ts'
import type { Ip } from '../../inet/address.ts'
import type { EniKey } from './model.ts'

export interface Circumstances {
  /** ENIs with a cloud call under way: no second one beside it. */
  readonly busyEnis: ReadonlySet<EniKey>
  /** ENIs whose link is there and programmed: only their addresses can be given away. */
  readonly readyEnis: ReadonlySet<EniKey>
  /** ENIs whose last call failed and is not to be repeated yet. */
  readonly failedEnis: ReadonlySet<EniKey>
  /** Those of them that have failed so seldom in a row that the next try may well succeed. */
  readonly stumblingEnis: ReadonlySet<EniKey>
  /** ENIs that take far longer to come than they use to. */
  readonly slowEnis: ReadonlySet<EniKey>
  /** vSwitches in which nothing can be had now. */
  readonly emptyVSwitches: ReadonlySet<VSwitchId>
  /** No new ENI now: limit of the instance, or no vSwitch left to make it in. */
  readonly noNewEni: boolean
  /** Addresses whose cool-down is over and that cannot be given all the same. */
  readonly heldBack: ReadonlySet<Ip>
  /** ENIs on this instance that are not ours and take a place of ours. */
  readonly foreignEnis: number
}

/** Nothing is under way and nothing stands in the way. */
export const UNHINDERED: Circumstances = {
  ...{ busyEnis: new Set(), readyEnis: new Set(), failedEnis: new Set(), stumblingEnis: new Set() },
  ...{ slowEnis: new Set(), emptyVSwitches: new Set(), noNewEni: false, foreignEnis: 0 },
  heldBack: new Set(),
}
